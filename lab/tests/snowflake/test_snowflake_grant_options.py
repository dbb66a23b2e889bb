"""What hangs together: the grant option and what was given by it, ownership of all and of the future, imports."""

from __future__ import annotations

import pytest
from snowflake_support import Client, Person, unique


@pytest.fixture
def chain(admin: Client, somebody: Person) -> tuple[str, str]:
    """Somebody holds OPERATE with the option and gave it on, with the option, to a role that gave it to another."""
    second, third = unique("ROLE"), unique("ROLE")
    admin.run(
        f"CREATE ROLE {second}",
        f"CREATE ROLE {third}",
        f"GRANT ROLE {second} TO USER {somebody.name}",
        f"GRANT OPERATE ON WAREHOUSE WORK TO ROLE {somebody.role} WITH GRANT OPTION",
    )
    somebody.client.run(
        f"GRANT OPERATE ON WAREHOUSE WORK TO ROLE {second} WITH GRANT OPTION",
        f"USE ROLE {second}",
        "USE SECONDARY ROLES NONE",
        f"GRANT OPERATE ON WAREHOUSE WORK TO ROLE {third}",
        f"USE ROLE {somebody.role}",
    )
    return second, third


def holders(admin: Client) -> dict[str, str]:
    rows = admin.dicts("SHOW GRANTS ON WAREHOUSE WORK")
    return {row["grantee_name"]: row["grant_option"] for row in rows if row["privilege"] == "OPERATE"}


def test_restrict_is_the_default(admin: Client, somebody: Person, chain: tuple[str, str]) -> None:
    revoke = f"REVOKE OPERATE ON WAREHOUSE WORK FROM ROLE {somebody.role}"
    assert admin.refused(revoke)[0] == 3036
    assert admin.refused(f"{revoke} RESTRICT")[0] == 3036
    assert {somebody.role, *chain} <= set(holders(admin))


def test_cascade_takes_all_that_was_given_by_it(admin: Client, somebody: Person, chain: tuple[str, str]) -> None:
    admin.run(f"REVOKE OPERATE ON WAREHOUSE WORK FROM ROLE {somebody.role} CASCADE")
    assert not {somebody.role, *chain} & set(holders(admin))


def test_option_alone_can_be_taken(admin: Client, somebody: Person, chain: tuple[str, str]) -> None:
    second, third = chain
    revoke = f"REVOKE GRANT OPTION FOR OPERATE ON WAREHOUSE WORK FROM ROLE {second}"
    assert admin.refused(revoke)[0] == 3036
    admin.run(f"{revoke} CASCADE")
    found = holders(admin)
    assert found[second] == "false" and third not in found and found[somebody.role] == "true"


def test_only_the_giver_takes_back(admin: Client, somebody: Person, chain: tuple[str, str]) -> None:
    other = unique("ROLE")
    admin.run(f"CREATE ROLE {other}", f"GRANT OPERATE ON WAREHOUSE WORK TO ROLE {other}")
    assert somebody.client.refused(f"REVOKE OPERATE ON WAREHOUSE WORK FROM ROLE {other}")[0] == 3001
    somebody.client.run(f"REVOKE OPERATE ON WAREHOUSE WORK FROM ROLE {chain[0]} CASCADE")
    assert other in holders(admin)


def test_ownership_of_all_and_of_the_future(admin: Client, somebody: Person) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    other = unique("ROLE")
    give = f"GRANT OWNERSHIP ON ALL TABLES IN SCHEMA {schema} TO ROLE {somebody.role}"
    admin.run(
        f"CREATE ROLE {other}",
        f"CREATE TABLE {schema}.A (I INT)",
        f"CREATE TABLE {schema}.B (I INT)",
        f"GRANT SELECT ON TABLE {schema}.B TO ROLE PUBLIC",
    )
    assert admin.refused(give)[0] == 3036
    assert {row["owner"] for row in admin.dicts(f"SHOW TABLES IN SCHEMA {schema}")} == {"ACCOUNTADMIN"}
    admin.run(
        f"{give} REVOKE CURRENT GRANTS",
        f"GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA {schema} TO ROLE {somebody.role} COPY CURRENT GRANTS",
        f"CREATE TABLE {schema}.C (I INT)",
    )
    assert {row["owner"] for row in admin.dicts(f"SHOW TABLES IN SCHEMA {schema}")} == {somebody.role}
    assert [row["privilege"] for row in admin.dicts(f"SHOW GRANTS ON TABLE {schema}.B")] == ["OWNERSHIP"]
    assert admin.refused(f"GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA {schema} TO ROLE {other}")[0] == 2002
    admin.run(f"REVOKE OWNERSHIP ON FUTURE TABLES IN SCHEMA {schema} FROM ROLE {somebody.role}")
    assert admin.dicts(f"SHOW FUTURE GRANTS IN SCHEMA {schema}") == []


def test_system_roles_have_no_owner_to_be(admin: Client) -> None:
    assert admin.refused("GRANT OWNERSHIP ON ROLE ACCOUNTADMIN TO ROLE SYSADMIN")[0] == 3001
    assert admin.refused("GRANT OWNERSHIP ON DATABASE SNOWFLAKE TO ROLE SYSADMIN")[0] == 3001


def test_privileges_of_the_shared_database_are_imported(admin: Client, somebody: Person) -> None:
    role = somebody.role
    (shown,) = admin.dicts("SHOW DATABASES LIKE 'SNOWFLAKE'")
    assert (shown["kind"], shown["owner"]) == ("APPLICATION", "")
    assert somebody.client.dicts("SHOW DATABASES LIKE 'SNOWFLAKE'") == []
    assert admin.refused(f"GRANT USAGE ON DATABASE SNOWFLAKE TO ROLE {role}")[0] == 3011
    assert admin.refused(f"GRANT IMPORTED PRIVILEGES ON DATABASE LAB TO ROLE {role}")[0] == 3008
    assert somebody.client.refused(f"GRANT IMPORTED PRIVILEGES ON DATABASE SNOWFLAKE TO ROLE {role}")[0] == 2003
    admin.run(f"GRANT IMPORTED PRIVILEGES ON DATABASE SNOWFLAKE TO ROLE {role}")
    rows = {(row["privilege"], row["granted_on"], row["name"]) for row in admin.dicts(f"SHOW GRANTS TO ROLE {role}")}
    assert ("USAGE", "DATABASE", "SNOWFLAKE") in rows
    assert len(somebody.client.dicts("SHOW DATABASES LIKE 'SNOWFLAKE'")) == 1
    for statement in (
        "CREATE SCHEMA SNOWFLAKE.X",
        "DROP DATABASE SNOWFLAKE",
        "ALTER DATABASE SNOWFLAKE SET COMMENT = ''",
    ):
        assert somebody.client.refused(statement)[0] == 3001
        assert admin.refused(statement)[0] == 3001
    admin.run(f"REVOKE IMPORTED PRIVILEGES ON DATABASE SNOWFLAKE FROM ROLE {role}")
    assert somebody.client.dicts("SHOW DATABASES LIKE 'SNOWFLAKE'") == []


@pytest.mark.parametrize(
    "kind",
    [
        "ALERTS", "DYNAMIC TABLES", "EVENT TABLES", "EXTERNAL TABLES", "FILE FORMATS", "FUNCTIONS", "ICEBERG TABLES",
        "MATERIALIZED VIEWS", "NETWORK RULES", "PIPES", "PROCEDURES", "SECRETS", "SEQUENCES", "STAGES", "STREAMS",
        "TABLES", "TAGS", "TASKS", "VIEWS",
    ],
)  # fmt: skip
def test_every_kind_can_be_promised(admin: Client, somebody: Person, kind: str) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    admin.run(
        f"GRANT ALL PRIVILEGES ON FUTURE {kind} IN SCHEMA {schema} TO ROLE {somebody.role}",
        f"GRANT ALL PRIVILEGES ON ALL {kind} IN SCHEMA {schema} TO ROLE {somebody.role}",
    )
    rows = admin.dicts(f"SHOW FUTURE GRANTS TO ROLE {somebody.role}")
    assert rows and {row["grant_on"] for row in rows} == {kind[:-1].replace(" ", "_")}
    admin.run(f"REVOKE ALL PRIVILEGES ON FUTURE {kind} IN SCHEMA {schema} FROM ROLE {somebody.role}")
    assert admin.dicts(f"SHOW FUTURE GRANTS TO ROLE {somebody.role}") == []


def test_grant_option_of_a_future_grant(admin: Client, somebody: Person) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    future = f"SELECT ON FUTURE TABLES IN SCHEMA {schema}"
    admin.run(f"GRANT {future} TO ROLE {somebody.role} WITH GRANT OPTION")
    assert admin.dicts(f"SHOW FUTURE GRANTS TO ROLE {somebody.role}")[0]["grant_option"] == "true"
    admin.run(f"REVOKE GRANT OPTION FOR {future} FROM ROLE {somebody.role}")
    assert admin.dicts(f"SHOW FUTURE GRANTS TO ROLE {somebody.role}")[0]["grant_option"] == "false"

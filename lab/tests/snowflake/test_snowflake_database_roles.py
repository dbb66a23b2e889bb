"""Database roles: their life, what they may hold, and that who holds them has their privileges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hanger_lab.snowflake import access
from snowflake_support import Client, Inside, Person, Service, unique


@pytest.fixture
def database(admin: Client) -> Iterator[str]:
    name = unique("DB")
    admin.run(f"CREATE DATABASE {name}", f"CREATE SCHEMA {name}.S", f"CREATE TABLE {name}.S.T (I INT)")
    yield name
    admin.run("USE ROLE ACCOUNTADMIN", f"DROP DATABASE IF EXISTS {name}", "USE DATABASE LAB")


def held(client: Client, role: str) -> set[tuple[Any, ...]]:
    return {
        (row["privilege"], row["granted_on"], row["name"])
        for row in client.dicts(f"SHOW GRANTS TO DATABASE ROLE {role}")
    }


def test_life(admin: Client, database: str) -> None:
    admin.run(
        f"CREATE DATABASE ROLE {database}.R COMMENT = 'reads'",
        f"CREATE DATABASE ROLE IF NOT EXISTS {database}.R",
        f"CREATE DATABASE ROLE {database}.S",
        f"ALTER DATABASE ROLE {database}.R SET COMMENT = 'x'",
        f"GRANT DATABASE ROLE {database}.R TO DATABASE ROLE {database}.S",
        f"GRANT DATABASE ROLE {database}.R TO ROLE SYSADMIN",
    )
    rows = {row["name"]: row for row in admin.dicts(f"SHOW DATABASE ROLES IN DATABASE {database}")}
    assert list(rows["R"]) == [
        "created_on", "name", "is_default", "is_current", "is_inherited", "granted_to_roles",
        "granted_to_database_roles", "granted_database_roles", "owner", "comment", "owner_role_type",
    ]  # fmt: skip
    counts = ("granted_to_roles", "granted_to_database_roles", "granted_database_roles")
    assert [[rows[name][count] for count in counts] for name in ("R", "S")] == [[1, 1, 0], [0, 0, 1]]
    assert (rows["R"]["comment"], rows["R"]["owner"], rows["R"]["owner_role_type"]) == ("x", "ACCOUNTADMIN", "ROLE")
    assert held(admin, f"{database}.R") == {("USAGE", "DATABASE", database)}
    of_role = admin.dicts(f"SHOW GRANTS OF DATABASE ROLE {database}.R")
    assert {(row["role"], row["granted_to"], row["grantee_name"]) for row in of_role} == {
        (f"{database}.R", "DATABASE_ROLE", f"{database}.S"),
        (f"{database}.R", "ROLE", "SYSADMIN"),
    }
    admin.run(f"ALTER DATABASE ROLE {database}.R RENAME TO {database}.READER")
    assert ("USAGE", "DATABASE_ROLE", f"{database}.READER") in held(admin, f"{database}.S")
    admin.run(f"DROP SCHEMA {database}.S")
    assert len(admin.dicts(f"SHOW DATABASE ROLES LIKE 'read%' IN DATABASE {database}")) == 1
    admin.run(f"DROP DATABASE ROLE {database}.READER")
    assert held(admin, f"{database}.S") == {("USAGE", "DATABASE", database)}
    assert admin.refused(f"SHOW GRANTS TO DATABASE ROLE {database}.READER")[0] == 2003


def test_who_holds_it_has_its_privileges(admin: Client, somebody: Person, database: str) -> None:
    query, role = f"SELECT * FROM {database}.S.T", f"{database}.READER"
    admin.run(
        f"CREATE DATABASE ROLE {role}",
        f"CREATE DATABASE ROLE {database}.ALL_READERS",
        f"GRANT USAGE ON SCHEMA {database}.S TO DATABASE ROLE {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {database}.S TO DATABASE ROLE {role}",
        f"GRANT SELECT ON FUTURE TABLES IN SCHEMA {database}.S TO DATABASE ROLE {role}",
        f"CREATE TABLE {database}.S.NEW (I INT)",
    )
    assert somebody.client.refused(query)[0] == 2003
    admin.run(
        f"GRANT DATABASE ROLE {role} TO DATABASE ROLE {database}.ALL_READERS",
        f"GRANT DATABASE ROLE {database}.ALL_READERS TO ROLE {somebody.role}",
    )
    somebody.client.run("USE SECONDARY ROLES NONE", query, f"SELECT * FROM {database}.S.NEW")
    assert somebody.client.refused(f"INSERT INTO {database}.S.T VALUES (1)")[0] == 3001
    (future,) = admin.dicts(f"SHOW FUTURE GRANTS TO DATABASE ROLE {role}")
    assert (future["grant_to"], future["grantee_name"], future["privilege"]) == ("DATABASE_ROLE", "READER", "SELECT")
    rows = admin.dicts(f"SHOW GRANTS ON TABLE {database}.S.T")
    assert ("DATABASE_ROLE", "READER") in {(row["granted_to"], row["grantee_name"]) for row in rows}
    assert ("USAGE", f"{database}.ALL_READERS", "DATABASE_ROLE") in {
        (row["privilege"], row["name"], row["granted_on"])
        for row in admin.dicts(f"SHOW GRANTS TO ROLE {somebody.role}")
    }
    admin.run(f"REVOKE DATABASE ROLE {role} FROM DATABASE ROLE {database}.ALL_READERS")
    assert somebody.client.refused(query)[0] == 2003


def test_a_user_may_hold_it_as_a_secondary_role(admin: Client, somebody: Person, database: str) -> None:
    admin.run(
        f"CREATE DATABASE ROLE {database}.R",
        f"GRANT USAGE ON SCHEMA {database}.S TO DATABASE ROLE {database}.R",
        f"GRANT SELECT ON TABLE {database}.S.T TO DATABASE ROLE {database}.R",
        f"GRANT DATABASE ROLE {database}.R TO USER {somebody.name}",
    )
    somebody.client.run(f"SELECT * FROM {database}.S.T", "USE SECONDARY ROLES NONE")
    assert somebody.client.refused(f"SELECT * FROM {database}.S.T")[0] == 2003
    assert f"{database}.R" in {row["role"] for row in admin.dicts(f"SHOW GRANTS TO USER {somebody.name}")}


def test_it_cannot_be_activated(
    admin: Client, somebody: Person, service: Service, database: str, inside: Inside
) -> None:
    admin.run(
        f"CREATE DATABASE ROLE {database}.{somebody.role}",
        f"CREATE DATABASE ROLE {database}.ALONE",
        f"GRANT DATABASE ROLE {database}.ALONE TO ROLE {somebody.role}",
    )
    assert somebody.client.refused("USE ROLE ALONE")[0] == 2043
    assert somebody.client.refused(f"USE ROLE {database}.ALONE")[0] == 2043
    assert somebody.client.refused(f"USE ROLE {database}.{somebody.role}")[0] == 2043
    inside.run("CREATE DATABASE D", "CREATE DATABASE ROLE D.R", "GRANT DATABASE ROLE D.R TO ROLE ACCOUNTADMIN")
    catalog = inside.account.catalog
    assert "D\0R" in access.inherited(catalog, ["ACCOUNTADMIN"])
    assert "D\0R" not in access.assumable(catalog, "HANGER_PROVISIONER")
    for statement in ('USE ROLE "D\0R"', 'CREATE ROLE "D\0R"', 'GRANT ROLE "D\0R" TO ROLE SYSADMIN'):
        with pytest.raises(Exception, match="syntax error"):
            inside.run(statement)


def test_it_holds_nothing_outside_its_database(admin: Client, database: str) -> None:
    role = f"{database}.R"
    admin.run(f"CREATE DATABASE ROLE {role}", "USE DATABASE LAB", "CREATE DATABASE ROLE IF NOT EXISTS LAB.FOREIGN")
    for statement, number in (
        (f"GRANT USAGE ON WAREHOUSE WORK TO DATABASE ROLE {role}", 3008),
        (f"GRANT USAGE ON DATABASE LAB TO DATABASE ROLE {role}", 3008),
        (f"GRANT SELECT ON FUTURE TABLES IN DATABASE LAB TO DATABASE ROLE {role}", 3008),
        (f"GRANT CREATE DATABASE ON ACCOUNT TO DATABASE ROLE {role}", 3008),
        (f"GRANT OWNERSHIP ON DATABASE LAB TO DATABASE ROLE {role} COPY CURRENT GRANTS", 3008),
        (f"GRANT DATABASE ROLE {role} TO DATABASE ROLE LAB.FOREIGN", 3008),
        (f"GRANT ROLE SYSADMIN TO DATABASE ROLE {role}", 2),
        (f"GRANT DATABASE ROLE {role} TO DATABASE ROLE {role}", 3028),
        (f"GRANT DATABASE ROLE {database}.NOSUCH TO ROLE SYSADMIN", 2003),
    ):
        assert admin.refused(statement)[0] == number, statement


def test_it_may_own(admin: Client, database: str) -> None:
    role = f"{database}.OWNER"
    admin.run(
        f"CREATE DATABASE ROLE {role}",
        f"GRANT OWNERSHIP ON TABLE {database}.S.T TO DATABASE ROLE {role} REVOKE CURRENT GRANTS",
        f"GRANT OWNERSHIP ON FUTURE TABLES IN SCHEMA {database}.S TO DATABASE ROLE {role}",
        f"CREATE TABLE {database}.S.NEW (I INT)",
    )
    rows = admin.dicts(f"SHOW TABLES IN SCHEMA {database}.S")
    assert {(row["name"], row["owner"], row["owner_role_type"]) for row in rows} == {
        ("T", "OWNER", "DATABASE_ROLE"),
        ("NEW", "OWNER", "DATABASE_ROLE"),
    }
    assert ("OWNERSHIP", "TABLE", f"{database}.S.T") in held(admin, role)
    admin.run(f"DROP DATABASE ROLE {role}")
    assert {row["owner"] for row in admin.dicts(f"SHOW TABLES IN SCHEMA {database}.S")} == {"ACCOUNTADMIN"}


def test_who_may_make_and_give_it(admin: Client, somebody: Person, database: str) -> None:
    client, role = somebody.client, f"{database}.R"
    assert client.refused(f"CREATE DATABASE ROLE {role}")[0] == 2003
    assert client.refused(f"SHOW DATABASE ROLES IN DATABASE {database}")[0] == 2043
    admin.run(f"GRANT USAGE ON DATABASE {database} TO ROLE {somebody.role}")
    assert client.refused(f"CREATE DATABASE ROLE {role}")[0] == 3001
    admin.run(f"GRANT CREATE DATABASE ROLE ON DATABASE {database} TO ROLE {somebody.role}")
    client.run(f"CREATE DATABASE ROLE {role}", f"GRANT DATABASE ROLE {role} TO ROLE SYSADMIN")
    admin.run(f"CREATE DATABASE ROLE {database}.OTHER")
    assert client.refused(f"GRANT DATABASE ROLE {database}.OTHER TO ROLE {somebody.role}")[0] == 3001
    assert client.refused(f"DROP DATABASE ROLE {database}.OTHER")[0] == 3001
    client.run(f"DROP DATABASE ROLE {role}")


def test_names_are_exact(admin: Client, database: str) -> None:
    admin.run(
        f'CREATE DATABASE ROLE {database}."a.b"',
        f'GRANT USAGE ON SCHEMA {database}.S TO DATABASE ROLE {database}."a.b"',
        f'GRANT DATABASE ROLE {database}."a.b" TO ROLE SYSADMIN',
    )
    assert ("USAGE", "SCHEMA", f"{database}.S") in held(admin, f'{database}."a.b"')
    (row,) = admin.dicts(f'SHOW GRANTS OF DATABASE ROLE {database}."a.b"')
    assert row["role"] == f'{database}."a.b"'
    admin.run(f"DROP DATABASE {database}")
    rows = admin.dicts("SHOW GRANTS TO ROLE SYSADMIN")
    assert not [row for row in rows if database in row["name"]]

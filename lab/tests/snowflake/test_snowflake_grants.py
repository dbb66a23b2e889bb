"""Grants: on objects, on all, on future objects, of roles, of ownership."""

from __future__ import annotations

from typing import Any

from snowflake_support import Client, Person, unique


def held(admin: Client, role: str) -> set[tuple[Any, ...]]:
    return {(row["privilege"], row["granted_on"], row["name"]) for row in admin.dicts(f"SHOW GRANTS TO ROLE {role}")}


def test_grant_and_revoke_are_shown_from_both_sides(admin: Client) -> None:
    role = unique("ROLE")
    admin.run(f"CREATE ROLE {role}", f"GRANT USAGE, OPERATE ON WAREHOUSE WORK TO ROLE {role} WITH GRANT OPTION")
    assert held(admin, role) == {("USAGE", "WAREHOUSE", "WORK"), ("OPERATE", "WAREHOUSE", "WORK")}
    rows = [row for row in admin.dicts("SHOW GRANTS ON WAREHOUSE WORK") if row["grantee_name"] == role]
    assert {(row["privilege"], row["grant_option"], row["granted_to"]) for row in rows} == {
        ("USAGE", "true", "ROLE"),
        ("OPERATE", "true", "ROLE"),
    }
    assert any(row["privilege"] == "OWNERSHIP" for row in admin.dicts("SHOW GRANTS ON WAREHOUSE WORK"))
    admin.run(f"REVOKE OPERATE ON WAREHOUSE WORK FROM ROLE {role}", f"REVOKE MODIFY ON WAREHOUSE WORK FROM ROLE {role}")
    assert held(admin, role) == {("USAGE", "WAREHOUSE", "WORK")}


def test_grant_option_lets_others_grant(admin: Client, somebody: Person) -> None:
    other = unique("ROLE")
    admin.run(f"CREATE ROLE {other}", f"GRANT OPERATE ON WAREHOUSE WORK TO ROLE {somebody.role} WITH GRANT OPTION")
    somebody.client.run(f"GRANT OPERATE ON WAREHOUSE WORK TO ROLE {other}")
    assert somebody.client.refused(f"GRANT USAGE ON WAREHOUSE WORK TO ROLE {other}")[0] == 3001
    (row,) = admin.dicts(f"SHOW GRANTS TO ROLE {other}")
    assert row["granted_by"] == somebody.role


def test_role_grants_are_shown_and_inherited(admin: Client, somebody: Person) -> None:
    inner = unique("ROLE")
    admin.run(
        f"CREATE ROLE {inner}",
        f"GRANT ROLE {inner} TO ROLE {somebody.role}",
        f"GRANT ROLE {somebody.role} TO ROLE SYSADMIN",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {inner}",
    )
    assert ("USAGE", "ROLE", inner) in held(admin, somebody.role)
    of_role = admin.dicts(f"SHOW GRANTS OF ROLE {somebody.role}")
    assert {(row["granted_to"], row["grantee_name"]) for row in of_role} == {
        ("USER", somebody.name),
        ("ROLE", "SYSADMIN"),
    }
    assert [row["role"] for row in admin.dicts(f"SHOW GRANTS TO USER {somebody.name}")] == [somebody.role]
    somebody.client.run("USE DATABASE LAB", f"USE ROLE {inner}")
    admin.run(f"REVOKE ROLE {inner} FROM ROLE {somebody.role}")
    assert somebody.client.refused(f"USE ROLE {inner}")[0] == 3013
    assert admin.refused(f"GRANT ROLE {somebody.role} TO ROLE {somebody.role}")[0] == 3028


def test_future_grants_reach_new_objects_only(admin: Client, somebody: Person) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    role = somebody.role
    admin.run(
        f"CREATE TABLE {schema}.OLD (I INT)",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {role}",
        f"GRANT USAGE ON ALL SCHEMAS IN DATABASE LAB TO ROLE {role}",
        f"GRANT SELECT ON FUTURE TABLES IN SCHEMA {schema} TO ROLE {role}",
        f"GRANT SELECT ON FUTURE VIEWS IN SCHEMA {schema} TO ROLE {role}",
        f"CREATE TABLE {schema}.NEW (I INT)",
        f"CREATE VIEW {schema}.V AS SELECT * FROM {schema}.OLD",
    )
    somebody.client.run(f"SELECT * FROM {schema}.NEW", f"SELECT * FROM {schema}.V")
    assert somebody.client.refused(f"SELECT * FROM {schema}.OLD")[0] == 2003
    assert {row["name"] for row in admin.dicts(f"SHOW FUTURE GRANTS IN SCHEMA {schema}")} == {
        f"{schema}.<TABLE>",
        f"{schema}.<VIEW>",
    }
    assert len(admin.dicts(f"SHOW FUTURE GRANTS TO ROLE {role}")) == 2
    admin.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO ROLE {role}")
    somebody.client.run(f"SELECT * FROM {schema}.OLD")
    admin.run(
        f"REVOKE SELECT ON FUTURE TABLES IN SCHEMA {schema} FROM ROLE {role}", f"CREATE TABLE {schema}.NEWER (I INT)"
    )
    assert somebody.client.refused(f"SELECT * FROM {schema}.NEWER")[0] == 2003


def test_future_grants_of_a_schema_replace_those_of_its_database(admin: Client) -> None:
    database, one, two = unique("DB"), unique("ROLE"), unique("ROLE")
    admin.run(
        f"CREATE DATABASE {database}",
        f"CREATE ROLE {one}",
        f"CREATE ROLE {two}",
        f"GRANT USAGE ON FUTURE SCHEMAS IN DATABASE {database} TO ROLE {one}",
        f"GRANT SELECT ON FUTURE TABLES IN DATABASE {database} TO ROLE {one}",
        f"CREATE SCHEMA {database}.A",
        f"CREATE SCHEMA {database}.B",
        f"GRANT SELECT ON FUTURE TABLES IN SCHEMA {database}.B TO ROLE {two}",
        f"CREATE TABLE {database}.A.T (I INT)",
        f"CREATE TABLE {database}.B.T (I INT)",
    )
    assert held(admin, one) == {
        ("USAGE", "SCHEMA", f"{database}.A"),
        ("USAGE", "SCHEMA", f"{database}.B"),
        ("SELECT", "TABLE", f"{database}.A.T"),
    }
    assert held(admin, two) == {("SELECT", "TABLE", f"{database}.B.T")}
    admin.run(f"DROP DATABASE {database}")
    assert held(admin, one) == set()
    assert admin.dicts(f"SHOW FUTURE GRANTS TO ROLE {two}") == []


def test_ownership_moves_with_or_without_grants(admin: Client, somebody: Person) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    admin.run(
        f"CREATE TABLE {schema}.T (I INT)",
        f"GRANT SELECT ON TABLE {schema}.T TO ROLE PUBLIC",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    assert admin.refused(f"GRANT OWNERSHIP ON TABLE {schema}.T TO ROLE {somebody.role}")[0] == 3036
    admin.run(f"GRANT OWNERSHIP ON TABLE {schema}.T TO ROLE {somebody.role} COPY CURRENT GRANTS")
    rows = admin.dicts(f"SHOW GRANTS ON TABLE {schema}.T")
    assert {(row["privilege"], row["grantee_name"]) for row in rows} == {
        ("OWNERSHIP", somebody.role),
        ("SELECT", "PUBLIC"),
    }
    assert admin.refused(f"DROP TABLE {schema}.T")[0] == 3001
    assert admin.refused(f"REVOKE OWNERSHIP ON TABLE {schema}.T FROM ROLE {somebody.role}")[0] == 3937
    somebody.client.run(f"DROP TABLE {schema}.T")


def test_creator_owns_and_replacing_takes_grants_away(admin: Client, somebody: Person) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    admin.run(
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE, CREATE TABLE ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    client = somebody.client
    client.run(f"CREATE TABLE {schema}.MINE (I INT)", f"GRANT SELECT ON TABLE {schema}.MINE TO ROLE PUBLIC")
    assert [row["owner"] for row in admin.dicts(f"SHOW TABLES LIKE 'MINE' IN SCHEMA {schema}")] == [somebody.role]
    client.run(f"CREATE OR REPLACE TABLE {schema}.MINE COPY GRANTS (I INT)")
    assert len(client.rows(f"SHOW GRANTS ON TABLE {schema}.MINE")) == 2
    client.run(f"CREATE OR REPLACE TABLE {schema}.MINE (I INT)")
    assert len(client.rows(f"SHOW GRANTS ON TABLE {schema}.MINE")) == 1
    assert admin.refused(f"CREATE OR REPLACE TABLE {schema}.MINE (I INT)")[0] == 3001


def test_account_privilege_can_be_given(admin: Client, somebody: Person) -> None:
    database = unique("DB")
    admin.run(f"GRANT CREATE DATABASE ON ACCOUNT TO ROLE {somebody.role}")
    somebody.client.run(f"CREATE DATABASE {database}", f"CREATE SCHEMA {database}.S", f"DROP DATABASE {database}")
    assert ("CREATE DATABASE", "ACCOUNT", "HANGERLAB") in held(admin, somebody.role)


def test_manage_warehouses_is_for_all_of_them(admin: Client, somebody: Person) -> None:
    warehouse = unique("WH")
    admin.run(f"CREATE WAREHOUSE {warehouse}")
    change = f"ALTER WAREHOUSE {warehouse} SET COMMENT = 'x'"
    assert somebody.client.refused(change)[0] == 2003
    admin.run(f"GRANT MANAGE WAREHOUSES ON ACCOUNT TO ROLE {somebody.role}")
    somebody.client.run(change, f"ALTER WAREHOUSE {warehouse} SUSPEND")
    assert somebody.client.refused(f"USE WAREHOUSE {warehouse}")[0] == 2043
    assert somebody.client.refused(f"DROP WAREHOUSE {warehouse}")[0] == 3001


def test_future_grants_reach_new_rules_stages_and_tags(admin: Client, somebody: Person) -> None:
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    for plural, privilege in (
        ("NETWORK RULES", "USAGE"),
        ("STAGES", "READ"),
        ("TAGS", "APPLY"),
        ("FILE FORMATS", "USAGE"),
    ):
        admin.run(f"GRANT {privilege} ON FUTURE {plural} IN SCHEMA {schema} TO ROLE {somebody.role}")
    admin.run(
        f"CREATE NETWORK RULE {schema}.R TYPE = IPV4 VALUE_LIST = ('10.0.0.1')",
        f"CREATE STAGE {schema}.S",
        f"CREATE TAG {schema}.T",
        f"CREATE FILE FORMAT {schema}.F TYPE = CSV",
    )
    assert held(admin, somebody.role) >= {
        ("USAGE", "NETWORK_RULE", f"{schema}.R"),
        ("READ", "STAGE", f"{schema}.S"),
        ("APPLY", "TAG", f"{schema}.T"),
        ("USAGE", "FILE_FORMAT", f"{schema}.F"),
    }


def test_system_roles_have_their_duties(admin: Client) -> None:
    name = unique("X")
    for role, statement in (
        ("USERADMIN", f"CREATE ROLE {name}_A"),
        ("SYSADMIN", f"CREATE DATABASE {name}_B"),
        ("SECURITYADMIN", f"GRANT ROLE {name}_A TO ROLE SYSADMIN"),
    ):
        admin.run("USE SECONDARY ROLES NONE", f"USE ROLE {role}", statement)
    admin.run("USE ROLE USERADMIN")
    assert admin.refused(f"CREATE DATABASE {name}_C")[0] == 3001
    admin.run("USE ROLE SYSADMIN")
    assert admin.refused(f"CREATE ROLE {name}_C")[0] == 3001
    admin.run("USE ROLE SECURITYADMIN")
    assert admin.refused(f"GRANT ROLE ACCOUNTADMIN TO ROLE {name}_A")[0] == 3001
    admin.run("USE ROLE ACCOUNTADMIN", "USE SECONDARY ROLES ALL")


def test_show_lists_only_what_may_be_known(admin: Client, somebody: Person) -> None:
    assert [row["name"] for row in somebody.client.dicts("SHOW WAREHOUSES")] == ["WORK"]
    assert somebody.client.dicts("SHOW DATABASES") == []
    assert somebody.client.dicts("SHOW USERS") == []
    admin.run(f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}")
    assert [row["name"] for row in somebody.client.dicts("SHOW DATABASES")] == ["LAB"]
    assert somebody.client.dicts("SHOW SCHEMAS IN DATABASE LAB") == []

"""INFORMATION_SCHEMA and ACCOUNT_USAGE: what they say, and to whom."""

from __future__ import annotations

import datetime

import pytest
from snowflake_support import Client, Person, unique

INFORMATION = [
    "APPLICABLE_ROLES", "COLUMNS", "DATABASES", "ENABLED_ROLES", "FILE_FORMATS", "FUNCTIONS",
    "INFORMATION_SCHEMA_CATALOG_NAME", "OBJECT_PRIVILEGES", "PROCEDURES", "SCHEMATA", "SEQUENCES", "STAGES", "TABLES",
    "TABLE_CONSTRAINTS", "TABLE_PRIVILEGES", "USAGE_PRIVILEGES", "VIEWS",
]  # fmt: skip
USAGE = ["DATABASES", "GRANTS_TO_ROLES", "GRANTS_TO_USERS", "ROLES", "SCHEMATA", "TABLES", "USERS"]


@pytest.mark.parametrize("view", INFORMATION)
def test_information_schema_has(view: str, admin: Client) -> None:
    admin.rows(f"SELECT * FROM LAB.INFORMATION_SCHEMA.{view}")


@pytest.mark.parametrize("view", USAGE)
def test_account_usage_has(view: str, admin: Client, nobody: Person) -> None:
    admin.run("CREATE TABLE T (I INT)")
    assert admin.rows(f"SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.{view}")
    assert nobody.client.refused(f"SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.{view}")[0] == 2003


def test_tables_tell_owner_comment_kind_and_time(admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TRANSIENT TABLE T (I INT)", "COMMENT ON TABLE T IS 'what''s up'", "CREATE VIEW V AS SELECT 1 A")
    query = (
        "SELECT TABLE_NAME, TABLE_OWNER, TABLE_TYPE, IS_TRANSIENT, COMMENT, CREATED "
        f"FROM LAB.INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{schema}' ORDER BY 1"
    )
    table, view = admin.rows(query)
    assert table[:5] == ("T", "ACCOUNTADMIN", "BASE TABLE", "YES", "what's up")
    assert view[:5] == ("V", "ACCOUNTADMIN", "VIEW", None, None)
    assert abs(table[5] - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=5)


def test_only_what_the_role_may_know(admin: Client, somebody: Person) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run(
        "CREATE TABLE SEEN (I INT)",
        "CREATE TABLE HIDDEN (I INT)",
        "CREATE STAGE HIDDEN_STAGE",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE ON SCHEMA LAB.{schema} TO ROLE {somebody.role}",
        f"GRANT SELECT ON TABLE SEEN TO ROLE {somebody.role}",
    )
    where = f"WHERE TABLE_SCHEMA = '{schema}'"
    for view in ("TABLES", "COLUMNS"):
        found = somebody.client.rows(f"SELECT TABLE_NAME FROM LAB.INFORMATION_SCHEMA.{view} {where}")
        assert found == [("SEEN",)]
    privileges = f"SELECT GRANTEE, PRIVILEGE_TYPE FROM LAB.INFORMATION_SCHEMA.TABLE_PRIVILEGES {where} ORDER BY 2"
    assert somebody.client.rows(privileges) == [("ACCOUNTADMIN", "OWNERSHIP"), (somebody.role, "SELECT")]
    assert somebody.client.rows("SELECT * FROM LAB.INFORMATION_SCHEMA.STAGES") == []
    schemata = somebody.client.rows("SELECT SCHEMA_NAME FROM LAB.INFORMATION_SCHEMA.SCHEMATA ORDER BY 1")
    assert schemata == sorted([("INFORMATION_SCHEMA",), (schema,)])


def test_roles_of_the_session(admin: Client, somebody: Person) -> None:
    enabled = somebody.client
    admin.run(f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}")
    assert enabled.rows("SELECT ROLE_NAME FROM LAB.INFORMATION_SCHEMA.ENABLED_ROLES ORDER BY 1") == sorted(
        [("PUBLIC",), (somebody.role,)]
    )
    assert enabled.rows("SELECT GRANTEE, ROLE_NAME, IS_GRANTABLE FROM LAB.INFORMATION_SCHEMA.APPLICABLE_ROLES") == [
        (somebody.name, somebody.role, "NO")
    ]


def test_account_usage_of_grants_and_users(admin: Client, somebody: Person) -> None:
    found = admin.rows(
        "SELECT PRIVILEGE, GRANTED_ON, NAME, GRANT_OPTION FROM SNOWFLAKE.ACCOUNT_USAGE.GRANTS_TO_ROLES "
        f"WHERE GRANTEE_NAME = '{somebody.role}' AND DELETED_ON IS NULL"
    )
    assert found == [("USAGE", "WAREHOUSE", "WORK", False)]
    members = f"SELECT ROLE FROM SNOWFLAKE.ACCOUNT_USAGE.GRANTS_TO_USERS WHERE GRANTEE_NAME = '{somebody.name}'"
    assert admin.rows(members) == [(somebody.role,)]
    users = "SELECT TYPE, HAS_RSA_PUBLIC_KEY, HAS_PASSWORD FROM SNOWFLAKE.ACCOUNT_USAGE.USERS"
    assert admin.rows(f"{users} WHERE NAME = '{somebody.name}'") == [("SERVICE", True, False)]


def test_two_databases_in_one_statement(admin: Client) -> None:
    other = unique("DB")
    admin.run(f"CREATE DATABASE {other}", "USE DATABASE LAB")
    found = admin.rows(
        "SELECT A.CATALOG_NAME, B.CATALOG_NAME FROM LAB.INFORMATION_SCHEMA.INFORMATION_SCHEMA_CATALOG_NAME A, "
        f"{other}.INFORMATION_SCHEMA.INFORMATION_SCHEMA_CATALOG_NAME B"
    )
    assert found == [("LAB", other)]
    admin.run(f"DROP DATABASE {other}")

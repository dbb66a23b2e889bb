"""Views run with the rights that their owner has when they are read."""

from __future__ import annotations

import pytest
from snowflake_support import Client, Person, unique

EXPANSION = 2037


@pytest.fixture
def source(admin: Client, somebody: Person) -> str:
    """Make a table that `somebody` may read, and views of it that PUBLIC may read; return the schema."""
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    role = somebody.role
    admin.run(
        "CREATE TABLE T AS SELECT 42 Q",
        f"GRANT SELECT ON TABLE T TO ROLE {role}",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {role}",
        f"GRANT USAGE, CREATE VIEW ON SCHEMA {schema} TO ROLE {role}",
    )
    somebody.client.run(
        f"USE SCHEMA {schema}",
        "CREATE VIEW V AS WITH C AS (SELECT Q FROM T) SELECT Q FROM C",
        "CREATE VIEW W AS SELECT Q + 1 Q FROM V",
        "GRANT SELECT ON VIEW W TO ROLE PUBLIC",
    )
    return schema


def test_reader_of_a_view_needs_no_right_on_its_source(admin: Client, somebody: Person, source: str) -> None:
    role = unique("ROLE")
    admin.run(f"CREATE ROLE {role}", f"GRANT ROLE {role} TO USER {somebody.name}", "USE SECONDARY ROLES NONE")
    admin.run(f"GRANT USAGE ON DATABASE LAB TO ROLE {role}", f"GRANT USAGE ON SCHEMA {source} TO ROLE {role}")
    admin.run(f"GRANT USAGE ON WAREHOUSE WORK TO ROLE {role}")
    client = somebody.client
    client.run(f"USE ROLE {role}", "USE SECONDARY ROLES NONE")
    assert client.rows("SELECT * FROM W") == [(43,)]
    assert client.refused("SELECT * FROM V")[0] == 2003
    assert client.refused("SELECT * FROM T")[0] == 2003


def test_view_ends_with_its_owners_rights(admin: Client, somebody: Person, source: str) -> None:
    assert somebody.client.rows("SELECT * FROM W") == [(43,)]
    admin.run(f"REVOKE SELECT ON TABLE T FROM ROLE {somebody.role}")
    for reader in (somebody.client, admin):
        number, message = reader.refused("SELECT * FROM W")
        assert number == EXPANSION and "'W'" in message
    assert somebody.client.refused("CREATE TABLE X AS SELECT * FROM V")[0]
    admin.run(f"GRANT SELECT ON TABLE T TO ROLE {somebody.role}")
    assert somebody.client.rows("SELECT * FROM V") == [(42,)]


def test_view_does_not_follow_a_table_that_was_made_anew(admin: Client, somebody: Person, source: str) -> None:
    admin.run("CREATE OR REPLACE TABLE T AS SELECT 7 Q")
    assert somebody.client.refused("SELECT * FROM V")[0] == EXPANSION
    admin.run("DROP TABLE T")
    assert admin.refused("SELECT * FROM W")[0] == EXPANSION


def test_new_owner_of_a_view_must_have_the_rights_too(admin: Client, somebody: Person, source: str) -> None:
    role = unique("ROLE")
    admin.run(f"CREATE ROLE {role}", f"GRANT OWNERSHIP ON VIEW V TO ROLE {role} REVOKE CURRENT GRANTS")
    admin.run(f"GRANT SELECT ON VIEW V TO ROLE {somebody.role}")
    assert somebody.client.refused("SELECT * FROM W")[0] == EXPANSION


def test_views_that_read_each_other_are_refused(admin: Client) -> None:
    admin.run("CREATE VIEW A AS SELECT 1 Q", "CREATE VIEW B AS SELECT * FROM A")
    admin.run("CREATE OR REPLACE VIEW A AS SELECT * FROM B")
    assert admin.refused("SELECT * FROM A")[0] == EXPANSION


@pytest.mark.parametrize(
    "query",
    [
        "SELECT CURRENT_ROLE() R",
        "SELECT 1 Q WHERE CURRENT_USER() = 'X'",
        "SELECT IS_ROLE_IN_SESSION('SYSADMIN') R",
        "SELECT CURRENT_AVAILABLE_ROLES() R",
        "SELECT TABLE_NAME FROM LAB.INFORMATION_SCHEMA.TABLES",
    ],
)
def test_view_does_not_freeze_what_its_creator_was(admin: Client, query: str) -> None:
    number, message = admin.refused(f"CREATE VIEW V AS {query}")
    assert number == 2 and "in a view" in message
    admin.run(f"CREATE TABLE FROZEN AS {query}")

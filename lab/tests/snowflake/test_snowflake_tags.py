"""Tags: their life, putting them on objects, and reading them."""

from __future__ import annotations

import pytest
from snowflake_support import Client, Person, unique


@pytest.fixture
def schema(admin: Client) -> str:
    return f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"


def read(client: Client, tag: str, name: str, kind: str) -> str | None:
    return client.value(f"SELECT SYSTEM$GET_TAG('{tag}', '{name}', '{kind}')")


def test_life(admin: Client, schema: str) -> None:
    admin.run(
        f"CREATE TAG {schema}.COST ALLOWED_VALUES 'a', 'b' COMMENT = 'who pays'",
        f"CREATE TAG IF NOT EXISTS {schema}.FREE",
        f"ALTER TAG {schema}.COST ADD ALLOWED_VALUES 'c'",
        f"ALTER TAG {schema}.COST DROP ALLOWED_VALUES 'a'",
    )
    shown = {row["name"]: row for row in admin.dicts(f"SHOW TAGS IN SCHEMA {schema}")}
    assert list(shown["COST"]) == [
        "created_on", "name", "database_name", "schema_name", "owner", "comment", "allowed_values", "owner_role_type",
        "propagate", "on_conflict",
    ]  # fmt: skip
    assert (shown["COST"]["allowed_values"], shown["FREE"]["allowed_values"]) == ('["b", "c"]', None)
    admin.run(
        f"ALTER TAG {schema}.COST UNSET ALLOWED_VALUES",
        f"ALTER TAG {schema}.COST SET COMMENT = ''",
        f"ALTER TAG {schema}.COST RENAME TO {schema}.PAYER",
        f"DROP TAG {schema}.PAYER",
    )
    assert [row["name"] for row in admin.dicts(f"SHOW TAGS IN SCHEMA {schema}")] == ["FREE"]
    assert admin.refused(f"CREATE TAG {schema}.X COLOUR = 'red'")[0] == 1420


def test_objects_carry_tags(admin: Client, schema: str) -> None:
    role, user, warehouse, tag = unique("ROLE"), unique("USER"), unique("WH"), f"{schema}.COST"
    admin.run(
        f"CREATE TAG {tag} ALLOWED_VALUES 'a', 'b'",
        f"CREATE TAG {schema}.OTHER",
        f"CREATE ROLE {role}",
        f"CREATE USER {user}",
        f"CREATE WAREHOUSE {warehouse}",
        f"CREATE TABLE {schema}.T (I INT)",
        f"CREATE VIEW {schema}.V AS SELECT 1 AS I",
    )
    for kind, name in (("ROLE", role), ("USER", user), ("WAREHOUSE", warehouse), ("SCHEMA", schema), ("VIEW", "V")):
        assert read(admin, tag, name, kind) is None
        admin.run(f"ALTER {kind} {name} SET TAG {tag} = 'a', {schema}.OTHER = 'it''s'")
        assert (read(admin, tag, name, kind), read(admin, f"{schema}.OTHER", name, kind)) == ("a", "it's")
        assert admin.refused(f"ALTER {kind} {name} SET TAG {tag} = 'z'")[0] == 1008
        admin.run(f"ALTER {kind} {name} UNSET TAG {tag}, {schema}.OTHER")
        assert read(admin, tag, name, kind) is None
    admin.run(f"ALTER SCHEMA {schema} SET TAG {tag} = 'a'")
    assert read(admin, tag, f"{schema}.T", "table") == "a"
    admin.run(f"ALTER TABLE {schema}.T SET TAG {tag} = 'b'", f"ALTER TABLE IF EXISTS {schema}.NO SET TAG {tag} = 'b'")
    assert read(admin, tag, f"{schema}.T", "table") == "b"
    quoted = ".".join(f'"{part}"' for part in tag.split("."))
    row = admin.rows(
        f"SELECT SYSTEM$GET_TAG('{quoted}', '\"{role}\"', 'role') AS A, SYSTEM$GET_TAG('{tag}', 'T', 'table')"
    )
    assert row == [(None, "b")]
    admin.run(f"ALTER TAG {tag} RENAME TO {schema}.PAYER")
    assert read(admin, f"{schema}.PAYER", "T", "table") == "b"
    admin.run(f"DROP TAG {schema}.PAYER", f"CREATE TAG {schema}.PAYER")
    assert read(admin, f"{schema}.PAYER", "T", "table") is None


def test_account_carries_tags_and_gives_them(admin: Client, schema: str) -> None:
    admin.run(f"CREATE TAG {schema}.ENV", f"ALTER ACCOUNT SET TAG {schema}.ENV = 'lab'")
    assert read(admin, f"{schema}.ENV", "WORK", "warehouse") == "lab"
    assert read(admin, f"{schema}.ENV", "HANGERLAB", "account") == "lab"
    admin.run(f"ALTER ACCOUNT UNSET TAG {schema}.ENV")
    assert read(admin, f"{schema}.ENV", "WORK", "warehouse") is None


def test_dropping_what_holds_a_tag_takes_it_off(admin: Client) -> None:
    database, role = unique("DB"), unique("ROLE")
    make = (f"CREATE DATABASE {database}", f"CREATE TAG {database}.PUBLIC.T", "USE DATABASE LAB")
    admin.run(f"CREATE ROLE {role}", *make, f"ALTER ROLE {role} SET TAG {database}.PUBLIC.T = 'x'")
    admin.run(f"DROP DATABASE {database}", *make)
    assert read(admin, f"{database}.PUBLIC.T", role, "role") is None
    admin.run(f"DROP DATABASE {database}")


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("SELECT SYSTEM$GET_TAG('NOSUCH', 'WORK', 'warehouse')", 2003),
        ("SELECT SYSTEM$GET_TAG('LAB.PUBLIC.KNOWN', 'NOSUCH', 'warehouse')", 2003),
        ("SELECT SYSTEM$GET_TAG('LAB.PUBLIC.KNOWN', 'WORK', 'planet')", 2),
        ("SELECT SYSTEM$GET_TAG('LAB.PUBLIC.KNOWN', 'WORK')", 2),
        ("SELECT SYSTEM$GET_TAG(NAME, 'WORK', 'warehouse') FROM (SELECT 'X' AS NAME)", 2),
        ("ALTER WAREHOUSE WORK SET TAG NOSUCH = 'x'", 2003),
        ("ALTER WAREHOUSE WORK SET TAG LAB.PUBLIC.KNOWN", 1003),
        ("ALTER TABLE TAGGED MODIFY COLUMN I SET TAG LAB.PUBLIC.KNOWN = 'x'", 2),
        ("ALTER TABLE NOSUCH SET TAG LAB.PUBLIC.KNOWN = 'x'", 2003),
    ],
)
def test_what_makes_no_sense_is_refused(admin: Client, statement: str, number: int) -> None:
    admin.run("CREATE TAG IF NOT EXISTS LAB.PUBLIC.KNOWN", "CREATE TABLE TAGGED (I INT)")
    assert admin.refused(statement)[0] == number


def test_tagging_takes_apply_and_ownership(admin: Client, somebody: Person, schema: str) -> None:
    client, tag, warehouse = somebody.client, f"{schema}.COST", unique("WH")
    put = f"ALTER WAREHOUSE {warehouse} SET TAG {tag} = 'x'"
    admin.run(
        f"CREATE TAG {tag}",
        f"CREATE WAREHOUSE {warehouse}",
        f"GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {somebody.role}",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    assert client.refused(f"CREATE TAG {schema}.MINE")[0] == 3001
    assert client.refused(put)[0] == 2003
    assert client.refused(f"SELECT SYSTEM$GET_TAG('{tag}', '{warehouse}', 'warehouse')")[0] == 2003
    admin.run(f"GRANT APPLY ON TAG {tag} TO ROLE {somebody.role}")
    assert client.refused(put)[0] == 3001
    admin.run(f"GRANT OWNERSHIP ON WAREHOUSE {warehouse} TO ROLE {somebody.role} COPY CURRENT GRANTS")
    client.run(put)
    assert client.refused(f"ALTER ACCOUNT SET TAG {tag} = 'x'")[0] == 3001
    admin.run("USE ROLE ACCOUNTADMIN", f"GRANT APPLY TAG ON ACCOUNT TO ROLE {somebody.role}")
    client.run(f"ALTER ACCOUNT SET TAG {tag} = 'x'", f"ALTER ACCOUNT UNSET TAG {tag}")

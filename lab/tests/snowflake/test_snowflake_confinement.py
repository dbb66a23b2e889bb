"""Names of objects never lead to files of others, and statements never to data of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hanger_lab.snowflake.data import folders, stages
from snowflake_support import Client, Inside, Person


@pytest.mark.parametrize("name", ["..", ".", "a/../..", "%2E%2E", "x.y"])
def test_dropping_removes_nothing_but_the_object(inside: Inside, tmp_path: Path, name: str) -> None:
    inside.run("CREATE DATABASE KEPT", f'CREATE DATABASE "{name}"', f'CREATE SCHEMA "{name}"."{name}"')
    inside.run(f'CREATE STAGE "{name}"."{name}"."{name}"')
    kept = stages.directory(inside.account.engine, ("KEPT", "PUBLIC", "ST")) / "file"
    stages.store(kept, b"1")
    inside.run(f'DROP STAGE "{name}"."{name}"."{name}"', f'DROP SCHEMA "{name}"."{name}"', f'DROP DATABASE "{name}"')
    assert kept.read_bytes() == b"1"
    assert (tmp_path / "account" / "catalog.sqlite").is_file()
    assert [path.name for path in (tmp_path / "account" / "databases").glob("*.duckdb")] == ["KEPT.duckdb"]


def test_nothing_outside_a_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    for path in (tmp_path / "root", tmp_path / "root" / "..", tmp_path, tmp_path / "root" / "x" / ".."):
        with pytest.raises(ValueError, match="not inside"):
            folders.remove(tmp_path / "root", path)
    assert (tmp_path / "root").is_dir()


def test_signature_of_an_encoded_path_is_not_that_of_another(inside: Inside) -> None:
    signed = stages.sign("LAB/PUBLIC/named/%2E%2E/file")
    expires, signature = (part.split("=")[1] for part in signed.partition("?")[2].split("&"))
    assert stages.accept_upload(inside.account.engine, "LAB/PUBLIC/named/%2E%2E/file", expires, signature)
    assert not stages.accept_upload(inside.account.engine, "LAB/PUBLIC/named/../file", expires, signature)


def test_stage_that_is_named_like_a_table_stage_is_another(admin: Client, tmp_path: Path) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("1\n")
    admin.run("CREATE TABLE T (I INT)", f"PUT file://{path} @%T", 'CREATE STAGE "%T"', 'CREATE STAGE "tables"')
    assert admin.rows('LIST @"%T"') == []
    assert admin.rows('LIST @"tables"') == []
    admin.run(f"PUT file://{path} '@\"%T\"'", 'DROP STAGE "%T"')
    assert len(admin.rows("LIST @%T")) == 1


@pytest.fixture
def secret(admin: Client, somebody: Person) -> str:
    """Make a table that `somebody` may not read, in a schema where that user may create; return the schema."""
    schema = f"LAB.{admin.value('SELECT CURRENT_SCHEMA()')}"
    admin.run(
        "CREATE TABLE SECRET (Q INT)",
        "INSERT INTO SECRET VALUES (42)",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE, CREATE TABLE, CREATE VIEW ON SCHEMA {schema} TO ROLE {somebody.role}",
    )
    somebody.client.run(f"USE SCHEMA {schema}")
    return schema


@pytest.mark.parametrize(
    "query",
    [
        "WITH A AS (SELECT * FROM SECRET), SECRET AS (SELECT 1 Q) SELECT * FROM A",
        "WITH SECRET AS (SELECT * FROM SECRET) SELECT * FROM SECRET",
        "WITH RECURSIVE SECRET AS (SELECT * FROM SECRET) SELECT * FROM SECRET",
        "WITH RECURSIVE SECRET AS (SELECT Q FROM SECRET UNION ALL SELECT Q + 1 FROM SECRET WHERE Q < 9) "
        "SELECT * FROM SECRET",
        "WITH RECURSIVE SECRET AS (WITH B AS (SELECT * FROM SECRET) SELECT 1 Q UNION ALL SELECT Q FROM B) "
        "SELECT * FROM SECRET",
        "WITH RECURSIVE SECRET AS (SELECT 1 Q EXCEPT SELECT Q FROM SECRET) SELECT * FROM SECRET",
        "WITH RECURSIVE A AS (SELECT 1 Q UNION ALL SELECT Q FROM SECRET), SECRET AS (SELECT 1 Q) SELECT * FROM A",
        "SELECT * FROM (WITH SECRET AS (SELECT 1 Q) SELECT * FROM SECRET) S, SECRET",
        "WITH A AS (WITH SECRET AS (SELECT 1 Q) SELECT * FROM SECRET) SELECT * FROM SECRET, A",
    ],
)
def test_common_table_expression_hides_a_table_only_where_it_is_in_scope(
    somebody: Person, secret: str, query: str
) -> None:
    assert somebody.client.refused(query)[0] == 2003
    somebody.client.run("CREATE TABLE MINE (Q INT)")
    assert somebody.client.refused(f"INSERT INTO MINE {query}")[0] == 2003
    assert somebody.client.refused(f"CREATE VIEW V AS {query}")[0] == 2003


def test_common_table_expressions_keep_their_meaning(somebody: Person, secret: str) -> None:
    client = somebody.client
    assert client.rows("WITH SECRET AS (SELECT 1 Q), A AS (SELECT * FROM SECRET) SELECT A.Q FROM A, SECRET") == [(1,)]
    recursive = "WITH RECURSIVE SECRET AS (SELECT 1 Q UNION ALL SELECT Q + 1 FROM SECRET WHERE Q < 3) SELECT {} FROM {}"
    assert client.value(recursive.format("SUM(Q)", "SECRET")) == 6
    nested = "WITH RECURSIVE SECRET AS (SELECT 1 Q UNION ALL SELECT Q + 1 FROM (SELECT * FROM SECRET) X WHERE Q < 3)"
    assert client.value(f"{nested} SELECT SUM(Q) FROM SECRET") == 6
    client.run("CREATE TABLE MINE (Q INT)", f"INSERT INTO MINE {recursive.format('Q', 'SECRET')}")
    assert client.rows("WITH A AS (SELECT 7 Q) SELECT * FROM (WITH B AS (SELECT * FROM A) SELECT * FROM B) C") == [(7,)]
    assert client.rows("SELECT MINE.Q, mine.q FROM MINE WHERE Q = 3 AND EXISTS (SELECT 1 FROM MINE M)") == [(3, 3)]
    client.run("UPDATE MINE SET Q = Q + 1 WHERE MINE.Q = 3", "DELETE FROM MINE USING MINE M WHERE MINE.Q = M.Q")
    assert client.value("SELECT COUNT(*) FROM MINE") == 0


def test_schema_named_like_its_database_is_not_confused_with_it(admin: Client) -> None:
    admin.run("CREATE DATABASE TWIN", "CREATE SCHEMA TWIN.TWIN", "CREATE TABLE TWIN.TWIN.T AS SELECT 'inner' W")
    admin.run("CREATE TABLE TWIN.PUBLIC.T AS SELECT 'public' W", "USE SCHEMA TWIN.PUBLIC")
    assert admin.rows("SELECT A.W, B.W FROM TWIN.T A, T B") == [("inner", "public")]
    admin.run("INSERT INTO TWIN.T VALUES ('more')", "DELETE FROM TWIN.T WHERE W = 'inner'")
    assert admin.rows("SELECT W FROM TWIN.T") == [("more",)]
    admin.run("DROP DATABASE TWIN")


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TABLE "secret" (I INT)',
        'CREATE TABLE IF NOT EXISTS "secret" (I INT)',
        'CREATE TEMPORARY TABLE "secret" (I INT)',
        'CREATE TEMPORARY TABLE IF NOT EXISTS "secret" (I INT)',
        'CREATE OR REPLACE TABLE "secret" (I INT)',
        'CREATE OR REPLACE TEMPORARY TABLE "secret" AS SELECT 1 I',
        'CREATE TABLE "secret" CLONE MINE',
        'CREATE TABLE "secret" LIKE MINE',
        'CREATE VIEW "Secret" AS SELECT 1 I',
        'CREATE VIEW IF NOT EXISTS "secret" AS SELECT 1 I',
        'CREATE OR REPLACE VIEW "secret" AS SELECT 1 I',
        'ALTER TABLE MINE RENAME TO "secret"',
    ],
)
def test_names_that_differ_only_by_case_are_refused(
    admin: Client, somebody: Person, secret: str, statement: str
) -> None:
    somebody.client.run("CREATE TABLE MINE (I INT)")
    number, message = somebody.client.refused(statement)
    assert number == 2 and "differs only by case" in message
    for reading in ('SELECT * FROM "secret"', 'DELETE FROM "secret"', 'DROP TABLE "secret"', 'DROP VIEW "Secret"'):
        assert somebody.client.refused(reading)[0] == 2003
    assert admin.rows("SELECT * FROM SECRET") == [(42,)]


def test_rename_takes_an_unqualified_name_in_the_current_schema(admin: Client, secret: str) -> None:
    admin.run("CREATE SCHEMA LAB.ELSEWHERE", f"CREATE TABLE {secret}.T (I INT)")
    number, message = admin.refused(f"ALTER TABLE {secret}.T RENAME TO U")
    assert number == 2 and "another schema" in message
    admin.run(f"ALTER TABLE {secret}.T RENAME TO {secret}.U", f"USE SCHEMA {secret}", "ALTER TABLE U RENAME TO V")
    assert admin.rows("SELECT * FROM V") == []
    admin.run("DROP SCHEMA LAB.ELSEWHERE")


INJECTION = "x', 1, 1); DROP TABLE SECRET; --"


@pytest.mark.parametrize(
    "statement",
    [
        f'CREATE TABLE "{INJECTION}" (I VARCHAR(5))',
        f'CREATE TABLE MINE ("{INJECTION}" VARCHAR(5))',
        f'CREATE TABLE MINE AS SELECT 1::VARCHAR(5) AS "{INJECTION}"',
        f'CREATE VIEW "{INJECTION}" AS SELECT 1 I',
        f'CREATE SEQUENCE "{INJECTION}"',
        f'CREATE STAGE "{INJECTION}"',
        f'CREATE FILE FORMAT "{INJECTION}" TYPE = CSV',
        "CREATE STAGE X URL = 's3://x''); DROP TABLE SECRET; --'",
    ],
)
def test_quotes_in_names_are_part_of_the_names(admin: Client, secret: str, statement: str) -> None:
    admin.run(f"USE SCHEMA {secret}", statement)
    assert admin.rows("SELECT * FROM SECRET") == [(42,)]


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TEMPORARY STAGE "x\'y"',
        "CREATE TEMPORARY STAGE X URL = 's3://x''y'",
        'CREATE TEMPORARY FILE FORMAT "x\'y" TYPE = CSV',
        "CREATE TEMPORARY FILE FORMAT X TYPE = 'CSV''y'",
    ],
)
def test_quotes_that_would_end_a_text_are_refused(admin: Client, secret: str, statement: str) -> None:
    admin.run(f"USE SCHEMA {secret}")
    assert admin.refused(statement)[0] in (2, 1003)


def test_quotes_in_stages_and_file_formats_are_part_of_them(admin: Client, secret: str) -> None:
    admin.run(f"USE SCHEMA {secret}", 'CREATE STAGE "x\'y"', "CREATE STAGE X URL = 's3://x''y'", "LIST '@\"x''y\"'")
    admin.run('CREATE FILE FORMAT "x\'y" TYPE = CSV')
    assert admin.refused("CREATE FILE FORMAT X TYPE = 'CSV''y'")[0] == 1008
    assert admin.rows("SELECT * FROM SECRET") == [(42,)]


def test_database_is_not_taken_for_another_name(admin: Client, secret: str) -> None:
    name = f"{secret}.SECRET; --"
    admin.run(f'CREATE DATABASE "{name}"')
    admin.run(f'CREATE TABLE "{name}".PUBLIC.T (I INT)', f'CREATE VIEW "{name}".PUBLIC.V AS SELECT 1 AS A')
    assert admin.rows(f'SELECT * FROM "{name}".PUBLIC.T') == []
    admin.run(f'DROP DATABASE "{name}"', f"USE SCHEMA {secret}")
    assert admin.rows("SELECT * FROM SECRET") == [(42,)]


@pytest.mark.parametrize("name", ["named", "named/KEPT", "tables", "tables/SECRET"])
def test_replacing_a_stage_empties_that_stage_only(admin: Client, secret: str, tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("1\n")
    admin.run(f"USE SCHEMA {secret}", "CREATE STAGE KEPT", f"PUT file://{path} @KEPT", f"PUT file://{path} @%SECRET")
    admin.run(f'CREATE STAGE "{name}"', f"PUT file://{path} '@\"{name}\"'", f'CREATE OR REPLACE STAGE "{name}"')
    assert [len(admin.rows(f"LIST {stage}")) for stage in ("@KEPT", "@%SECRET", f"'@\"{name}\"'")] == [1, 1, 0]

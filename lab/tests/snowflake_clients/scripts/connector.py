"""Works with the emulated account through the connector of this environment; a failed assertion ends it.

Arguments: port, private key file, name of a database to make.
"""

from __future__ import annotations

import datetime
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pandas
import snowflake.connector
from snowflake.connector.pandas_tools import write_pandas

PORT, KEY_FILE, DATABASE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
UTC = datetime.UTC
connection = snowflake.connector.connect(
    account="HANGERLAB",
    user="HANGER_PROVISIONER",
    host="127.0.0.1",
    port=PORT,
    protocol="http",
    authenticator="SNOWFLAKE_JWT",
    private_key_file=KEY_FILE,
    warehouse="WORK",
    login_timeout=15,
    network_timeout=20,
)


def rows(statement: str, parameters: object = None) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [tuple(row) for row in cursor.fetchall()]


def refused(statement: str) -> int:
    try:
        rows(statement)
    except snowflake.connector.errors.ProgrammingError as problem:
        return problem.errno
    raise AssertionError(f"{statement} was not refused")


def types() -> None:
    rows(
        "CREATE TABLE T (I INT, N NUMBER(10,2), F FLOAT, S VARCHAR, B BOOLEAN, D DATE, TM TIME, NTZ TIMESTAMP_NTZ, "
        "TZ TIMESTAMP_TZ, V VARIANT, BI BINARY)"
    )
    rows(
        "INSERT INTO T SELECT 1, 1.50, 2.5, 'ä', TRUE, '2024-02-29', '12:34:56.789', '1969-12-31 23:59:59.123456', "
        "'2024-02-29 12:00:00+02:00', PARSE_JSON('{\"a\":1}'), TO_BINARY('DEAD', 'HEX')"
    )
    rows("INSERT INTO T (I) VALUES (2)")
    first, second = rows("SELECT * FROM T ORDER BY I")
    assert first[:9] == (
        1,
        Decimal("1.50"),
        2.5,
        "ä",
        True,
        datetime.date(2024, 2, 29),
        datetime.time(12, 34, 56, 789000),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 123456),
        datetime.datetime(2024, 2, 29, 10, tzinfo=UTC),
    ), first
    assert bytes(first[10]) == bytes.fromhex("DEAD"), first
    assert second == (2, *[None] * 10), second
    with connection.cursor() as cursor:
        assert [column.name for column in cursor.describe("SELECT I, S FROM T")] == ["I", "S"]
        cursor.execute("SELECT I FROM T WHERE S = %(name)s", {"name": "ä"})
        assert cursor.fetchall() == [(1,)]


def changes() -> None:
    rows("CREATE TABLE C (I INT, S VARCHAR)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO C VALUES (%s, %s)", [(i, f"o'{i}") for i in range(5)])
        assert cursor.rowcount == 5
        cursor.execute("UPDATE C SET S = 'x' WHERE I < 2")
        assert cursor.rowcount == 2
    rows("BEGIN")
    rows("DELETE FROM C")
    rows("ROLLBACK")
    assert rows("SELECT COUNT(*) FROM C") == [(5,)]
    assert refused("SELECT * FROM NOSUCH") == 2003
    assert refused("SELECT 1 +") == 1003


def files() -> None:
    rows("CREATE STAGE ST")
    rows("CREATE TABLE L (I INT, S VARCHAR)")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "rows.csv")
        path.write_text("7,x\n8,y\n")
        rows(f"PUT 'file://{path}' @ST")
        rows(f"PUT 'file://{path}' @%L")
    assert [row[0] for row in rows("LIST @ST")] == ["st/rows.csv.gz"]
    assert rows("COPY INTO L FROM @ST")[0][1] == "LOADED"
    assert rows("COPY INTO L")[0][1] == "LOADED"
    assert rows("SELECT * FROM L ORDER BY I") == [(7, "x"), (7, "x"), (8, "y"), (8, "y")]
    rows("REMOVE @ST")
    assert rows("LIST @ST") == []


def frames() -> None:
    frame = pandas.DataFrame({"I": [1, 2], "S": ["a", None], "F": [1.5, None]})
    assert write_pandas(connection, frame, "FRAME", auto_create_table=True)[0]
    assert rows("SELECT * FROM FRAME ORDER BY I") == [(1, "a", 1.5), (2, None, None)]
    assert write_pandas(connection, frame, "FRAME", chunk_size=1)[1:3] == (2, 2)
    assert write_pandas(connection, frame, "odd name", auto_create_table=True, overwrite=True)[0]
    assert write_pandas(connection, frame, "odd name", auto_create_table=True, overwrite=True)[0]
    assert rows('SELECT COUNT(*) FROM "odd name"') == [(2,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT I FROM FRAME ORDER BY I")
        assert list(cursor.fetch_pandas_all()["I"]) == [1, 1, 2, 2]


def later() -> None:
    with connection.cursor() as cursor:
        cursor.execute_async("SELECT 41 + 1 AS A")
        cursor.get_results_from_sfqid(cursor.sfqid)
        assert cursor.fetchall() == [(42,)]
        cursor.execute("SELECT 1; SELECT 'two'", num_statements=2)
        assert cursor.fetchall() == [(1,)]
        assert cursor.nextset()
        assert cursor.fetchall() == [("two",)]
    rows("SHOW TABLES LIKE 'T'")
    assert rows('SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("T",)]


rows(f"CREATE DATABASE {DATABASE}")
for part in (types, changes, files, frames, later):
    part()
    sys.stdout.write(f"{part.__name__} worked\n")
rows(f"DROP DATABASE {DATABASE}")
connection.close()
sys.stdout.write(f"connector {snowflake.connector.__version__}\n")

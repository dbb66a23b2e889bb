"""The data plane: what fakesnow leaves out and our clients need."""

from __future__ import annotations

import datetime
import threading
import time
from decimal import Decimal
from typing import Any

import fakesnow.cursor
import pytest
import snowflake.connector
from snowflake.connector.cursor import DictCursor
from snowflake_support import Client, Service, unique


def test_null_timestamps_stay_null(admin: Client) -> None:
    moment = datetime.datetime(1969, 12, 31, 23, 59, 59, 500000)
    admin.run(
        "CREATE TABLE T (I INT, N TIMESTAMP_NTZ, Z TIMESTAMP_TZ, D DATE)",
        "INSERT INTO T VALUES (1, NULL, NULL, NULL)",
        "INSERT INTO T VALUES (2, '1969-12-31 23:59:59.5', '2024-02-29 12:00:00+02:00', '2024-02-29')",
    )
    assert admin.rows("SELECT N, Z, D FROM T ORDER BY I") == [
        (None, None, None),
        (moment, datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.UTC), datetime.date(2024, 2, 29)),
    ]


def test_merge_as_dbt_writes_it(admin: Client) -> None:
    admin.run("CREATE TABLE T (ID INT, NAME VARCHAR)", "INSERT INTO T VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    merge = (
        "MERGE INTO T AS DBT_INTERNAL_DEST USING (SELECT 2 AS ID, 'B' AS NAME UNION ALL SELECT 3, NULL UNION ALL "
        "SELECT 4, 'd') AS DBT_INTERNAL_SOURCE ON DBT_INTERNAL_SOURCE.ID = DBT_INTERNAL_DEST.ID "
        "WHEN MATCHED AND DBT_INTERNAL_SOURCE.NAME IS NULL THEN DELETE "
        'WHEN MATCHED THEN UPDATE SET "ID" = DBT_INTERNAL_SOURCE."ID", "NAME" = DBT_INTERNAL_SOURCE."NAME" '
        'WHEN NOT MATCHED THEN INSERT ("ID", "NAME") VALUES ("ID", "NAME")'
    )
    assert admin.dicts(merge) == [
        {"number of rows inserted": 1, "number of rows updated": 1, "number of rows deleted": 1}
    ]
    assert admin.rows("SELECT * FROM T ORDER BY ID") == [(1, "a"), (2, "B"), (4, "d")]
    admin.run("BEGIN", merge, "INSERT INTO T VALUES (9, 'z')", "ROLLBACK")
    assert admin.value("SELECT COUNT(*) FROM T") == 3


def test_merge_that_matches_a_row_twice_is_refused(admin: Client) -> None:
    admin.run("CREATE TABLE T (ID INT, N INT)", "INSERT INTO T VALUES (1, 0)")
    merge = (
        "MERGE INTO T USING (SELECT 1 AS ID, 1 AS N UNION ALL SELECT 1, 2) S ON T.ID = S.ID "
        "WHEN MATCHED THEN UPDATE SET N = S.N"
    )
    assert admin.refused(merge)[0] == 100090
    assert admin.rows("SELECT * FROM T") == [(1, 0)]


def test_rollback_and_commit(admin: Client, service: Service) -> None:
    admin.run("CREATE TABLE T (I INT)", "BEGIN", "INSERT INTO T VALUES (1)")
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    other = Client(service.connect(warehouse="WORK"))
    assert other.value(f"SELECT COUNT(*) FROM LAB.{schema}.T") == 0
    admin.run("COMMIT")
    assert other.value(f"SELECT COUNT(*) FROM LAB.{schema}.T") == 1
    admin.run("START TRANSACTION", "DELETE FROM T", "ROLLBACK", "ROLLBACK", "COMMIT")
    assert admin.value("SELECT COUNT(*) FROM T") == 1
    other.connection.close()


def test_definitions_commit_what_is_open(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)", "BEGIN", "INSERT INTO T VALUES (1)", "CREATE TABLE U (I INT)", "ROLLBACK")
    assert admin.value("SELECT COUNT(*) FROM T") == 1


def test_failed_statement_ends_the_transaction_and_says_so(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)", "BEGIN", "INSERT INTO T VALUES (1)")
    assert admin.refused("SELECT CAST(I || 'x' AS INT) FROM T")
    assert admin.refused("INSERT INTO T VALUES (2)")[0] == 90232
    assert admin.refused("COMMIT")[0] == 90232
    admin.run("ROLLBACK", "INSERT INTO T VALUES (3)")
    assert admin.rows("SELECT * FROM T") == [(3,)]


def test_refused_statement_does_not_end_the_transaction(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)", "BEGIN", "INSERT INTO T VALUES (1)")
    assert admin.refused("SELECT * FROM NOSUCH")[0] == 2003
    admin.run("COMMIT")
    assert admin.value("SELECT COUNT(*) FROM T") == 1


def test_autocommit_off(service: Service, admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE T (I INT)")
    connection = service.connect(warehouse="WORK", database="LAB", schema=schema, autocommit=False)
    client = Client(connection)
    client.run("INSERT INTO T VALUES (1)")
    connection.rollback()
    client.run("INSERT INTO T VALUES (2)")
    connection.commit()
    assert admin.rows("SELECT * FROM T") == [(2,)]
    connection.close()


def test_swap_exchanges_data_grants_and_owners(admin: Client) -> None:
    admin.run(
        "CREATE TABLE A AS SELECT 'a' AS WHO",
        "CREATE TABLE B AS SELECT 'b' AS WHO",
        "GRANT SELECT ON TABLE A TO ROLE PUBLIC",
        "ALTER TABLE A SWAP WITH B",
    )
    assert admin.rows("SELECT A.WHO, B.WHO FROM A, B") == [("b", "a")]
    assert len(admin.rows("SHOW GRANTS ON TABLE A")) == 1
    assert len(admin.rows("SHOW GRANTS ON TABLE B")) == 2


def test_swaps_at_the_same_time_do_not_disturb_each_other(admin: Client, service: Service) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    pairs = [(f"A{number}", f"B{number}") for number in range(3)]
    for pair in pairs:
        admin.run(*(f"CREATE TABLE {name} AS SELECT '{name}' AS WHO" for name in pair))
    problems: list[Exception] = []

    def swap(one: str, other: str) -> None:
        client = Client(service.connect(warehouse="WORK", database="LAB", schema=schema))
        try:
            client.run(*[f"ALTER TABLE {one} SWAP WITH {other}"] * 7)
        except snowflake.connector.errors.Error as problem:
            problems.append(problem)
        client.connection.close()

    threads = [threading.Thread(target=swap, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert [admin.value(f"SELECT WHO FROM {one}") for one, _ in pairs] == [other for _, other in pairs]


def test_truncate_if_exists(admin: Client) -> None:
    admin.run("CREATE TABLE T AS SELECT 1 I", "TRUNCATE TABLE IF EXISTS T", "TRUNCATE TABLE IF EXISTS NOSUCH")
    assert admin.rows("SELECT * FROM T") == []
    assert admin.refused("TRUNCATE TABLE NOSUCH")[0] == 2003


def test_create_or_replace_as_select_of_itself(admin: Client) -> None:
    admin.run(
        "CREATE TABLE T AS SELECT 1 AS I UNION ALL SELECT 2", "CREATE OR REPLACE TABLE T AS SELECT * FROM T WHERE I = 2"
    )
    assert admin.rows("SELECT * FROM T") == [(2,)]


def test_alter_and_rename(admin: Client) -> None:
    admin.run(
        "CREATE TABLE T (I INT)",
        "ALTER TABLE T ADD COLUMN AT TIMESTAMP_NTZ",
        "ALTER TABLE T ADD COLUMN A INT, B VARCHAR",
        "ALTER TABLE T DROP COLUMN A",
        "ALTER TABLE T RENAME COLUMN B TO C",
        "ALTER TABLE T RENAME TO U",
        "COMMENT ON TABLE U IS 'what''s this'",
        "COMMENT ON COLUMN U.C IS 'a column'",
        "ALTER TABLE U ALTER COLUMN I COMMENT $$it's the id$$",
    )
    assert [row["name"] for row in admin.dicts("DESCRIBE TABLE U")] == ["I", "AT", "C"]
    assert admin.dicts("SHOW TABLES LIKE 'U'")[0]["comment"] == "what's this"
    assert {row["column_name"]: row["comment"] for row in admin.dicts("SHOW COLUMNS IN TABLE U")}["C"] == "a column"
    assert admin.refused("SELECT * FROM T")[0] == 2003


def test_comment_with_quotes_in_create(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT) COMMENT = 'the gym''s'")
    assert admin.dicts("SHOW TABLES LIKE 'T'")[0]["comment"] == "the gym's"


def test_temporary_tables_end_with_their_session(admin: Client, service: Service) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    other = Client(service.connect(warehouse="WORK", database="LAB", schema=schema))
    other.run(f"CREATE TEMPORARY TABLE LAB.{schema}.TMP (I INT)", f"INSERT INTO LAB.{schema}.TMP VALUES (1)")
    assert other.value("SELECT COUNT(*) FROM TMP") == 1
    other.connection.close()
    deadline = time.monotonic() + 5
    while admin.dicts("SHOW TABLES LIKE 'TMP'") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert admin.refused("SELECT * FROM TMP")[0] == 2003


def test_bindings_describe_and_dict_cursor(admin: Client) -> None:
    admin.run("CREATE TABLE T (ID INT, NAME VARCHAR, PRICE NUMBER(10, 2), OK BOOLEAN)")
    with admin.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO T VALUES (%s, %s, %s, %s)", [(i, f"o'{i}", Decimal("1.50"), i % 2 == 0) for i in range(50)]
        )
        assert cursor.rowcount == 50
        described = cursor.describe("SELECT ID, NAME FROM T WHERE ID > 1")
        assert [column.name for column in described] == ["ID", "NAME"]
    with admin.connection.cursor(DictCursor) as cursor:
        cursor.execute("SELECT * FROM T WHERE ID = %(id)s", {"id": 7})
        assert cursor.fetchall() == [{"ID": 7, "NAME": "o'7", "PRICE": Decimal("1.50"), "OK": False}]


def test_describing_changes_nothing(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)")
    with admin.connection.cursor() as cursor:
        assert [c.name for c in cursor.describe("SELECT CURRENT_ROLE() AS R, I FROM T")] == ["R", "I"]
        assert cursor.describe("SHOW WAREHOUSES")[0].name == "name"
        cursor.describe("INSERT INTO T VALUES (1)")
        cursor.describe("DROP TABLE T")
        for statement in ("BEGIN", "REMOVE @%T", "CREATE ROLE NOT_MADE"):
            with pytest.raises(snowflake.connector.errors.Error):
                cursor.describe(statement)
    assert admin.value("SELECT COUNT(*) FROM T") == 0


def test_sessions_outlive_what_they_use(service: Service, admin: Client) -> None:
    database = unique("DB")
    admin.run(f"CREATE DATABASE {database}", "CREATE TABLE T (I INT)")
    other = Client(service.connect(warehouse="WORK", database=database))
    other.run("SELECT * FROM T")
    admin.run(f"DROP DATABASE {database}", "USE DATABASE LAB")
    assert other.refused("SELECT * FROM T")[0] == 2003
    assert other.value("SELECT 1") == 1
    assert other.refused("CREATE TABLE T (I INT)")[0] == 2003
    admin.run(f"CREATE DATABASE {database}", "CREATE TABLE T (I INT)")
    other.run("SELECT * FROM T", "USE DATABASE LAB")
    admin.run(f"DROP DATABASE {database}", "USE DATABASE LAB")
    other.connection.close()


def test_functions_need_no_database(service: Service, admin: Client) -> None:
    assert admin
    client = Client(service.connect(warehouse="WORK"))
    assert client.rows(
        "SELECT CURRENT_DATABASE(), TO_TIMESTAMP('2024-02-29 12:00:00'), ARRAY_SIZE(PARSE_JSON('[1]'))"
    ) == [(None, datetime.datetime(2024, 2, 29, 12), 1)]
    client.connection.close()


def test_server_side_bindings(service: Service, admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE T (ID INT, NAME VARCHAR)")
    before = snowflake.connector.paramstyle
    snowflake.connector.paramstyle = "qmark"
    try:
        connection = service.connect(warehouse="WORK", database="LAB", schema=schema)
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO T VALUES (?, ?)", [[i, f"n{i}"] for i in range(3)])
            cursor.execute("SELECT NAME FROM T WHERE ID = ?", [2])
            assert cursor.fetchall() == [("n2",)]
        connection.close()
    finally:
        snowflake.connector.paramstyle = before


def test_information_schema(admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE T (I INT, AT TIMESTAMP_NTZ)", "CREATE VIEW V AS SELECT I FROM T")
    found = admin.rows(f"SELECT TABLE_NAME FROM LAB.INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{schema}'")
    assert sorted(found) == [("T",), ("V",)]
    assert admin.value("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SCHEMATA") >= 2
    assert admin.refused("SELECT * FROM LAB.INFORMATION_SCHEMA.NOSUCH")[0] == 2003
    columns = (
        "SELECT COLUMN_NAME, DATA_TYPE FROM LAB.INFORMATION_SCHEMA.COLUMNS "
        f"WHERE TABLE_SCHEMA = '{schema}' AND TABLE_NAME = 'T' ORDER BY ORDINAL_POSITION"
    )
    assert admin.rows(columns) == [("I", "NUMBER"), ("AT", "TIMESTAMP_NTZ")]
    assert {row["kind"] for row in admin.dicts("SHOW OBJECTS")} == {"TABLE", "VIEW"}


def test_semi_structured_and_window_functions(admin: Client) -> None:
    admin.run(
        "CREATE TABLE T (ID INT, V VARIANT)",
        """INSERT INTO T SELECT 1, PARSE_JSON('{"a": {"b": [1, 2]}}')""",
    )
    assert admin.rows("SELECT V:a.b[1]::INT FROM T") == [(2,)]
    assert admin.rows("SELECT F.VALUE::INT FROM T, LATERAL FLATTEN(INPUT => V:a.b) F ORDER BY 1") == [(1,), (2,)]
    assert admin.rows(
        "SELECT ID FROM (SELECT 1 AS ID UNION ALL SELECT 2) QUALIFY ROW_NUMBER() OVER (ORDER BY ID DESC) = 1"
    ) == [(2,)]


def test_sessions_work_side_by_side(service: Service, admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE SHARED (WORKER INT, I INT)")
    problems: list[Any] = []

    def work(number: int) -> None:
        try:
            client = Client(service.connect(warehouse="WORK", database="LAB", schema=schema))
            client.run(f"CREATE TABLE T{number} (I INT)")
            for i in range(10):
                client.run(
                    f"INSERT INTO SHARED VALUES ({number}, {i})", f"UPDATE SHARED SET I = {i} WHERE WORKER = {number}"
                )
            client.connection.close()
        except Exception as problem:
            problems.append(problem)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert problems == []
    assert admin.rows("SELECT WORKER, COUNT(*), MIN(I) FROM SHARED GROUP BY 1 ORDER BY 1") == [
        (number, 10, 9) for number in range(4)
    ]


def test_sessions_create_the_first_tables_of_a_database_at_the_same_time(service: Service, admin: Client) -> None:
    for _ in range(3):
        database = unique("DB")
        admin.run(f"CREATE DATABASE {database}")
        clients = [Client(service.connect(warehouse="WORK", database=database)) for _ in range(4)]
        problems: list[Exception] = []

        def work(client: Client, number: int, problems: list[Exception] = problems) -> None:
            try:
                client.run(*(f"CREATE TABLE T{number}_{i} (I INT, S VARCHAR(20))" for i in range(3)))
            except Exception as problem:
                problems.append(problem)

        workers = [threading.Thread(target=work, args=pair) for pair in zip(clients, range(4), strict=True)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert problems == []
        assert len(admin.rows(f"SHOW TABLES IN DATABASE {database}")) == 12
        for client in clients:
            client.connection.close()
        admin.run(f"DROP DATABASE {database}", "USE DATABASE LAB")


def test_sessions_that_change_the_same_row_wait_for_each_other(service: Service, admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE COUNTER (N INT)", "INSERT INTO COUNTER VALUES (0)")
    clients = [Client(service.connect(warehouse="WORK", database="LAB", schema=schema)) for _ in range(4)]
    problems: list[Exception] = []

    def work(client: Client) -> None:
        try:
            client.run(*["UPDATE COUNTER SET N = N + 1"] * 10)
        except Exception as problem:
            problems.append(problem)

    workers = [threading.Thread(target=work, args=(client,)) for client in clients]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert problems == []
    assert admin.value("SELECT N FROM COUNTER") == 40
    for client in clients:
        client.connection.close()


def test_threads_share_one_connection(admin: Client) -> None:
    found: list[Any] = []
    workers = [threading.Thread(target=lambda n=n: found.append(admin.value(f"SELECT {n}"))) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(found) == [0, 1, 2, 3]


def test_many_rows_arrive(admin: Client) -> None:
    admin.run("CREATE TABLE T AS SELECT SEQ4() AS I FROM TABLE(GENERATOR(ROWCOUNT => 100000))")
    rows = admin.rows("SELECT * FROM T")
    assert len(rows) == 100_000


def test_bad_sql_is_an_sql_error(admin: Client) -> None:
    for statement in (
        "SELECT NOSUCHFUNCTION(1)",
        "SELECT 1 +",
        "SELECT * FROM T WHERE",
        "SELECT X FROM (SELECT 1 AS Y)",
    ):
        number, message = admin.refused(statement)
        assert number and message


@pytest.mark.parametrize(
    "name", ["_transform", "_transform_explode", "_execute", "_describe_only", "_describe_last_sql"]
)
def test_fakesnow_still_has_what_is_used_of_it(name: str) -> None:
    assert callable(getattr(fakesnow.cursor.FakeSnowflakeCursor, name))

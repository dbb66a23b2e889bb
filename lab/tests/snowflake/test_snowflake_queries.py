"""Statements beyond one request: asynchronous ones, several in one text, results that are asked for again."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

import pytest
import snowflake.connector
from snowflake_support import Client, Person, Service

LONG = "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 1000000)) A, TABLE(GENERATOR(ROWCOUNT => 100000)) B"


def test_asynchronous_statement(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)")
    with admin.connection.cursor() as cursor:
        cursor.execute_async("INSERT INTO T VALUES (1), (2)")
        cursor.get_results_from_sfqid(cursor.sfqid)
        assert cursor.fetchall() == [(2,)]
        cursor.execute_async("SELECT * FROM T ORDER BY I")
        query_id = cursor.sfqid
    with admin.connection.cursor() as other:
        other.get_results_from_sfqid(query_id)
        assert other.fetchall() == [(1,), (2,)]
        assert admin.connection.get_query_status(query_id).name == "SUCCESS"


def test_asynchronous_statement_that_fails_says_why(admin: Client) -> None:
    with admin.connection.cursor() as cursor:
        cursor.execute_async("SELECT * FROM NOSUCH")
        while admin.connection.is_still_running(admin.connection.get_query_status(cursor.sfqid)):
            time.sleep(0.05)
        with pytest.raises(snowflake.connector.errors.ProgrammingError) as raised:
            cursor.get_results_from_sfqid(cursor.sfqid)
        assert raised.value.errno == 2003


def test_running_statement_is_cancelled(service: Service, admin: Client) -> None:
    client = Client(service.connect(warehouse="WORK"))
    with client.connection.cursor() as cursor:
        cursor.execute_async(LONG)
        query_id = cursor.sfqid
        assert client.connection.get_query_status(query_id).name == "RUNNING"
        answer = client.connection.rest.request(f"/queries/{query_id}/abort-request", {}, method="post")
        assert answer["success"]
        deadline = time.monotonic() + 10
        while client.connection.is_still_running(client.connection.get_query_status(query_id)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(snowflake.connector.errors.ProgrammingError) as raised:
            cursor.get_results_from_sfqid(query_id)
        assert raised.value.errno == 604
    assert client.value("SELECT 1") == 1
    client.connection.close()


def test_results_are_only_for_who_asked(admin: Client, nobody: Person) -> None:
    with admin.connection.cursor() as cursor:
        cursor.execute("SELECT 'secret'")
        answer = nobody.client.connection.rest.request(f"/queries/{cursor.sfqid}/result", method="get")
        assert (answer["success"], answer["code"]) == (False, "000709")
        status = nobody.client.connection.rest.request(f"/monitoring/queries/{cursor.sfqid}", method="get")
        assert status["data"]["queries"] == []
        assert nobody.client.refused(f"SELECT * FROM TABLE(RESULT_SCAN('{cursor.sfqid}'))")[0] == 709


def test_several_statements_in_one_text(admin: Client) -> None:
    text = "CREATE TABLE T (S VARCHAR); INSERT INTO T VALUES ('a;b'), ('c') /* ; */; SELECT COUNT(*) FROM T; -- end ;\n"
    for count in (3, 0):
        with admin.connection.cursor() as cursor:
            cursor.execute(text.replace("CREATE TABLE", "CREATE OR REPLACE TABLE"), num_statements=count)
            assert "successfully created" in cursor.fetchall()[0][0]
            cursor.nextset()
            assert cursor.fetchall() == [(2,)]
            cursor.nextset()
            assert cursor.fetchall() == [(2,)]
            assert cursor.nextset() is None


def test_a_comment_may_follow_the_only_statement(admin: Client) -> None:
    assert admin.value("SELECT ';' AS A; -- the end") == ";"
    assert admin.refused("; -- nothing")


def test_the_number_of_statements_must_be_right(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)")
    for count in (None, 1, 3):
        with admin.connection.cursor() as cursor, pytest.raises(snowflake.connector.errors.ProgrammingError) as raised:
            cursor.execute("INSERT INTO T VALUES (1); DROP TABLE T", num_statements=count)
        assert raised.value.errno == 8
    assert admin.value("SELECT COUNT(*) FROM T") == 0


def test_the_first_statement_that_fails_is_the_last(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)")
    with admin.connection.cursor() as cursor, pytest.raises(snowflake.connector.errors.ProgrammingError) as raised:
        cursor.execute("INSERT INTO T VALUES (1); SELECT * FROM NOSUCH; INSERT INTO T VALUES (2)", num_statements=3)
    assert raised.value.errno == 2003
    assert admin.rows("SELECT * FROM T") == [(1,)]


def test_each_of_several_statements_is_authorised(admin: Client, somebody: Person) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run("CREATE TABLE T (I INT)")
    cursor = somebody.client.connection.cursor()
    with cursor, pytest.raises(snowflake.connector.errors.ProgrammingError) as raised:
        cursor.execute(f"SELECT 1; DROP TABLE LAB.{schema}.T", num_statements=2)
    assert raised.value.errno == 2003
    assert admin.value("SELECT COUNT(*) FROM T") == 0


def test_result_scan(admin: Client) -> None:
    admin.run("CREATE TABLE T AS SELECT 1 AS I, '2024-01-01'::TIMESTAMP_NTZ AS AT, 1.50::NUMBER(10,2) AS N")
    before = admin.rows("SELECT * FROM T")
    assert admin.rows("SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))") == before
    assert admin.rows("SELECT X.I + 1 FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-1))) X") == [(2,)]
    admin.run("SHOW TABLES")
    assert admin.rows('SELECT "name", "created_on" IS NULL FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("T", False)]
    assert admin.refused("SELECT * FROM TABLE(RESULT_SCAN('00000000-0000-0000-0000-000000000000'))")[0] == 709


def test_time_travel_is_refused_clearly(admin: Client) -> None:
    admin.run("CREATE TABLE T (I INT)")
    for clause in ("AT(OFFSET => -60)", "BEFORE(STATEMENT => 'x')", "AT(TIMESTAMP => '2024-01-01'::TIMESTAMP)"):
        number, message = admin.refused(f"SELECT * FROM T {clause}")
        assert number == 2
        assert "time travel" in message


def test_words_that_are_functions_only_to_duckdb(admin: Client) -> None:
    assert admin.refused("SELECT CURRENT_ROLE")[0] == 904
    admin.run("CREATE TABLE T (USER VARCHAR, CURRENT_ROLE VARCHAR)", "INSERT INTO T VALUES ('u', 'r')")
    assert admin.rows("SELECT USER, CURRENT_ROLE FROM T WHERE USER = 'u'") == [("u", "r")]
    admin.run("UPDATE T SET CURRENT_ROLE = 'x' WHERE USER = 'u'")
    assert admin.rows("SELECT CURRENT_ROLE FROM T X") == [("x",)]
    assert admin.refused("SELECT SESSION_USER FROM T")


def test_one_address_never_takes_many_files(admin: Client) -> None:
    admin.run("CREATE STAGE ST")
    with admin.connection.cursor() as cursor:
        answer = cursor._execute_helper("PUT 'file:///nowhere/*.csv' @ST")
    address = answer["data"]["stageInfo"]["presignedUrl"]
    upload = urllib.request.Request(address, data=b"1", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(upload)
    assert raised.value.code == 403
    assert admin.rows("LIST @ST") == []


def test_parquet_needs_the_right_to_read_the_stage(admin: Client, somebody: Person) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    admin.run(
        "CREATE STAGE ST",
        f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}",
        f"GRANT USAGE ON SCHEMA LAB.{schema} TO ROLE {somebody.role}",
    )
    infer = f"SELECT * FROM TABLE(INFER_SCHEMA(LOCATION => '@LAB.{schema}.ST', FILE_FORMAT => 'F'))"
    assert somebody.client.refused(infer)[0] == 2003
    assert admin.rows(infer) == []

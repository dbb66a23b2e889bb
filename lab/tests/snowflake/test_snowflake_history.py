"""Statements, log-ins and sessions are remembered, for those who may know of them, and without secrets."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakesnow.cursor import FakeSnowflakeCursor
from hanger_lab.snowflake.data.executor import Request
from hanger_lab.snowflake.usage import records
from hanger_lab.snowflake.usage.history import query_type
from hanger_lab.snowflake.usage.masking import mask
from snowflake.connector.errors import DatabaseError
from snowflake_support import Client, Inside, Key, Person, Service, unique

OWN = "SELECT * FROM TABLE(LAB.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 1000))"
ALL = "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY"


def texts(client: Client, query: str) -> list[str]:
    return [row["QUERY_TEXT"] for row in client.dicts(query)]


def test_history_says_who_ran_what_with_what_outcome(admin: Client) -> None:
    mark = unique("MARK")
    admin.run(
        "USE SCHEMA LAB.PUBLIC",
        f"ALTER SESSION SET QUERY_TAG = '{mark}'",
        f"CREATE TABLE {mark} (I INT)",
        f"INSERT INTO {mark} VALUES (1), (2), (3)",
    )
    with admin.connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {mark}")
        query_id = cursor.sfqid
    admin.refused(f"SELECT NOSUCH FROM {mark}")
    admin.run("ALTER SESSION UNSET QUERY_TAG")
    found = {
        row["QUERY_TYPE"]: row for row in admin.dicts(f"{ALL} WHERE QUERY_TAG = '{mark}' ORDER BY START_TIME DESC")
    }
    assert set(found) == {"CREATE_TABLE", "INSERT", "SELECT", "ALTER_SESSION"}
    good = admin.dicts(f"{OWN} WHERE QUERY_ID = '{query_id}'")[0]
    expected = {
        "QUERY_TEXT": f"SELECT * FROM {mark}",
        "USER_NAME": "HANGER_PROVISIONER",
        "ROLE_NAME": "ACCOUNTADMIN",
        "WAREHOUSE_NAME": "WORK",
        "WAREHOUSE_SIZE": "X-Small",
        "DATABASE_NAME": "LAB",
        "SCHEMA_NAME": "PUBLIC",
        "EXECUTION_STATUS": "SUCCESS",
        "ERROR_CODE": None,
        "ROWS_PRODUCED": 3,
        "SESSION_ID": int(admin.value("SELECT CURRENT_SESSION()")),
    }
    assert {name: good[name] for name in expected} == expected
    assert good["START_TIME"] <= good["END_TIME"] and good["TOTAL_ELAPSED_TIME"] >= 0
    assert found["INSERT"]["ROWS_PRODUCED"] == 3
    assert found["CREATE_TABLE"]["WAREHOUSE_SIZE"] is None
    failed = admin.dicts(f"{ALL} WHERE QUERY_TAG = '{mark}' AND EXECUTION_STATUS = 'FAIL'")
    assert [bool(row["ERROR_CODE"] and row["ERROR_MESSAGE"]) for row in failed] == [True]


def test_a_failed_statement_has_an_id(service: Service, admin: Client) -> None:
    with admin.connection.cursor() as cursor:
        with pytest.raises(DatabaseError):
            cursor.execute("DROP WAREHOUSE NOSUCH")
        assert admin.value(f"SELECT ERROR_CODE FROM ({ALL}) WHERE QUERY_ID = '{cursor.sfqid}'") == "002003"


def test_rights_decide_what_is_seen(admin: Client, somebody: Person) -> None:
    mark = unique("MARK")
    admin.run(f"SELECT '{mark} of the administrator'", f"GRANT USAGE ON DATABASE LAB TO ROLE {somebody.role}")
    somebody.client.run(f"SELECT '{mark} of somebody'")
    mine = f"{OWN} WHERE QUERY_TEXT LIKE 'SELECT ''{mark}%'"
    assert texts(somebody.client, mine) == [f"SELECT '{mark} of somebody'"]
    assert len(texts(admin, mine)) == 2
    assert somebody.client.refused(ALL)[0] == 2003
    assert somebody.client.refused("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.LOGIN_HISTORY")[0] == 2003
    assert admin.refused("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.NOSUCH")[0] == 2003
    admin.run(f"GRANT MONITOR ON WAREHOUSE WORK TO ROLE {somebody.role}")
    assert len(texts(somebody.client, mine)) == 2


def test_functions_by_user_session_and_warehouse(admin: Client, somebody: Person) -> None:
    mark = unique("MARK")
    somebody.client.run(f"SELECT '{mark}'")
    session = somebody.client.value("SELECT CURRENT_SESSION()")
    for arguments in (
        f"_BY_USER(USER_NAME => '{somebody.name.lower()}')",
        f"_BY_USER('{somebody.name}', DATEADD(HOUR, -1, CURRENT_TIMESTAMP()), RESULT_LIMIT => 10)",
        f"_BY_SESSION({session})",
        "_BY_WAREHOUSE('work', RESULT_LIMIT => 1000)",
        "(DATEADD('hour', -1, CURRENT_TIMESTAMP()), CURRENT_TIMESTAMP(), 1000)",
    ):
        query = f"SELECT QUERY_TEXT FROM TABLE(LAB.INFORMATION_SCHEMA.QUERY_HISTORY{arguments}) h"
        assert f"SELECT '{mark}'" in texts(admin, query), arguments
    later = "SELECT * FROM TABLE(LAB.INFORMATION_SCHEMA.QUERY_HISTORY(DATEADD('hour', 1, CURRENT_TIMESTAMP())))"
    assert texts(admin, later) == []
    assert len(admin.rows("SELECT 1 FROM TABLE(LAB.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 2))")) == 2
    for wrong in (
        "RESULT_LIMIT => 0",
        "NOSUCH => 1",
        "RESULT_LIMIT => (SELECT 1)",
        "RESULT_LIMIT => 1, RESULT_LIMIT => 2",
    ):
        assert admin.refused(f"SELECT 1 FROM TABLE(LAB.INFORMATION_SCHEMA.QUERY_HISTORY({wrong}))")[0] == 1008, wrong


def test_histories_can_be_joined_and_copied_but_not_viewed(admin: Client) -> None:
    table = unique("T")
    admin.run(
        f"CREATE TABLE LAB.PUBLIC.{table} AS SELECT q.QUERY_ID, l.CLIENT_IP FROM ({ALL}) q "
        "JOIN SNOWFLAKE.ACCOUNT_USAGE.SESSIONS s ON s.SESSION_ID = q.SESSION_ID "
        "JOIN SNOWFLAKE.ACCOUNT_USAGE.LOGIN_HISTORY l ON l.EVENT_ID = s.LOGIN_EVENT_ID"
    )
    assert admin.value(f"SELECT COUNT(*) FROM LAB.PUBLIC.{table} WHERE CLIENT_IP = '127.0.0.1'") > 0
    assert admin.refused(f"CREATE VIEW LAB.PUBLIC.V AS {ALL}")[0] == 2


def test_logins_and_sessions(service: Service, admin: Client, somebody: Person, second_key: Key) -> None:
    with pytest.raises(DatabaseError):
        service.connect(somebody.name, second_key)
    connection = service.connect(somebody.name)
    session = connection.session_id
    connection.close()
    logins = "SELECT * FROM {} WHERE USER_NAME = '" + somebody.name + "' ORDER BY EVENT_ID DESC LIMIT 2"
    found = admin.dicts(logins.format("SNOWFLAKE.ACCOUNT_USAGE.LOGIN_HISTORY"))
    assert [row["IS_SUCCESS"] for row in found] == ["YES", "NO"]
    assert (found[1]["ERROR_CODE"], found[1]["FIRST_AUTHENTICATION_FACTOR"]) == (390144, "RSA_KEYPAIR")
    assert found[0]["REPORTED_CLIENT_TYPE"] == "PythonConnector" and found[0]["CLIENT_IP"] == "127.0.0.1"
    function = f"TABLE(LAB.INFORMATION_SCHEMA.LOGIN_HISTORY_BY_USER('{somebody.name}'))"
    assert len(admin.dicts(logins.format(function))) == 2
    closed = f"SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.SESSIONS WHERE SESSION_ID = {session}"
    (row,) = admin.dicts(closed)
    assert (row["USER_NAME"], row["LOGIN_EVENT_ID"]) == (somebody.name, found[0]["EVENT_ID"])
    assert row["CLOSED_REASON"] == "LOGOUT"


SECRET = "hunter2"


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE USER LEAK PASSWORD = '{SECRET}'",
        f"CREATE USER LEAK PASSWORD '{SECRET}",
        f"CREATE USER LEAK PASSWORD = $${SECRET}",
        f"ALTER USER LEAK SET RSA_PUBLIC_KEY = '{SECRET}' COMMENT = 'x'",
        f"CREATE STAGE S URL = 's3://b' CREDENTIALS = (AWS_KEY_ID = '{SECRET}' AWS_SECRET_KEY = '{SECRET}')",
        f"CREATE SECRET S TYPE = PASSWORD USERNAME = 'u' PASSWORD = '{SECRET}'",
        f"CREATE API INTEGRATION I OAUTH_CLIENT_SECRET = '{SECRET}'",
        f"SELECT 'password {SECRET}'",
        f"SELECT 'eyJhbGciOiJSUzI1NiJ9.{SECRET}.abc'",
    ],
)
def test_no_secret_is_kept(inside: Inside, statement: str) -> None:
    assert SECRET not in mask(statement)
    try:
        inside.run(statement)
    except Exception as problem:
        assert SECRET not in str(problem)
    (row, *_) = inside.rows(ALL)
    assert row["QUERY_TEXT"].startswith(statement.split()[0]) and SECRET not in str(row)
    for path in inside.account.engine.stages.parent.glob("usage.sqlite*"):
        assert SECRET.encode() not in path.read_bytes()


def test_what_is_no_secret_is_kept(inside: Inside) -> None:
    inside.run("SELECT 'kept', 1 AS KEY", "CREATE USER SEEN COMMENT = 'kept' PASSWORD = 'not kept at all'")
    kept = [row["QUERY_TEXT"] for row in inside.rows(ALL)]
    assert "SELECT 'kept', 1 AS KEY" in kept
    assert "CREATE USER SEEN COMMENT = 'kept' PASSWORD = '********'" in kept


def test_history_survives_and_is_bounded(
    inside: Inside, key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "KEPT_ROWS", 30)
    monkeypatch.setattr(records, "_TRIM_EVERY", 10)
    inside.run(*(f"SELECT {number} AS N" for number in range(60)), "SELECT '" + "x" * 100_000 + "'")
    inside.account.close()
    again = Inside(tmp_path / "account", key)
    kept = [row["QUERY_TEXT"] for row in again.rows(ALL)]
    assert "SELECT 59 AS N" in kept and "SELECT 20 AS N" not in kept
    assert len(kept) <= 40 and max(map(len, kept)) <= 16_000
    inside.account = again.account


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/* dbt */ with x as (select 1) select * from x", "SELECT"),
        ("create or replace transient table t (i int)", "CREATE_TABLE"),
        ("CREATE FILE FORMAT f TYPE = CSV", "CREATE_FILE_FORMAT"),
        ("begin", "BEGIN_TRANSACTION"),
        ("GRANT ROLE A TO ROLE B", "GRANT"),
        ("(select 1)", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_types_of_statements(text: str, kind: str) -> None:
    assert query_type(text) == kind


@pytest.fixture
def timed(inside: Inside) -> Iterator[Callable[[Callable[[], Any]], float]]:
    def median(action: Callable[[], Any]) -> float:
        for _ in range(20):
            action()
        found = []
        for _ in range(150):
            start = time.perf_counter()
            action()
            found.append(time.perf_counter() - start)
        return statistics.median(found) * 1000

    yield median


def test_an_account_adds_little_to_fakesnow(inside: Inside, timed: Callable[[Callable[[], Any]], float]) -> None:
    """The account's own work for SELECT 1: authorisation, history, metering. Milliseconds."""
    connection = inside.session.connection

    def alone() -> None:
        cursor = FakeSnowflakeCursor(conn=connection.fake, duck_conn=connection.duck)
        cursor.execute("SELECT 1")
        cursor.fetchall()

    assert timed(lambda: inside.account.execute(inside.session, Request("SELECT 1"))) - timed(alone) <= 3

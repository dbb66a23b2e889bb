"""The SQL API: plain HTTP, a token of a key pair with every request."""

from __future__ import annotations

import base64
import datetime
import hashlib
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key
from snowflake_support import ACCOUNT, ADMIN, Client, Key, Person, Service

LONG = "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 1000000)) A, TABLE(GENERATOR(ROWCOUNT => 100000)) B"


def token(user: str, key: Key, seconds: int = 600) -> str:
    mark = base64.b64encode(hashlib.sha256(base64.b64decode(key.public)).digest()).decode()
    now = datetime.datetime.now(datetime.UTC)
    claims = {
        "iss": f"{ACCOUNT}.{user}.SHA256:{mark}",
        "sub": f"{ACCOUNT}.{user}",
        "iat": now,
        "exp": now + datetime.timedelta(seconds=seconds),
    }
    return jwt.encode(claims, load_der_private_key(key.private, None), algorithm="RS256")  # type: ignore[arg-type]


class Api:
    """Requests of one user."""

    def __init__(self, service: Service, bearer: str) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{service.port}",
            headers={
                "Authorization": f"Bearer {bearer}",
                "X-Snowflake-Authorization-Token-Type": "KEYPAIR_JWT",
                "Accept": "application/json",
            },
            timeout=60,
        )

    def post(self, statement: Any, query: str = "", **body: Any) -> httpx.Response:
        return self.http.post(f"/api/v2/statements{query}", json={"statement": statement, **body})

    def rows(self, statement: str, **body: Any) -> list[list[str | None]]:
        answer = self.post(statement, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@pytest.fixture
def api(service: Service, admin: Client, key: Key) -> Api:
    assert admin
    return Api(service, token(ADMIN, key))


def test_types_are_written_as_documented(api: Api) -> None:
    response = api.post(
        "SELECT 1 AS I, 1.50::NUMBER(10,2) AS N, 2.5::FLOAT AS F, 'ä' AS S, TRUE AS B, '2024-02-29'::DATE AS D, "
        "'12:34:56.789'::TIME AS T, '1969-12-31 23:59:58.5'::TIMESTAMP_NTZ AS P, "
        "'2024-02-29 12:00:00+02:00'::TIMESTAMP_TZ AS Z, TO_BINARY('DEAD', 'HEX') AS X, NULL AS E"
    )
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["data"] == [
        [
            "1", "1.50", "2.5", "ä", "true", "19782", "45296.789000000", "-1.500000000", "1709200800.000000000 1440",
            "DEAD", None,
        ]
    ]  # fmt: skip
    meta = answer["resultSetMetaData"]
    assert (meta["numRows"], meta["format"]) == (1, "jsonv2")
    assert [column["name"] for column in meta["rowType"]][:3] == ["I", "N", "F"]
    assert [column["type"] for column in meta["rowType"]][:5] == ["fixed", "fixed", "real", "text", "boolean"]
    assert (answer["code"], answer["sqlState"]) == ("090001", "00000")
    assert api.post("SELECT NULL", "?nullable=false").json()["data"] == [["null"]]


def test_context_bindings_and_changes(api: Api, admin: Client) -> None:
    schema = admin.value("SELECT CURRENT_SCHEMA()")
    place = {"database": "LAB", "schema": schema, "warehouse": "WORK", "role": "ACCOUNTADMIN"}
    api.rows("CREATE TABLE T (I INT, S VARCHAR)", **place)
    bound = {"1": {"type": "FIXED", "value": "7"}, "2": {"type": "TEXT", "value": "it's"}}
    assert api.rows("INSERT INTO T VALUES (?, ?)", bindings=bound, **place) == [["1"]]
    assert api.rows("SELECT S FROM T WHERE I = ?", bindings={"1": bound["1"]}, **place) == [["it's"]]
    assert api.rows("SHOW TABLES LIKE 'T'", **place)[0][1] == "T"
    assert api.rows("SELECT CURRENT_SCHEMA(), CURRENT_ROLE()", **place) == [[schema, "ACCOUNTADMIN"]]


def test_a_request_leaves_nothing_to_the_next(api: Api) -> None:
    api.rows("USE DATABASE LAB")
    assert api.rows("SELECT CURRENT_DATABASE()") == [[None]]


def test_partitions(api: Api) -> None:
    answer = api.post("SELECT SEQ4() AS I FROM TABLE(GENERATOR(ROWCOUNT => 25000))", warehouse="WORK").json()
    sizes = [part["rowCount"] for part in answer["resultSetMetaData"]["partitionInfo"]]
    assert sum(sizes) == 25000
    assert len(sizes) > 1
    found = list(answer["data"])
    for number in range(1, len(sizes)):
        found += api.http.get(f"/api/v2/statements/{answer['statementHandle']}?partition={number}").json()["data"]
    assert sorted(int(row[0]) for row in found) == list(range(25000))
    assert api.http.get(f"/api/v2/statements/{answer['statementHandle']}?partition=99").status_code == 400


def test_asynchronous_statement(api: Api) -> None:
    answer = api.post("SELECT 42", "?async=true")
    assert (answer.status_code, answer.json()["code"]) == (202, "333334")
    deadline = time.monotonic() + 10
    while (found := api.http.get(answer.json()["statementStatusUrl"])).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (found.status_code, found.json()["data"]) == (200, [["42"]])


def test_cancel_and_timeout(api: Api) -> None:
    handle = api.post(LONG, "?async=true", warehouse="WORK").json()["statementHandle"]
    assert api.http.post(f"/api/v2/statements/{handle}/cancel").status_code == 200
    deadline = time.monotonic() + 10
    while (found := api.http.get(f"/api/v2/statements/{handle}")).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (found.status_code, found.json()["code"]) == (422, "000604")
    assert api.http.post(f"/api/v2/statements/{handle}/cancel").status_code == 422
    slow = api.post(LONG, timeout=1, warehouse="WORK")
    assert (slow.status_code, slow.json()["code"]) == (408, "000630")


def test_several_statements(api: Api) -> None:
    answer = api.post("SELECT 1; SELECT 'two'", parameters={"MULTI_STATEMENT_COUNT": "2"}).json()
    assert len(answer["statementHandles"]) == 2
    results = [api.http.get(f"/api/v2/statements/{handle}").json()["data"] for handle in answer["statementHandles"]]
    assert results == [[["1"]], [["two"]]]


def test_sql_errors_are_422(api: Api) -> None:
    for statement, code, state in (
        ("SELECT * FROM LAB.PUBLIC.NOSUCH", "002003", "42S02"),
        ("SELECT 1 +", "001003", "42000"),
        ("CREATE TASK T", "000002", "0A000"),
        ("PUT file:///x @y", "391911", "0A000"),
    ):
        answer = api.post(statement)
        assert (answer.status_code, answer.json()["code"], answer.json()["sqlState"]) == (422, code, state)
        assert answer.json()["message"]
    assert api.http.get("/api/v2/statements/nosuch").status_code == 422
    assert api.post("SELECT 1", parameters={"NOSUCH": 1}).status_code == 422


def test_bad_requests_are_400(api: Api) -> None:
    assert api.post(7).status_code == 400
    assert api.http.post("/api/v2/statements", content=b"{").status_code == 400
    assert api.http.post("/api/v2/statements", json=[1]).status_code == 400
    assert api.http.post("/api/v2/statements", json={}).status_code == 400


def test_without_a_valid_token_there_is_nothing(service: Service, api: Api, key: Key, second_key: Key) -> None:
    handle = api.post("SELECT 1").json()["statementHandle"]
    for bearer in ("x", "x.y.z", token(ADMIN, second_key), token(ADMIN, key, -60), token("NOBODY_AT_ALL", key)):
        other = Api(service, bearer)
        for answer in (
            other.post("SELECT 1"),
            other.http.get(f"/api/v2/statements/{handle}"),
            other.http.post(f"/api/v2/statements/{handle}/cancel"),
        ):
            assert answer.status_code == 401
            assert answer.json()["code"].startswith("390")


def test_rights_are_the_users_own(service: Service, api: Api, somebody: Person, key: Key) -> None:
    handle = api.post("SELECT 'secret'").json()["statementHandle"]
    other = Api(service, token(somebody.name, key))
    assert other.rows("SELECT CURRENT_USER(), CURRENT_ROLE()") == [[somebody.name, somebody.role]]
    assert other.http.get(f"/api/v2/statements/{handle}").status_code == 422
    assert other.post("CREATE ROLE R").json()["code"] == "003001"
    assert other.post("SELECT 1", role="ACCOUNTADMIN").status_code == 401

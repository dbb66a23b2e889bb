"""Sessions end with their tokens, their users and their roles."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from hanger_lab.snowflake import session as sessions
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.server import Server
from hanger_lab.snowflake.session import Session
from snowflake_support import ADMIN, Client, Key, Person, Service, free_port


@pytest.fixture
def account(tmp_path: Path, key: Key) -> Iterator[Account]:
    made = Account("HANGERLAB", tmp_path)
    made.ensure_admin(ADMIN, key.pem)
    yield made
    with contextlib.suppress(Exception):
        made.close()


@pytest.fixture
def session(account: Account) -> Session:
    user = account.catalog.get("USER", (ADMIN,))
    made = Session(ADMIN, "ACCOUNTADMIN", account.engine.connect(), user_created=user.created)
    account._sessions[made.token] = made
    return made


def ask(account: Account, path: str, token: str, **body: Any) -> Any:
    client = TestClient(Server(account).application())
    return client.post(path, json=body, headers={"authorization": f'Snowflake Token="{token}"'}).json()


def query(account: Account, token: str) -> Any:
    return ask(account, "/queries/v1/query-request", token, sqlText="SELECT 1")["code"]


def test_old_token_is_renewed_with_the_master_token_only(account: Account, session: Session) -> None:
    old = session.token
    assert query(account, old) is None
    session.issued -= sessions.SESSION_SECONDS + 1
    assert query(account, old) == "390112"
    assert ask(account, "/session/heartbeat", old)["code"] == "390112"
    assert ask(account, "/session/token-request", old)["code"] == "390114"
    renewed = ask(account, "/session/token-request", session.master_token)["data"]
    assert renewed["sessionToken"] != old and query(account, renewed["sessionToken"]) is None
    assert query(account, old) == "390111"
    again = ask(account, "/session/token-request", session.master_token)["data"]
    assert again["sessionToken"] == renewed["sessionToken"]


def test_master_token_ends_when_the_session_was_not_used(account: Account, session: Session) -> None:
    session.used -= sessions.MASTER_SECONDS + 1
    assert query(account, session.token) == "390111"
    assert ask(account, "/session/token-request", session.master_token)["code"] == "390114"


def test_user_of_the_same_name_does_not_inherit_sessions(account: Account, session: Session) -> None:
    with account.catalog.change():
        user = dataclasses.replace(account.catalog.get("USER", (ADMIN,)), created=1.0)
        account.catalog.save(user)
    assert query(account, session.token) == "390111"


@pytest.mark.parametrize("statement", ["ALTER USER {} SET DISABLED = TRUE", "DROP USER {}"])
def test_session_ends_with_its_user(admin: Client, somebody: Person, statement: str) -> None:
    somebody.client.run("SELECT 1")
    admin.run(statement.format(somebody.name))
    assert somebody.client.refused("SELECT 1")[0]


def test_role_that_was_revoked_is_of_no_more_use(admin: Client, somebody: Person) -> None:
    admin.run(f"REVOKE ROLE {somebody.role} FROM USER {somebody.name}")
    for statement in ("SELECT 1", "SHOW WAREHOUSES", "CREATE TABLE X (I INT)", "USE WAREHOUSE WORK", "BEGIN"):
        assert somebody.client.refused(statement)[0] == 3013
    assert somebody.client.refused(f"USE ROLE {somebody.role}")[0] == 3013
    somebody.client.run("USE ROLE PUBLIC", "SELECT 1")


def test_role_that_was_dropped_is_of_no_more_use(admin: Client, somebody: Person) -> None:
    admin.run(f"DROP ROLE {somebody.role}")
    assert somebody.client.refused("SELECT 1")[0] == 3013


def test_driver_renews_an_old_token_by_itself(account: Account, key: Key) -> None:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(Server(account).application(), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    client = Client(Service(Path(), key, port).connect())
    (session,) = account._sessions.values()
    old, session.issued = session.token, session.issued - sessions.SESSION_SECONDS - 1
    client.run("SELECT 1")
    assert session.token != old and not session.expired
    client.connection.close()
    server.should_exit = True
    thread.join(10)


def test_request_that_is_repeated_is_carried_out_once(account: Account, session: Session) -> None:
    def run(text: str, request: str) -> Any:
        return ask(account, f"/queries/v1/query-request?requestId={request}", session.token, sqlText=text)

    run("CREATE DATABASE D", "1"), run("CREATE WAREHOUSE W", "2"), run("CREATE TABLE D.PUBLIC.T (I INT)", "3")
    first, again = (run("INSERT INTO D.PUBLIC.T VALUES (1)", "4") for _ in range(2))
    assert first["success"] and first["data"]["queryId"] == again["data"]["queryId"]
    refused = [run("CREATE TABLE D.PUBLIC.T (I INT)", "5")["data"]["queryId"] for _ in range(2)]
    assert refused[0] == refused[1]
    run("INSERT INTO D.PUBLIC.T VALUES (1)", "6")
    assert account.engine.row_counts()["D", "PUBLIC", "T"] == 2
    assert len(session.answers) == 4

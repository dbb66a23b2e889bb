"""Passwords: wrong ones lock, old ones must be changed, users expire. Tokens of sessions end and are renewed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.server import Server
from hanger_lab.snowflake.session import Lives
from snowflake.connector.errors import Error
from snowflake_support import ADMIN, Client, Clock, Inside, Key, Service, free_port

PASSWORD = "correct horse"


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def inside(tmp_path: Path, key: Key, clock: Clock) -> Iterator[Inside]:
    made = Inside(tmp_path / "account", key, clock)
    made.run(f"CREATE USER ANN TYPE = PERSON PASSWORD = '{PASSWORD}'")
    yield made
    made.account.close()


Try = Callable[..., int]


@pytest.fixture
def attempt(inside: Inside) -> Try:
    def enter(password: str, name: str = "ANN", **more: str) -> int:
        """Return 0 for a login that succeeds, else the error's number."""
        try:
            inside.account.login({"LOGIN_NAME": name, "PASSWORD": password, **more}, {}, "127.0.0.1")
        except SnowflakeError as problem:
            return problem.number
        return 0

    return enter


def described(inside: Inside, name: str) -> str:
    return next(r["value"] for r in inside.rows("DESCRIBE USER ANN") if r["property"] == name)


def test_five_wrong_passwords_lock_for_fifteen_minutes(inside: Inside, attempt: Try, clock: Clock) -> None:
    assert [attempt("wrong") for _ in range(4)] == [390100] * 4
    assert attempt(PASSWORD) == 0
    assert [attempt("wrong") for _ in range(5)] == [390100] * 5
    assert attempt(PASSWORD) == 390102
    assert described(inside, "MINS_TO_UNLOCK") == "15"
    shown = inside.rows("SHOW USERS LIKE 'ANN'")[0]
    assert shown["mins_to_unlock"] == "15" and float(shown["locked_until_time"]) == clock.now + 900
    clock.now += 901
    assert attempt(PASSWORD) == 0
    assert described(inside, "MINS_TO_UNLOCK") == "null"


def test_lock_survives_a_restart_and_an_administrator_opens_it(
    inside: Inside, attempt: Try, key: Key, tmp_path: Path, clock: Clock
) -> None:
    for _ in range(5):
        attempt("wrong")
    inside.account.close()
    again = Inside(tmp_path / "account", key, clock)
    inside.account, inside.session = again.account, again.session
    assert attempt(PASSWORD) == 390102
    inside.run("ALTER USER ANN SET MINS_TO_UNLOCK = 0")
    assert attempt(PASSWORD) == 0
    inside.run("ALTER USER ANN SET MINS_TO_UNLOCK = 5")
    assert attempt(PASSWORD) == 390102
    inside.run("ALTER USER ANN UNSET MINS_TO_UNLOCK")
    assert attempt(PASSWORD) == 0


def test_services_cannot_be_locked_out_from_outside(inside: Inside, attempt: Try) -> None:
    assert [attempt("wrong", ADMIN) for _ in range(6)] == [390100] * 6
    assert [attempt("wrong", "NOBODY") for _ in range(6)] == [390100] * 6


def test_password_that_must_be_changed(inside: Inside, attempt: Try) -> None:
    inside.run("ALTER USER ANN SET MUST_CHANGE_PASSWORD = TRUE")
    client = TestClient(Server(inside.account).application(), client=("127.0.0.1", 1))
    body = {"data": {"LOGIN_NAME": "ANN", "PASSWORD": PASSWORD}}
    answer = client.post("/session/v1/login-request", json=body).json()
    assert (answer["code"], answer["data"]["nextAction"]) == ("390106", "PWD_CHANGE")
    assert attempt(PASSWORD, CHOSEN_NEW_PASSWORD=PASSWORD) == 390106
    assert attempt("wrong", CHOSEN_NEW_PASSWORD="another one") == 390100
    assert attempt(PASSWORD, CHOSEN_NEW_PASSWORD="another one") == 0
    assert (attempt(PASSWORD), attempt("another one")) == (390100, 0)


def test_user_expires(inside: Inside, attempt: Try, clock: Clock) -> None:
    inside.run("ALTER USER ANN SET DAYS_TO_EXPIRY = 2")
    assert described(inside, "DAYS_TO_EXPIRY") == "2.000000"
    clock.now += 2 * 86_400
    assert attempt(PASSWORD) == 390101
    inside.run("ALTER USER ANN UNSET DAYS_TO_EXPIRY")
    assert attempt(PASSWORD) == 0


def test_password_is_kept_as_a_salted_hash(inside: Inside, tmp_path: Path) -> None:
    inside.run(f"CREATE USER BOB PASSWORD = '{PASSWORD}'")
    kept = [str(inside.account.catalog.get("USER", (n,)).properties["PASSWORD"]) for n in ("ANN", "BOB")]
    assert kept[0] != kept[1] and all(text.startswith("scrypt$") for text in kept)
    for path in (tmp_path / "account").rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


# -- tokens of sessions ---------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path, key: Key, clock: Clock) -> Iterator[tuple[Account, Service]]:
    """An account whose session tokens live for a minute and master tokens for ten, behind a real socket."""
    account = Account("HANGERLAB", tmp_path / "served", clock, Lives(session=60, master=600))
    account.ensure_admin(ADMIN, key.pem)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(Server(account).application(), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield account, Service(Path(), key, port)
    server.should_exit = True
    thread.join(10)


def test_short_lives_are_announced_and_kept(served: tuple[Account, Service], clock: Clock) -> None:
    account, service = served
    client = Client(service.connect())
    (session,) = account.sessions()
    old = session.token
    clock.now += 61
    client.run("SELECT 1")
    assert session.token != old
    clock.now += 599
    client.run("SELECT 1")
    clock.now += 601
    with pytest.raises(Error) as caught:
        client.run("SELECT 1")
    assert caught.value.errno in (390111, 390114)
    with contextlib.suppress(Error):
        client.connection.close()


def test_answers_name_the_lives(served: tuple[Account, Service], clock: Clock) -> None:
    account, service = served
    connection = service.connect()
    (session,) = account.sessions()

    def ask(path: str, token: str) -> Any:
        headers = {"authorization": f'Snowflake Token="{token}"'}
        client = TestClient(Server(account).application())
        return client.post(path, json={"sqlText": "SELECT 1"}, headers=headers).json()

    clock.now += 61
    assert ask("/queries/v1/query-request", session.token)["code"] == "390112"
    renewed = ask("/session/token-request", session.master_token)["data"]
    assert (renewed["validityInSecondsST"], renewed["validityInSecondsMT"]) == (60, 600)
    clock.now += 601
    assert ask("/session/token-request", session.master_token)["code"] == "390114"
    account.tick()
    assert account.sessions() == []
    row = account.history.sessions()[0]
    assert row["closed_reason"] == "SESSION_EXPIRED"
    with contextlib.suppress(Error):
        connection.close()

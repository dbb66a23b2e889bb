"""Starts an emulated account and talks to it with the real connector."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.ipc
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.data.executor import Request
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.session import Session
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor

ACCOUNT = "HANGERLAB"
ADMIN = "HANGER_PROVISIONER"
_numbers = itertools.count(1)


@dataclass
class Key:
    """An RSA key pair."""

    private: bytes
    public: str
    private_pem: bytes

    @classmethod
    def generate(cls) -> Key:
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        private_pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(private, "".join(public.splitlines()[1:-1]), private_pem)

    @property
    def pem(self) -> str:
        return f"-----BEGIN PUBLIC KEY-----\n{self.public}\n-----END PUBLIC KEY-----\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """A server process of its own."""

    directory: Path
    key: Key
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.launch()
        self._wait()

    def launch(self) -> None:
        public = self.directory / "admin.pub"
        self.directory.mkdir(parents=True, exist_ok=True)
        public.write_text(self.key.pem)
        command = [sys.executable, "-m", "hanger_lab.snowflake", "serve", "--bind", "127.0.0.1", "--bind", "127.0.0.2"]
        command += ["--port", str(self.port), "--data-dir", str(self.directory / "data")]
        command += ["--admin-public-key", str(public)]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def connect(
        self, user: str = ADMIN, key: Key | None = None, host: str = "127.0.0.1", **options: Any
    ) -> SnowflakeConnection:
        if "password" not in options and "token" not in options:
            options |= {"private_key": (key or self.key).private, "authenticator": "SNOWFLAKE_JWT"}
        return snowflake.connector.connect(
            account=ACCOUNT,
            user=user,
            host=host,
            port=self.port,
            protocol="http",
            **{"login_timeout": 10, "network_timeout": 20, **options},
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer,
            ):
                if answer.status == 200 and self.process is not None and self.process.poll() is None:
                    return
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError((self.directory / "log").read_text())


class Client:
    """One connection, with short ways to ask."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self.connection = connection

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.rows(statement)

    def rows(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return [tuple(row) for row in cursor.fetchall()]

    def dicts(self, statement: str) -> list[dict[str, Any]]:
        with self.connection.cursor(DictCursor) as cursor:
            cursor.execute(statement)
            return [dict(row) for row in cursor.fetchall()]

    def value(self, statement: str) -> Any:
        return self.rows(statement)[0][0]

    def refused(self, statement: str) -> tuple[int, str]:
        """Run a statement that must fail; return error number and message."""
        try:
            found = self.rows(statement)
        except snowflake.connector.errors.Error as problem:
            return problem.errno, str(problem.msg)
        raise AssertionError(f"{statement} was not refused: {found}")


@dataclass
class Person:
    """A service user with a role of its own."""

    name: str
    role: str
    client: Client


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Inside:
    """An account in this process, and a session of its first user."""

    def __init__(self, directory: Path, key: Key, clock: Callable[[], float] = time.time) -> None:
        self.account = Account("HANGERLAB", directory, clock)
        self.account.ensure_admin(ADMIN, key.pem)
        self.session = self.login(ADMIN, "ACCOUNTADMIN")

    def login(self, user: str, role: str) -> Session:
        found = self.account.catalog.get("USER", (user,))
        made = Session(user, role, self.account.engine.connect(), user_created=found.created, clock=self.account.clock)
        made.address = "127.0.0.1"
        self.account._sessions[made.token] = made
        return made

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.account.execute(self.session, Request(statement))

    def rows(self, statement: str, session: Session | None = None) -> list[dict[str, Any]]:
        """Run a statement; return its rows by column, numbers of JSON results as text."""
        answer = self.account.execute(session or self.session, Request(statement))
        names = [column["name"] for column in answer["rowtype"]]
        if answer["queryResultFormat"] == "json":
            return [dict(zip(names, row, strict=True)) for row in answer["rowset"]]
        if not answer["rowsetBase64"]:
            return []
        reader = pyarrow.ipc.open_stream(base64.b64decode(answer["rowsetBase64"]))
        return [dict(zip(names, row.values(), strict=True)) for row in reader.read_all().to_pylist()]

    def refused(self, statement: str, session: Session | None = None) -> tuple[int, str]:
        try:
            found = self.rows(statement, session)
        except SnowflakeError as problem:
            return problem.number, problem.message
        raise AssertionError(f"{statement} was not refused: {found}")


def unique(prefix: str) -> str:
    return f"{prefix}_{os.getpid()}_{next(_numbers)}".upper()


@contextlib.contextmanager
def person(service: Service, admin: Client, key: Key, warehouse: str | None = None) -> Iterator[Person]:
    """Create a role and a service user that holds it, and log in."""
    name, role = unique("USER"), unique("ROLE")
    admin.run(
        f"CREATE ROLE {role}",
        f"CREATE USER {name} TYPE = SERVICE RSA_PUBLIC_KEY = '{key.public}' DEFAULT_ROLE = {role}",
        f"GRANT ROLE {role} TO USER {name}",
    )
    if warehouse is not None:
        admin.run(
            f"GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role}",
            f"ALTER USER {name} SET DEFAULT_WAREHOUSE = {warehouse}",
        )
    connection = service.connect(name, key)
    try:
        yield Person(name, role, Client(connection))
    finally:
        connection.close()

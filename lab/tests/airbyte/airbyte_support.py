"""A PostgreSQL cluster, an emulated Snowflake account and the API in front of the engine, for the tests."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fastapi.testclient import TestClient
from hanger_lab.airbyte.application import application
from hanger_lab.airbyte.services import Services
from psycopg import sql

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
CLIENT_SECRET = "a secret of the tests"
PUBLIC = "/api/public/v1"
CONFIG = "/api/v1"
PASSWORD = "extraction's password"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def postgres_binaries() -> Path | None:
    """The directory of PostgreSQL's server programs, the newest version, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Postgres:
    """A cluster of its own; the server refuses to run as root, so it runs as another user then."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self.port = free_port()
        self.directory = directory
        self._binaries = binaries
        self._user = self._account()

    def start(self) -> None:
        if self._user:
            shutil.chown(self.directory, self._user)
        data = str(self.directory / "data")
        methods = ("--auth-local=trust", "--auth-host=scram-sha-256")
        self._run("initdb", "--no-sync", *methods, "--username=admin", "-D", data)
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self.directory}"
        self._run("pg_ctl", "-w", "-D", data, "-l", str(self.directory / "log"), "-o", options, "start")
        with psycopg.connect(host=str(self.directory), port=self.port, user="admin", dbname="postgres") as connection:
            connection.execute(sql.SQL("ALTER ROLE admin PASSWORD {}").format(PASSWORD))

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self.directory / "data"), "stop")

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="admin", password=PASSWORD, dbname=database, autocommit=True
        )

    def configuration(self, database: str, **changes: Any) -> dict[str, Any]:
        return {
            "sourceType": "postgres",
            "host": "127.0.0.1",
            "port": self.port,
            "database": database,
            "username": "extraction",
            "password": PASSWORD,
            "schemas": ["public"],
            "ssl_mode": {"mode": "prefer"},
            "replication_method": {"method": "Standard"},
            "tunnel_method": {"tunnel_method": "NO_TUNNEL"},
            **changes,
        }

    def _account(self) -> str | None:
        if os.getuid() != 0:
            return None
        known = {entry.pw_name for entry in pwd.getpwall()}
        return "postgres" if "postgres" in known else "nobody"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            user=self._user,
            cwd=self.directory,
            check=False,
        )
        assert done.returncode == 0, (program, done.stderr)


@dataclass
class Key:
    """An RSA key pair."""

    made: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def pem(self, password: str | None = None) -> str:
        encryption: KeySerializationEncryption = NoEncryption()
        if password:
            encryption = BestAvailableEncryption(password.encode())
        return self.made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()

    @property
    def public(self) -> str:
        return self.made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Account:
    """An emulated account with the platform's LOADER: it may create tables in RAW.GYM and schemas in RAW."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.key = Key()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None

    def start(self) -> None:
        public = self._directory / "admin.pub"
        public.write_text(self.key.public)
        command = [sys.executable, "-m", "hanger_lab.snowflake", "serve", "--bind", "127.0.0.1"]
        command += ["--port", str(self.port), "--data-dir", str(self._directory / "data")]
        command += ["--admin-public-key", str(public)]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()
        self._connection = snowflake.connector.connect(
            account="HANGERLAB",
            user="HANGER_PROVISIONER",
            private_key=self.key.made,
            host="127.0.0.1",
            port=self.port,
            protocol="http",
            login_timeout=10,
            network_timeout=20,
        )
        bare = "".join(self.key.public.splitlines()[1:-1])
        for statement in (
            "CREATE WAREHOUSE LOADING",
            "CREATE DATABASE RAW",
            "CREATE SCHEMA RAW.GYM",
            "CREATE ROLE LOADER",
            f"CREATE USER AIRBYTE TYPE = SERVICE RSA_PUBLIC_KEY = '{bare}' DEFAULT_ROLE = LOADER",
            "GRANT ROLE LOADER TO USER AIRBYTE",
            "GRANT ROLE LOADER TO ROLE ACCOUNTADMIN",
            "GRANT USAGE ON WAREHOUSE LOADING TO ROLE LOADER",
            "GRANT USAGE, CREATE SCHEMA ON DATABASE RAW TO ROLE LOADER",
            "GRANT USAGE, CREATE TABLE ON SCHEMA RAW.GYM TO ROLE LOADER",
            "USE WAREHOUSE LOADING",
        ):
            self.rows(statement)

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            return [tuple(row) for row in cursor.execute(statement).fetchall()]

    def value(self, statement: str) -> Any:
        return self.rows(statement)[0][0]

    def tables(self, schema: str = "GYM") -> list[str]:
        return sorted(row[1] for row in self.rows(f"SHOW TABLES IN SCHEMA RAW.{schema}"))

    def configuration(self, **changes: Any) -> dict[str, Any]:
        return {
            "destinationType": "snowflake",
            "host": f"127.0.0.1:{self.port}",
            "jdbc_url_params": "ssl=off&loginTimeout=10&networkTimeout=20",
            "role": "LOADER",
            "warehouse": "LOADING",
            "database": "RAW",
            "schema": "GYM",
            "username": "AIRBYTE",
            "credentials": {"auth_type": "Key Pair Authentication", "private_key": self.key.pem()},
            **changes,
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz"):
                return
            time.sleep(0.1)
        raise AssertionError((self._directory / "log").read_text())


class Api:
    """The API in this process, with a token."""

    def __init__(self, directory: Path) -> None:
        self.services = Services.open(directory, CLIENT_ID, CLIENT_SECRET)
        self.client = TestClient(application(self.services), raise_server_exceptions=False)
        self.workspace = self.services.workspace
        self.authorise()

    def authorise(self) -> None:
        credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = self.client.post(f"{PUBLIC}/applications/token", json=credentials).json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200, **query: Any) -> Any:
        """Call the public API, or the other one for a path that starts with it; return the JSON."""
        answer = self.raw(method, path, body, **query)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def raw(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        url = path if path.startswith("/api/") else PUBLIC + path
        answer: httpx.Response = self.client.request(method, url, json=body, params=query)
        return answer

    def refusal(self, method: str, path: str, body: Any = None, *, status: int = 422, **query: Any) -> str:
        answer = self.raw(method, path, body, **query)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        return str(answer.json()["detail"])

    def actor(self, kind: str, name: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
        body = {"name": name, "workspaceId": self.workspace, "configuration": configuration}
        made: dict[str, Any] = self.ask("POST", f"/{kind}s", body)
        return made

    def wait(self, job_id: int, timeout: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.ask("GET", f"/jobs/{job_id}")
            if job["status"] not in ("pending", "running"):
                self.services.runner.wait(job_id, 10)
                return dict(self.ask("GET", f"/jobs/{job_id}"))
            time.sleep(0.02)
        raise AssertionError(job)

    def sync(self, connection_id: str, job_type: str = "sync") -> dict[str, Any]:
        return self.wait(self.ask("POST", "/jobs", {"connectionId": connection_id, "jobType": job_type})["jobId"])

    def reason(self, job_id: int) -> str:
        """Why a job failed."""
        attempt = self.ask("POST", f"{CONFIG}/jobs/get", {"id": job_id})["attempts"][0]
        summary = attempt["attempt"]["failureSummary"]["failures"]
        assert any("ERROR" in line for line in attempt["logs"]["logLines"])
        return str(summary[0]["externalMessage"])


@contextlib.contextmanager
def running(api: Api) -> Iterator[Api]:
    with api.client:
        yield api

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from testinfra.backend.base import CommandResult
from testinfra.host import Host

Psql = Callable[..., CommandResult]
Login = Callable[..., SnowflakeConnection]


@pytest.fixture(scope="session")
def lab() -> dict[str, Any]:
    """Return the facts of the lab that the scenario runs in."""
    facts: dict[str, Any] = json.loads((Path(os.environ.get("HANGER_LAB_DIR", ".lab")) / "lab.json").read_text())
    return facts


@pytest.fixture(scope="session")
def login(lab: dict[str, Any]) -> Login:
    """Log a user in to the account: the key is a file below the lab's secrets."""

    def connect(user: str, key: str, **settings: str) -> SnowflakeConnection:
        account = {name: lab["snowflake"][name] for name in ("account", "host", "port", "protocol")}
        path = Path(lab["directory"], "secrets", key)
        return snowflake.connector.connect(
            user=user, private_key_file=str(path), login_timeout=15, network_timeout=20, **account, **settings
        )

    return connect


@pytest.fixture(scope="session")
def ec2(lab: dict[str, Any]) -> Any:
    """Return a client of the lab's EC2."""
    facts = lab["ec2"]
    return boto3.client(
        "ec2",
        endpoint_url=facts["endpoint_url"],
        region_name=facts["region"],
        aws_access_key_id=facts["access_key"],
        aws_secret_access_key=facts["secret_key"],
    )


@pytest.fixture
def psql(host: Host) -> Psql:
    """Ask a database as any client would: the connection is given in libpq's words."""

    def ask(query: str, password: str, **connection: str) -> CommandResult:
        target = " ".join(f"{key}={value}" for key, value in {"connect_timeout": "5", **connection}.items())
        command = ["env", f"PGPASSWORD={password}", "psql", "-XAtc", query, target]
        return host.run(shlex.join(command))

    return ask


@pytest.fixture
def as_postgres(host: Host) -> Callable[[str, str], str]:
    """Ask a database as the superuser, over the local socket."""

    def ask(query: str, database: str = "postgres") -> str:
        command = [
            "sudo",
            "-u",
            "postgres",
            "psql",
            "-XqAt",
            "--dbname",
            database,
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            query,
        ]
        return host.check_output(f"cd / && {shlex.join(command)}")

    return ask

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

Psql = Callable[..., CommandResult]


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

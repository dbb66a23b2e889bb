from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airbyte_support import PASSWORD, Account, Api, Postgres, postgres_binaries, running

_numbers = itertools.count(1)
Database = tuple[str, "psycopg.Connection[Any]"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed")
    with tempfile.TemporaryDirectory(prefix="hanger-pg-") as directory:
        cluster = Postgres(Path(directory), binaries)
        cluster.start()
        try:
            with cluster.connect() as connection:
                connection.execute(f"CREATE ROLE extraction LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    made = Account(tmp_path_factory.mktemp("account"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(Api(tmp_path / "airbyte")) as made:
        yield made


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """A database of the test's own whose tables the user `extraction` may read."""
    name = f"gym{next(_numbers)}"
    with postgres.connect() as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with postgres.connect(name) as connection:
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO extraction")
        yield name, connection


@pytest.fixture
def schema(account: Account) -> str:
    """A schema of the test's own that LOADER may write."""
    name = f"GYM{next(_numbers)}"
    account.rows(f"CREATE SCHEMA RAW.{name}")
    account.rows(f"GRANT USAGE, CREATE TABLE ON SCHEMA RAW.{name} TO ROLE LOADER")
    return name


@pytest.fixture
def connect(
    api: Api, postgres: Postgres, account: Account, database: Database, schema: str
) -> Callable[..., dict[str, Any]]:
    """Makes source, destination and a connection of these streams."""

    def make(*streams: dict[str, Any], **settings: Any) -> dict[str, Any]:
        source = api.actor("source", "gym", postgres.configuration(database[0]))
        destination = api.actor("destination", "warehouse", account.configuration(schema=schema))
        body = {
            "sourceId": source["sourceId"],
            "destinationId": destination["destinationId"],
            "name": "gym to warehouse",
            "configurations": {"streams": list(streams)},
            **settings,
        }
        made: dict[str, Any] = api.ask("POST", "/connections", body)
        return made

    return make

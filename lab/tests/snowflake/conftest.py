from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from snowflake_support import Client, Inside, Key, Person, Service, person, unique


@pytest.fixture(scope="session")
def key() -> Key:
    return Key.generate()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, key: Key) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("snowflake"), key)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def shared_admin(service: Service) -> Iterator[Client]:
    client = Client(service.connect())
    client.run("CREATE WAREHOUSE WORK", "CREATE DATABASE LAB")
    yield client
    client.connection.close()


@pytest.fixture
def admin(shared_admin: Client) -> Client:
    """The first user as ACCOUNTADMIN, with a warehouse and a schema of the test's own."""
    schema = unique("S")
    shared_admin.run(
        "USE ROLE ACCOUNTADMIN", "USE SECONDARY ROLES ALL", "USE WAREHOUSE WORK", f"CREATE SCHEMA LAB.{schema}"
    )
    return shared_admin


@pytest.fixture
def somebody(service: Service, admin: Client, key: Key) -> Iterator[Person]:
    """A service user who may use the warehouse and nothing else."""
    with person(service, admin, key, warehouse="WORK") as found:
        yield found


@pytest.fixture(scope="session")
def nobody(service: Service, shared_admin: Client, key: Key) -> Iterator[Person]:
    """A service user who may use the warehouse, for tests that grant nothing."""
    with person(service, shared_admin, key, warehouse="WORK") as found:
        yield found


@pytest.fixture
def second_key() -> Key:
    return Key.generate()


@pytest.fixture
def another_service(tmp_path: Path, key: Key) -> Iterator[Callable[[], Service]]:
    """Makes servers that a test may stop and start."""
    made: list[Service] = []

    def make() -> Service:
        made.append(Service(tmp_path / "account", key))
        return made[-1]

    yield make
    for found in made:
        found.stop()


@pytest.fixture
def inside(tmp_path: Path, key: Key) -> Iterator[Inside]:
    made = Inside(tmp_path / "account", key)
    yield made
    made.account.close()

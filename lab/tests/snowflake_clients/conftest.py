from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "snowflake"))

from snowflake_support import Client, Key, Service


@pytest.fixture(scope="session")
def key() -> Key:
    return Key.generate()


@pytest.fixture(scope="session")
def key_file(key: Key, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key as the clients read it."""
    path = tmp_path_factory.mktemp("key") / "key.p8"
    path.touch(0o600)
    path.write_bytes(key.private_pem)
    return path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, key: Key) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("snowflake"), key)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def admin(service: Service) -> Iterator[Client]:
    client = Client(service.connect())
    client.run("CREATE WAREHOUSE WORK")
    yield client
    client.connection.close()

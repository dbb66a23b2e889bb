"""A lab of its own for each test, on the engine that is there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hanger_lab.config import Lab
from hanger_lab.machines import Engine
from hanger_lab.machines.cleanup import remove_objects

ROOT = Path(__file__).parents[3]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engine: needs a Docker engine and the lab's machine images")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab that shares only the cache of images with the project's own."""
    cache = Path(os.environ.get("HANGER_LAB_CACHE") or ROOT / ".lab" / "cache")
    return Lab(tmp_path / "lab", cache.resolve(), ec2_port=free_port(), snowflake_port=free_port())


@pytest.fixture
def engine(lab: Lab) -> Iterator[Engine]:
    connected = Engine.connect(lab)
    yield connected
    remove_objects(connected)

"""A lab's EC2 in this process, with machines that exist on paper only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ec2_support import PaperEngine, Start, client, forget_moto, free_port, make_network
from hanger_lab.config import Lab
from hanger_lab.ec2 import server
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.images import catalogue


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engine: needs a Docker engine and the lab's machine images")


@pytest.fixture
def engine() -> PaperEngine:
    return PaperEngine()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(directory=tmp_path / "lab", cache=tmp_path / "cache")


@pytest.fixture
def conflicts() -> list[str]:
    """What the host says about every range; empty when it is free."""
    return []


@pytest.fixture
def start(lab: Lab, engine: PaperEngine, conflicts: list[str]) -> Iterator[Start]:
    """Start the server; calling it again restarts it with nothing but the saved state."""
    contexts: list[Any] = []

    def stop() -> None:
        while contexts:
            contexts.pop().__exit__(None, None, None)
        forget_moto()

    def begin() -> Any:
        stop()
        port = free_port()
        fleet = Fleet(engine, lab.id, catalogue("x86_64"), lambda name: f"hanger-lab/{name}")
        context = server.running(replace(lab, ec2_port=port), fleet, lambda network: list(conflicts))
        context.__enter__()
        contexts.append(context)
        return client("ec2", lab, f"http://127.0.0.1:{port}")

    yield begin
    stop()


@pytest.fixture
def ec2(start: Start) -> Any:
    return start()


@pytest.fixture
def network(ec2: Any) -> SimpleNamespace:
    """A VPC with one subnet, a key and a group that admits SSH from anywhere."""
    return make_network(ec2)

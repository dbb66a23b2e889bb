"""The versions of the connector that the collection and its neighbours use, each in an environment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients_support import HERE, environment
from snowflake_support import Client, Service


@pytest.mark.parametrize("name", ["connector-4.5", "connector-4.8", "connector-5"])
def test_connector_works(name: str, admin: Client, service: Service, key_file: Path) -> None:
    database = name.replace("-", "_").replace(".", "_").upper()
    script = HERE / "scripts/connector.py"
    printed = environment(name).succeed("python", str(script), str(service.port), str(key_file), database)
    assert printed.strip().splitlines()[-1].startswith(f"connector {name.rpartition('-')[2]}.")

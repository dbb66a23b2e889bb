"""snowflake-sqlalchemy: tables by metadata, reflection, pandas."""

from __future__ import annotations

from pathlib import Path

from clients_support import HERE, environment
from snowflake_support import Client, Service


def test_sqlalchemy_works(admin: Client, service: Service, key_file: Path) -> None:
    admin.run("CREATE DATABASE ALCHEMY")
    script = HERE / "scripts/sqlalchemy_session.py"
    environment("sqlalchemy").succeed("python", str(script), str(service.port), str(key_file), "ALCHEMY")

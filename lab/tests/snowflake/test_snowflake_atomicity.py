"""A statement that fails leaves neither files nor entries, and one that succeeds loses neither."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hanger_lab.snowflake.data import stages
from snowflake_support import Inside


@pytest.fixture
def full_disk(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fill a database, then let the catalogue fail to reach the disk."""

    def write(_: Mapping[Any, Any]) -> None:
        raise OSError("no space left on device")

    inside.run("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE WAREHOUSE W", "USE WAREHOUSE W")
    inside.run("CREATE TABLE D.S.T AS SELECT 1 I")
    stages.store(stages.directory(inside.account.engine, ("D", "S", "ST")) / "file", b"1")
    monkeypatch.setattr(inside.account._store, "write", write)
    return monkeypatch


@pytest.mark.parametrize(
    "statement",
    [
        "DROP DATABASE D",
        "DROP SCHEMA D.S",
        "CREATE OR REPLACE DATABASE D",
        "CREATE OR REPLACE SCHEMA D.S",
        "CREATE DATABASE E",
        "CREATE SCHEMA D.E",
    ],
)
def test_failed_statement_changes_nothing(
    inside: Inside, tmp_path: Path, full_disk: pytest.MonkeyPatch, statement: str
) -> None:
    before = inside.account.engine.contents()
    with pytest.raises(Exception, match="Unsupported feature"):
        inside.run(statement)
    assert inside.account.engine.contents() == before
    assert [path.name for path in (tmp_path / "account" / "databases").glob("*.duckdb")] == ["D.duckdb"]
    assert len(list((tmp_path / "account" / "stages").rglob("file"))) == 1
    full_disk.undo()
    inside.run("SELECT * FROM D.S.T", statement)


@pytest.mark.parametrize("statement", ["CREATE OR REPLACE DATABASE D", "CREATE OR REPLACE SCHEMA D.S"])
def test_replaced_object_is_empty(inside: Inside, tmp_path: Path, statement: str) -> None:
    inside.run("CREATE DATABASE D", "CREATE SCHEMA D.S", "CREATE TABLE D.S.T (I INT)", statement)
    stages.store(stages.directory(inside.account.engine, ("D", "S", "ST")) / "file", b"1")
    inside.run("CREATE SCHEMA IF NOT EXISTS D.S", "CREATE TABLE D.S.T (J INT)", statement)
    assert not list((tmp_path / "account" / "stages").rglob("file"))
    assert ("D", "S", "T") not in inside.account.engine.contents()


def test_refused_name_does_not_remove_its_twin(inside: Inside, tmp_path: Path) -> None:
    inside.run("CREATE DATABASE D", "CREATE SCHEMA D.S")
    for statement in ('CREATE DATABASE "d"', 'CREATE SCHEMA D."s"', 'CREATE OR REPLACE DATABASE "d"'):
        with pytest.raises(Exception, match="differs only by case"):
            inside.run(statement)
    assert ("D", "S") in inside.account.engine.contents()

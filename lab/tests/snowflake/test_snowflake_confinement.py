"""Names of objects never lead to files of others, and statements never to data of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.data import folders, stages
from hanger_lab.snowflake.data.executor import Request
from hanger_lab.snowflake.session import Session
from snowflake_support import ADMIN, Client, Key


class Inside:
    """An account in this process, and a session of its first user."""

    def __init__(self, directory: Path, key: Key) -> None:
        self.account = Account("HANGERLAB", directory)
        self.account.ensure_admin(ADMIN, key.pem)
        self.session = Session(ADMIN, "ACCOUNTADMIN", self.account.engine.connect())

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.account.execute(self.session, Request(statement))


@pytest.fixture
def inside(tmp_path: Path, key: Key) -> Iterator[Inside]:
    made = Inside(tmp_path / "account", key)
    yield made
    made.account.close()


@pytest.mark.parametrize("name", ["..", ".", "a/../..", "%2E%2E", "x.y"])
def test_dropping_removes_nothing_but_the_object(inside: Inside, tmp_path: Path, name: str) -> None:
    inside.run("CREATE DATABASE KEPT", f'CREATE DATABASE "{name}"', f'CREATE SCHEMA "{name}"."{name}"')
    inside.run(f'CREATE STAGE "{name}"."{name}"."{name}"')
    kept = stages.directory(inside.account.engine, ("KEPT", "PUBLIC", "ST")) / "file"
    stages.store(kept, b"1")
    inside.run(f'DROP STAGE "{name}"."{name}"."{name}"', f'DROP SCHEMA "{name}"."{name}"', f'DROP DATABASE "{name}"')
    assert kept.read_bytes() == b"1"
    assert (tmp_path / "account" / "catalog.sqlite").is_file()
    assert [path.name for path in (tmp_path / "account" / "databases").glob("*.duckdb")] == ["KEPT.duckdb"]


def test_nothing_outside_a_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    for path in (tmp_path / "root", tmp_path / "root" / "..", tmp_path, tmp_path / "root" / "x" / ".."):
        with pytest.raises(ValueError, match="not inside"):
            folders.remove(tmp_path / "root", path)
    assert (tmp_path / "root").is_dir()


def test_signature_of_an_encoded_path_is_not_that_of_another(inside: Inside) -> None:
    signed = stages.sign("LAB/PUBLIC/named/%2E%2E/file")
    expires, signature = (part.split("=")[1] for part in signed.partition("?")[2].split("&"))
    assert stages.accept_upload(inside.account.engine, "LAB/PUBLIC/named/%2E%2E/file", expires, signature)
    assert not stages.accept_upload(inside.account.engine, "LAB/PUBLIC/named/../file", expires, signature)


def test_stage_that_is_named_like_a_table_stage_is_another(admin: Client, tmp_path: Path) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("1\n")
    admin.run("CREATE TABLE T (I INT)", f"PUT file://{path} @%T", 'CREATE STAGE "%T"', 'CREATE STAGE "tables"')
    assert admin.rows('LIST @"%T"') == []
    assert admin.rows('LIST @"tables"') == []
    admin.run(f"PUT file://{path} '@\"%T\"'", 'DROP STAGE "%T"')
    assert len(admin.rows("LIST @%T")) == 1

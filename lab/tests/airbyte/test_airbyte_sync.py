"""Rows on their way from a real PostgreSQL to the emulated account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airbyte_support import Account, Api
from conftest import Database

Connect = Callable[..., dict[str, Any]]
META = ["_AIRBYTE_RAW_ID", "_AIRBYTE_EXTRACTED_AT", "_AIRBYTE_META", "_AIRBYTE_GENERATION_ID"]


def members(database: Database, count: int = 100) -> None:
    database[1].execute(
        "CREATE TABLE members (id int PRIMARY KEY, name varchar(255), joined timestamp);"
        "INSERT INTO members SELECT i, 'member ' || i, timestamp '2024-01-01' + i * interval '1 hour'"
        f" FROM generate_series(1, {count}) i"
    )


def test_a_table_is_replaced_and_keeps_airbytes_columns(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database)
    connection = connect({"name": "members"})
    job = api.sync(connection["connectionId"])
    assert job["status"] == "succeeded", api.reason(job["jobId"])
    assert job["rowsSynced"] == 100
    assert job["bytesSynced"] > 1000
    assert account.tables(schema) == ["MEMBERS"]
    columns = [row[0] for row in account.rows(f"DESCRIBE TABLE RAW.{schema}.MEMBERS")]
    assert columns == [*META, "ID", "NAME", "JOINED"]
    database[1].execute("DELETE FROM members WHERE id > 10")
    assert api.sync(connection["connectionId"])["rowsSynced"] == 10
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS") == 10
    assert account.tables(schema) == ["MEMBERS"]
    assert account.value(f'SELECT max("_AIRBYTE_GENERATION_ID") FROM RAW.{schema}.MEMBERS') == 2

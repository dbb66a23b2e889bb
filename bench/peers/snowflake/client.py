"""Asks the emulated account and fakesnow's own server the same, by turns, over the same connector."""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import snowflake.connector

ROWS = 1_000_000
SELECTS = 400
FETCHES = 5
_HERE = {"host": "127.0.0.1", "protocol": "http", "no_proxy": "127.0.0.1", "login_timeout": 20}
_TABLE = f"""
    CREATE TABLE D.S.T AS
    SELECT I, 'member ' || I AS NAME, I % 100 AS AGE, I / 3.0 AS RATE FROM (
        SELECT ROW_NUMBER() OVER (ORDER BY SEQ4()) AS I FROM TABLE(GENERATOR(ROWCOUNT => {ROWS}))
    )
"""  # noqa: S608


def main(emulated_port: str, fakesnow_port: str, key: str) -> None:
    """Print what was measured as one JSON object."""
    logging.disable(logging.CRITICAL)
    emulated = snowflake.connector.connect(
        account="HANGERLAB",
        user="HANGER_PROVISIONER",
        private_key_file=key,
        authenticator="SNOWFLAKE_JWT",
        port=int(emulated_port),
        **_HERE,
    )
    alone = snowflake.connector.connect(account="fakesnow", user="u", password="p", port=int(fakesnow_port), **_HERE)  # noqa: S106
    _run(emulated, "CREATE WAREHOUSE W")
    for connection in (emulated, alone):
        _run(connection, "CREATE DATABASE D", "CREATE SCHEMA D.S", "USE SCHEMA D.S", _TABLE)
    pair = {"emulated": emulated, "fakesnow": alone}
    for connection in pair.values():
        for _ in range(20):
            _run(connection, "SELECT 1")
    selects = {name: 1000 * value for name, value in _median(pair, SELECTS, _select).items()}
    fetches = _median(pair, FETCHES, _fetch)
    json.dump(
        {"select_1_ms": selects, "rows_per_s": {name: ROWS / value for name, value in fetches.items()}}, sys.stdout
    )


def _run(connection: Any, *statements: str) -> None:
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(statement).fetchall()


def _select(connection: Any) -> None:
    with connection.cursor() as cursor:
        if cursor.execute("SELECT 1").fetchall() != [(1,)]:
            raise SystemExit("SELECT 1 is not 1")


def _fetch(connection: Any) -> None:
    with connection.cursor() as cursor:
        rows = sum(1 for _ in cursor.execute("SELECT * FROM D.S.T"))
    if rows != ROWS:
        raise SystemExit(f"{rows} rows instead of {ROWS}")


def _median(pair: dict[str, Any], times: int, ask: Callable[[Any], None]) -> dict[str, float]:
    """Return the median of the seconds that each took, asked by turns."""
    taken: dict[str, list[float]] = {name: [] for name in pair}
    for _ in range(times):
        for name, connection in pair.items():
            started = time.perf_counter()
            ask(connection)
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in taken.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])

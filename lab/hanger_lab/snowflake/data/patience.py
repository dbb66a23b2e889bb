"""Lets a single statement wait for a session that changes the same rows, as Snowflake would."""

from __future__ import annotations

import time
from typing import Any

import duckdb

from hanger_lab.snowflake.data.engine import Connection

SECONDS = 10


def is_conflict(problem: duckdb.TransactionException) -> bool:
    """Whether another session was quicker."""
    return "onflict" in str(problem)


class Patient:
    """A DuckDB connection that repeats a conflicting statement, unless a transaction is open.

    fakesnow follows a CREATE with statements about lengths and comments: each is a transaction of its own, so only the
    one that met another session may be repeated.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, text: str, parameters: Any = None) -> Any:
        """Run one statement, for as long as SECONDS."""
        duck = self._connection.duck
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                return duck.execute(text, parameters)
            except duckdb.TransactionException as problem:
                if self._connection.in_transaction or not is_conflict(problem) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def __getattr__(self, name: str) -> Any:
        """Everything else is DuckDB's."""
        return getattr(self._connection.duck, name)

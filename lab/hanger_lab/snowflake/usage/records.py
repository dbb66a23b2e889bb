"""Keeps the account's use on disk: an SQLite file beside the catalogue's.

It is a file of its own because it is written with every statement: SQLite hands each row to the operating system
without waiting for the disk, so that a killed process loses nothing but a power cut may lose the last moments, and no
statement waits for the catalogue's slower, safer writes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hanger_lab.snowflake.usage.billing import Charge, Layer, Run

KEPT_SECONDS = 365 * 86_400
KEPT_ROWS = 20_000
_TRIM_EVERY = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS charge
    (warehouse TEXT, warehouse_id INTEGER, monitor TEXT, start REAL, "end" REAL, rate REAL);
CREATE INDEX IF NOT EXISTS charge_by_end ON charge ("end");
CREATE TABLE IF NOT EXISTS run (warehouse TEXT PRIMARY KEY, document TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS query (number INTEGER PRIMARY KEY, started REAL, document TEXT);
CREATE TABLE IF NOT EXISTS login (number INTEGER PRIMARY KEY, started REAL, document TEXT);
CREATE TABLE IF NOT EXISTS session (number INTEGER PRIMARY KEY, started REAL, document TEXT);
"""


class Records:
    """Charges, open runs, and the latest rows of each history."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.Lock()
        self._added: Counter[str] = Counter()

    def charges(self, since: float) -> list[Charge]:
        """Return what was billed and ended after a time."""
        with self._lock:
            rows = self._connection.execute('SELECT * FROM charge WHERE "end" > ?', [since]).fetchall()
        return [Charge(*row) for row in rows]

    def runs(self) -> list[Run]:
        """Return the runs that were open."""
        with self._lock:
            rows = self._connection.execute("SELECT document FROM run").fetchall()
        documents = [json.loads(document) for (document,) in rows]
        return [Run(**{**d, "layers": [Layer(**layer) for layer in d["layers"]]}) for d in documents]

    def save(self, run: Run, charges: Iterable[Charge] = ()) -> None:
        """Keep an open run, and what was billed of it already."""
        document = json.dumps(asdict(run))
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._charge(charges)
            self._connection.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", [run.warehouse, document])

    def close_run(self, run: Run, charges: Iterable[Charge], now: float) -> None:
        """Forget a run that has ended, and keep what it is billed for."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._charge(charges)
            self._connection.execute("DELETE FROM run WHERE warehouse = ?", [run.warehouse])
            self._connection.execute('DELETE FROM charge WHERE "end" < ?', [now - KEPT_SECONDS])

    def rename_run(self, old: str, run: Run) -> None:
        """Note that the warehouse of an open run has another name."""
        document = json.dumps(asdict(run))
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.execute("DELETE FROM run WHERE warehouse = ?", [old])
            self._connection.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", [run.warehouse, document])

    def add(self, history: str, started: float, document: dict[str, Any]) -> int:
        """Append to a history and return the row's number; the oldest rows are dropped now and then."""
        encoded = json.dumps(document)
        with self._lock:
            cursor = self._connection.execute(
                f"INSERT INTO {history} (started, document) VALUES (?, ?)",  # noqa: S608
                [started, encoded],
            )
            number = int(cursor.lastrowid or 0)
            self._added[history] += 1
            if self._added[history] % _TRIM_EVERY == 0:
                self._connection.execute(f"DELETE FROM {history} WHERE number <= ?", [number - KEPT_ROWS])  # noqa: S608
        return number

    def replace(self, history: str, number: int, document: dict[str, Any]) -> None:
        """Change a row of a history."""
        with self._lock:
            self._connection.execute(
                f"UPDATE {history} SET document = ? WHERE number = ?",  # noqa: S608
                [json.dumps(document), number],
            )

    def history(self, history: str, limit: int = KEPT_ROWS) -> list[dict[str, Any]]:
        """Return the latest rows of a history, the newest first, each with its number."""
        with self._lock:
            rows = self._connection.execute(
                f"SELECT number, started, document FROM {history} ORDER BY number DESC LIMIT ?",  # noqa: S608
                [limit],
            ).fetchall()
        return [{"number": number, "started": started, **json.loads(document)} for number, started, document in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _charge(self, charges: Iterable[Charge]) -> None:
        self._connection.executemany(
            "INSERT INTO charge VALUES (?, ?, ?, ?, ?, ?)",
            [(c.warehouse, c.warehouse_id, c.monitor, c.start, c.end, c.rate) for c in charges],
        )

"""Everything that outlives a request, in one SQLite file that only its owner may read."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
  kind TEXT NOT NULL, id TEXT PRIMARY KEY, body TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS secrets (coordinate TEXT PRIMARY KEY, owner TEXT NOT NULL, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id TEXT NOT NULL, job_type TEXT NOT NULL, status TEXT NOT NULL,
  created REAL NOT NULL, started REAL, updated REAL NOT NULL, ended REAL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_of_connection ON jobs (connection_id, id);
CREATE TABLE IF NOT EXISTS logs (job_id INTEGER NOT NULL, line TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS logs_of_job ON logs (job_id);
CREATE TABLE IF NOT EXISTS states (
  connection_id TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL DEFAULT 0,
  state TEXT, PRIMARY KEY (connection_id, namespace, name));
"""


class Store:
    """Objects, secrets and stream states; jobs are in `JobStore`, which shares the connection."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements together or not at all; nested use belongs to the outer transaction."""
        with self._lock:
            if self._database.in_transaction:
                yield self._database
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def query(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._lock:
            return self._database.execute(sql, arguments).fetchall()

    def meta(self, name: str, default: str) -> str:
        """Return a setting; the first caller's default stays."""
        with self.transaction() as database:
            database.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, default))
            return str(database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    def set_meta(self, name: str, value: str) -> None:
        """Change a setting."""
        with self.transaction() as database:
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def token_key(self) -> bytes:
        """Return the key that signs this installation's tokens."""
        return bytes.fromhex(self.meta("token_key", secrets.token_hex(32)))

    def add(self, kind: str, body: Mapping[str, Any], identifier: str | None = None) -> str:
        """Store a new object and return its id."""
        identifier = identifier or str(uuid.uuid4())
        with self.transaction() as database:
            database.execute(
                "INSERT INTO objects SELECT ?, ?, ?, 0, coalesce(max(position), 0) + 1 FROM objects",
                (kind, identifier, json.dumps({**body, "createdAt": body.get("createdAt", int(time.time()))})),
            )
        return identifier

    def get(self, kind: str, identifier: str) -> Json | None:
        """Return an object's body, None when there is none or it was deleted."""
        rows = self.query("SELECT body FROM objects WHERE kind = ? AND id = ? AND NOT deleted", kind, identifier)
        return json.loads(rows[0][0]) if rows else None

    def replace(self, identifier: str, body: Mapping[str, Any]) -> None:
        """Replace an object's body."""
        with self.transaction() as database:
            database.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), identifier))

    def all(self, kind: str, *, deleted: bool = False) -> list[tuple[str, Json]]:
        """Return all objects of a kind as (id, body), the oldest first."""
        rows = self.query(
            "SELECT id, body FROM objects WHERE kind = ? AND deleted <= ? ORDER BY position", kind, int(deleted)
        )
        return [(row[0], json.loads(row[1])) for row in rows]

    def delete(self, identifier: str) -> None:
        """Mark an object as deleted and forget its secrets and state."""
        with self.transaction() as database:
            database.execute("UPDATE objects SET deleted = 1 WHERE id = ?", (identifier,))
            database.execute("DELETE FROM secrets WHERE owner = ?", (identifier,))
            database.execute("DELETE FROM states WHERE connection_id = ?", (identifier,))

    def put_secret(self, coordinate: str, owner: str, value: str) -> None:
        """Store a secret under its coordinate."""
        with self.transaction() as database:
            database.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)", (coordinate, owner, value))

    def keep_secrets(self, owner: str, coordinates: set[str]) -> None:
        """Forget all secrets of an object but these."""
        with self.transaction() as database:
            rows = database.execute("SELECT coordinate FROM secrets WHERE owner = ?", (owner,)).fetchall()
            gone = [(row[0],) for row in rows if row[0] not in coordinates]
            database.executemany("DELETE FROM secrets WHERE coordinate = ?", gone)

    def secret(self, coordinate: str) -> str:
        """Return the secret of a coordinate."""
        return str(self.query("SELECT value FROM secrets WHERE coordinate = ?", coordinate)[0][0])

    def states(self, connection_id: str) -> dict[tuple[str, str], tuple[int, Json | None]]:
        """Return generation and state of each stream, by (namespace, name)."""
        rows = self.query(
            "SELECT namespace, name, generation, state FROM states WHERE connection_id = ?", connection_id
        )
        return {(row[0], row[1]): (row[2], json.loads(row[3]) if row[3] else None) for row in rows}

    def save_state(self, connection_id: str, namespace: str, name: str, generation: int, state: Json | None) -> None:
        """Replace generation and state of one stream."""
        with self.transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?)",
                (connection_id, namespace, name, generation, json.dumps(state) if state is not None else None),
            )

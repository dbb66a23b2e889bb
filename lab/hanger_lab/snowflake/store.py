"""Keeps the catalogue on disk: one SQLite file, every statement's changes in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Key = tuple[str, ...]


class Store:
    """A durable map from (section, key) to a JSON document."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS entry "
            "(section TEXT, key TEXT, document TEXT NOT NULL, PRIMARY KEY (section, key)) WITHOUT ROWID"
        )

    def load(self, section: str) -> Iterator[tuple[Key, dict[str, Any]]]:
        """Yield every document of a section with its key."""
        rows = self._connection.execute("SELECT key, document FROM entry WHERE section = ?", [section])
        for key, document in rows.fetchall():
            yield tuple(json.loads(key)), json.loads(document)

    def write(self, changes: Mapping[tuple[str, Key], dict[str, Any] | None]) -> None:
        """Apply all changes or none; None removes the document."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for (section, key), document in changes.items():
                encoded = json.dumps(key)
                if document is None:
                    self._connection.execute("DELETE FROM entry WHERE section = ? AND key = ?", [section, encoded])
                else:
                    self._connection.execute(
                        "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", [section, encoded, json.dumps(document)]
                    )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

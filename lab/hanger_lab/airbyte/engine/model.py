"""What the engine works with: tables found, streams to move, and how."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, LiteralString

from hanger_lab.airbyte.errors import CancelledError

SyncMode = Literal[
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "incremental_append",
    "incremental_deduped_history",
]
SYNC_MODES: tuple[SyncMode, ...] = (
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "incremental_append",
    "incremental_deduped_history",
)


@dataclass(frozen=True)
class Column:
    """A column of the source: its name, PostgreSQL's type, the type in the destination, how it is selected."""

    name: str
    source_type: str
    target_type: str
    json_schema: dict[str, Any] = field(hash=False)
    template: LiteralString = "{}"


@dataclass(frozen=True)
class Table:
    """A table or view that the source lets us read."""

    namespace: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    estimated_rows: int

    def column(self, name: str) -> Column:
        """Return a column by name; raise KeyError."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Stream:
    """One stream of a connection, resolved: where from, where to, in which mode."""

    namespace: str
    name: str
    mode: SyncMode
    target: tuple[str, str]
    cursor: str | None = None
    primary_key: tuple[str, ...] = ()
    selected: tuple[str, ...] | None = None

    @property
    def incremental(self) -> bool:
        """Whether only new rows are read."""
        return self.mode.startswith("incremental")

    @property
    def label(self) -> str:
        """The stream's name for messages."""
        return f"{self.namespace}.{self.name}"


class Cancellation:
    """Tells a running job to stop, because a user asked for it or a stream failed, and interrupts what it waits for."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._interrupts: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.by_user = False

    def request(self, *, by_user: bool) -> None:
        """Ask for the stop."""
        with self._lock:
            self.by_user = self.by_user or by_user
            interrupts = [] if self._event.is_set() else list(self._interrupts)
            self._event.set()
        for interrupt in interrupts:
            interrupt()

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call this, which must not raise, when the stop is asked for inside the block."""
        with self._lock:
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)

    @property
    def requested(self) -> bool:
        """Whether the stop was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise CancelledError once the stop was asked for."""
        if self._event.is_set():
            raise CancelledError

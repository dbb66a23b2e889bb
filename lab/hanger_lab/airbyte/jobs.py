"""Jobs: their history in the store, and what a job reports while it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hanger_lab.airbyte.errors import conflict
from hanger_lab.airbyte.store import Store

ACTIVE = ("pending", "queued", "running", "incomplete")
LOG_LINES = 500
DIED = "The server stopped while the job ran"
COLUMNS = "id, connection_id, job_type, status, created, started, updated, ended, outcome"


@dataclass
class StreamCount:
    """What one stream moved so far; `committed` once its rows can be read in the destination."""

    name: str
    namespace: str
    rows: int = 0
    bytes: int = 0
    committed: bool = False


@dataclass
class Outcome:
    """What a job moved, and why it failed if it did."""

    streams: list[StreamCount] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all streams."""
        return sum(stream.rows for stream in self.streams)

    @property
    def bytes(self) -> int:
        """Bytes of all streams, as the source wrote them."""
        return sum(stream.bytes for stream in self.streams)


@dataclass
class Job:
    """One run of a connection; times in seconds since 1970."""

    id: int
    connection_id: str
    job_type: str
    status: str
    created: float
    started: float | None
    updated: float
    ended: float | None
    outcome: Outcome

    @property
    def active(self) -> bool:
        """Whether it is not over."""
        return self.status in ACTIVE

    @property
    def seconds(self) -> float:
        """How long it ran, or runs."""
        return (self.ended or time.time()) - (self.started or self.created)


class JobStore:
    """The jobs of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, connection_id: str, job_type: str) -> Job:
        """Add a job; raise the problem of status 409 when the connection has one that is not over."""
        now = time.time()
        with self._store.transaction() as database:
            if any(job.active for job in self.of(connection_id)):
                raise conflict("A sync is already running for this connection")
            cursor = database.execute(
                "INSERT INTO jobs (connection_id, job_type, status, created, updated, outcome) VALUES (?,?,?,?,?,?)",
                (connection_id, job_type, "pending", now, now, json.dumps(asdict(Outcome()))),
            )
            return self._one(int(cursor.lastrowid or 0))

    def get(self, identifier: int) -> Job | None:
        """Return a job."""
        rows = self._store.query(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", identifier)  # noqa: S608
        return _job(rows[0]) if rows else None

    def of(self, connection_id: str) -> list[Job]:
        """Return a connection's jobs, the oldest first."""
        rows = self._store.query(f"SELECT {COLUMNS} FROM jobs WHERE connection_id = ? ORDER BY id", connection_id)  # noqa: S608
        return [_job(row) for row in rows]

    def all(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        return [_job(row) for row in self._store.query(f"SELECT {COLUMNS} FROM jobs ORDER BY id")]  # noqa: S608

    def start(self, identifier: int) -> bool:
        """Mark a job as running; False when it was cancelled before."""
        now = time.time()
        with self._store.transaction() as database:
            found = database.execute(
                "UPDATE jobs SET status = 'running', started = ?, updated = ? WHERE id = ? AND status = 'pending'",
                (now, now, identifier),
            )
            return found.rowcount == 1

    def report(self, identifier: int, outcome: Outcome) -> None:
        """Store what a running job moved so far."""
        with self._store.transaction() as database:
            database.execute(
                "UPDATE jobs SET outcome = ?, updated = ? WHERE id = ?",
                (json.dumps(asdict(outcome)), time.time(), identifier),
            )

    def finish(self, identifier: int, status: str, outcome: Outcome | None = None) -> None:
        """End a job that is not over yet; the first end counts."""
        now = time.time()
        active = ", ".join(f"'{name}'" for name in ACTIVE)
        with self._store.transaction() as database:
            if outcome is not None:
                self.report(identifier, outcome)
            database.execute(
                f"UPDATE jobs SET status = ?, ended = ?, updated = ? WHERE id = ? AND status IN ({active})",  # noqa: S608
                (status, now, now, identifier),
            )

    def recover(self) -> int:
        """Fail the jobs that a dead server left behind; return how many."""
        left = [job for job in self.all() if job.active]
        for job in left:
            job.outcome.failures.append(failure("airbyte_platform", "system_error", DIED))
            self.log(job.id, [f"ERROR {DIED}"])
            self.finish(job.id, "failed", job.outcome)
        return len(left)

    def log(self, identifier: int, lines: Sequence[str]) -> None:
        """Append lines to a job's log."""
        with self._store.transaction() as database:
            database.executemany("INSERT INTO logs VALUES (?, ?)", [(identifier, line) for line in lines])

    def lines(self, identifier: int) -> list[str]:
        """Return the last lines of a job's log."""
        rows = self._store.query(
            "SELECT line FROM logs WHERE job_id = ? ORDER BY rowid DESC LIMIT ?", identifier, LOG_LINES
        )
        return [row[0] for row in reversed(rows)]

    def _one(self, identifier: int) -> Job:
        job = self.get(identifier)
        assert job is not None  # noqa: S101
        return job


def failure(origin: str, kind: str, message: str) -> dict[str, Any]:
    """Return a failure as the configuration API shows it."""
    return {
        "failureOrigin": origin,
        "failureType": kind,
        "externalMessage": message,
        "internalMessage": message,
        "timestamp": int(time.time() * 1000),
    }


def _job(row: Sequence[Any]) -> Job:
    body: Mapping[str, Any] = json.loads(row[8])
    outcome = Outcome([StreamCount(**stream) for stream in body["streams"]], list(body["failures"]))
    identifier, connection_id, job_type, status, created, started, updated, ended = row[:8]
    return Job(identifier, connection_id, job_type, status, created, started, updated, ended, outcome)

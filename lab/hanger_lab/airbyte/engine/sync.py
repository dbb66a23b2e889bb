"""One sync: every stream is read in one snapshot and staged; only when all are staged is anything made visible."""

from __future__ import annotations

import contextlib
import queue
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psycopg

from hanger_lab.airbyte.connectors.postgres import PostgresConfig
from hanger_lab.airbyte.connectors.snowflake import SnowflakeConfig
from hanger_lab.airbyte.engine import destination, source, statements
from hanger_lab.airbyte.engine.destination import LAB_ACCOUNT
from hanger_lab.airbyte.engine.model import Cancellation, Stream, Table
from hanger_lab.airbyte.errors import CancelledError, ConnectorError

WORKERS = 2
States = Mapping[tuple[str, str], tuple[int, dict[str, Any] | None]]


class Reporter(Protocol):
    """Who is told what happens."""

    def log(self, line: str) -> None:
        """Take a line of the log."""

    def progress(self, stream: Stream, rows: int, size: int) -> None:
        """Take the rows and bytes that a stream has read so far."""

    def committed(self, stream: Stream, generation: int, state: dict[str, Any] | None) -> None:
        """Take the state of a stream whose rows can be read in the destination."""

    def failed(self, stream: Stream | None, error: ConnectorError) -> None:
        """Take the reason of a failure."""


@dataclass(frozen=True)
class Task:
    """What to sync."""

    connection_id: str
    job_id: int
    source: PostgresConfig
    destination: SnowflakeConfig
    streams: tuple[Stream, ...]
    states: States
    account: str = LAB_ACCOUNT


@dataclass
class Staged:
    """A stream on its way."""

    load: destination.Load
    generation: int
    extract: source.Extract = field(default_factory=lambda: source.Extract((), 0, 0, None))


@dataclass(frozen=True)
class Worker:
    """One connection to each end."""

    source: psycopg.Connection[Any]
    destination: destination.Destination


OpenWorker = Callable[[], AbstractContextManager[Worker]]


def run(task: Task, reporter: Reporter, cancellation: Cancellation) -> None:
    """Sync all streams; raise ConnectorError when one failed, CancelledError when the user asked for it."""
    if not task.streams:
        reporter.log("INFO The connection has no streams")
        return
    with ExitStack() as stack:
        snapshot = source.Snapshot(task.source, cancellation)
        first = stack.enter_context(snapshot.open())
        staged = resolve(task, source.discover(first, sorted({stream.namespace for stream in task.streams})))
        session = stack.enter_context(destination.connect(task.destination, task.account))
        existing = session.existing([item.load.target for item in staged])
        cancellation.check()
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hanger-airbyte-")))
        stamp = source.Stamp(task.job_id, 0, datetime.now(UTC).isoformat())
        done: set[int] = set()

        def stage(worker: Worker, item: Staged) -> None:
            started = time.monotonic()
            stream = item.load.stream
            item.extract = source.extract(
                worker.source,
                stream,
                item.load.columns,
                replace(stamp, generation=item.generation),
                task.states.get((stream.namespace, stream.name), (0, None))[1],
                scratch / f"{item.load.staging[1]}.csv.gz",
                cancellation,
                lambda rows, size: reporter.progress(stream, rows, size),
            )
            loaded = worker.destination.stage(item.load, item.extract.files)
            for file in item.extract.files:
                file.unlink()
            if loaded != item.extract.rows:
                message = f"{item.extract.rows} rows were read and {loaded} loaded"
                raise ConnectorError("destination", message)
            seconds = time.monotonic() - started
            reporter.log(f"INFO {stream.label}: staged {loaded} rows in {seconds:.2f} s")

        def publish(worker: Worker, item: Staged) -> None:
            worker.destination.publish(item.load, existing, item.extract.rows)
            done.add(id(item))
            reporter.committed(item.load.stream, item.generation, item.extract.state)

        try:
            worker = _already(Worker(first, session))
            more = [partial(_another, task, snapshot)] * (min(WORKERS, len(staged)) - 1)
            _in_parallel([worker, *more], staged, stage, reporter, cancellation)
            _in_parallel([worker], staged, publish, reporter, cancellation)
        finally:
            _discard(session, [item for item in staged if id(item) not in done], reporter)


def clear(task: Task, reporter: Reporter, cancellation: Cancellation) -> None:
    """Empty the tables of all streams and forget their states."""
    with destination.connect(task.destination, task.account) as session:
        cancellation.check()
        session.clear([stream.target for stream in task.streams])
        for stream in task.streams:
            generation = task.states.get((stream.namespace, stream.name), (0, None))[0]
            reporter.committed(stream, generation + 1, None)
            reporter.log(f"INFO {stream.label}: cleared")


def resolve(task: Task, tables: Sequence[Table]) -> list[Staged]:
    """Match streams with what the source has, the largest first; raise ConnectorError for what does not fit."""
    known = {(table.namespace, table.name): table for table in tables}
    targets: dict[tuple[str, str], Stream] = {}
    found: list[tuple[int, Staged]] = []
    for stream in task.streams:
        table = known.get((stream.namespace, stream.name))
        if table is None:
            near = get_close_matches(stream.label, [f"{t.namespace}.{t.name}" for t in tables], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            message = f"table {stream.label} does not exist or {task.source.username} may not read it{hint}"
            raise ConnectorError("source", f"PostgreSQL: {message}", kind="config_error")
        place = (stream.target[0].upper(), stream.target[1].upper())
        if place in targets:
            message = f"streams {targets[place].label} and {stream.label} both write {'.'.join(place)}"
            raise ConnectorError("destination", message, kind="config_error")
        targets[place] = stream
        found.append((table.estimated_rows, _staged(task, stream, table)))
    return [item for _, item in sorted(found, key=lambda pair: -pair[0])]


def _staged(task: Task, stream: Stream, table: Table) -> Staged:
    columns = tuple(c for c in table.columns if stream.selected is None or c.name in stream.selected)
    present = {column.name for column in columns}
    for wanted in [*(stream.selected or ()), *stream.primary_key, *([stream.cursor] if stream.cursor else [])]:
        if wanted not in present:
            raise ConnectorError("source", f"{stream.label} has no column {wanted}", kind="config_error")
    capitals = [column.name.upper() for column in columns] + [meta for meta, _ in statements.META_COLUMNS]
    twice = next((name for name in capitals if capitals.count(name) > 1), None)
    if twice is not None:
        raise ConnectorError(
            "source", f"{stream.label} has more than one column {twice} in capitals", kind="config_error"
        )
    unique = bool(table.primary_key) and set(table.primary_key) <= set(stream.primary_key)
    if stream.mode == "full_refresh_overwrite_deduped" and unique:
        stream = replace(stream, mode="full_refresh_overwrite")
    generation = task.states.get((stream.namespace, stream.name), (0, None))[0]
    staging = (stream.target[0].upper(), statements.temporary_name(task.connection_id, stream))
    return Staged(destination.Load(stream, columns, staging), generation + (0 if stream.incremental else 1))


def _already(worker: Worker) -> OpenWorker:
    return lambda: contextlib.nullcontext(worker)


@contextmanager
def _another(task: Task, snapshot: source.Snapshot) -> Iterator[Worker]:
    with snapshot.join() as joined, destination.connect(task.destination, task.account) as session:
        yield Worker(joined, session)


def _in_parallel(
    workers: Sequence[OpenWorker],
    items: Sequence[Staged],
    action: Callable[[Worker, Staged], None],
    reporter: Reporter,
    cancellation: Cancellation,
) -> None:
    """Give the items to the workers, one after the other; the first failure stops them all."""
    waiting: queue.SimpleQueue[Staged] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    errors: list[Exception] = []

    def fail(stream: Stream | None, error: Exception) -> None:
        errors.append(error)
        if isinstance(error, ConnectorError):
            reporter.failed(stream, error)
        cancellation.request(by_user=False)

    def work(open_worker: OpenWorker) -> None:
        stream: Stream | None = None
        try:
            with open_worker() as worker, contextlib.suppress(queue.Empty):
                while not cancellation.requested:
                    item = waiting.get_nowait()
                    stream = item.load.stream
                    action(worker, item)
        except CancelledError:
            return
        except Exception as error:
            fail(stream, error)

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(work, workers))
    if errors:
        raise errors[0]
    cancellation.check()


def _discard(session: destination.Destination, items: Sequence[Staged], reporter: Reporter) -> None:
    for item in items:
        try:
            session.discard(item.load)
        except ConnectorError as error:
            reporter.log(f"WARN {item.load.stream.label}: {error.message}")

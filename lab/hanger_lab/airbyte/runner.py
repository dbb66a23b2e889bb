"""Runs jobs in threads, tells the store what they do, and starts those that a schedule asks for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hanger_lab.airbyte import cron
from hanger_lab.airbyte.engine import sync
from hanger_lab.airbyte.engine.model import Cancellation, Stream
from hanger_lab.airbyte.errors import CancelledError, ConnectorError, Problem
from hanger_lab.airbyte.jobs import Job, JobStore, Outcome, StreamCount, failure
from hanger_lab.airbyte.store import Store

log = logging.getLogger(__name__)
RUNNING_JOBS = 4
STOP_SECONDS = 10
TaskMaker = Callable[[Job], sync.Task]


@dataclass(frozen=True)
class Run:
    """A job that has a thread."""

    connection_id: str
    thread: threading.Thread
    cancellation: Cancellation


class Runner:
    """All running jobs."""

    def __init__(self, store: Store, jobs: JobStore, task_of: TaskMaker) -> None:
        self._store = store
        self._jobs = jobs
        self._task_of = task_of
        self._slots = threading.BoundedSemaphore(RUNNING_JOBS)
        self._running: dict[int, Run] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="scheduler", daemon=True)

    def start(self) -> None:
        """Fail what a dead server left, and watch the schedules."""
        for _ in range(self._jobs.recover()):
            log.warning("a job was running when the server stopped; it has failed")
        self._clock.start()

    def stop(self) -> None:
        """Stop all jobs, which then have failed."""
        self._stopped.set()
        with self._lock:
            running = list(self._running.values())
        for run in running:
            run.cancellation.request(by_user=False)
        end = time.monotonic() + STOP_SECONDS
        for run in running:
            run.thread.join(max(0, end - time.monotonic()))
        self._jobs.recover()

    def submit(self, connection_id: str, job_type: str) -> Job:
        """Start a job; raise the problem of status 409 when one runs."""
        with self._lock:
            job = self._jobs.create(connection_id, job_type)
            earlier = [run.thread for run in self._running.values() if run.connection_id == connection_id]
            cancellation = Cancellation()
            thread = threading.Thread(
                target=self._run, args=(job, cancellation, earlier), name=f"job-{job.id}", daemon=True
            )
            self._running[job.id] = Run(connection_id, thread, cancellation)
        thread.start()
        return job

    def cancel(self, identifier: int) -> None:
        """Ask a job to stop; it is cancelled at once for everybody who looks."""
        with self._lock:
            found = self._running.get(identifier)
        self._jobs.finish(identifier, "cancelled")
        if found is not None:
            found.cancellation.request(by_user=True)

    def wait(self, identifier: int, timeout: float) -> None:
        """Wait until a job's thread is over."""
        with self._lock:
            found = self._running.get(identifier)
        if found is not None:
            found.thread.join(timeout)

    def _run(self, job: Job, cancellation: Cancellation, earlier: list[threading.Thread]) -> None:
        """Run a job, after cancelled ones of the same connection have cleaned up."""
        reporter = Reporter(self._store, self._jobs, job)
        try:
            for thread in earlier:
                thread.join()
            with self._slots:
                if self._jobs.start(job.id):
                    self._jobs.finish(job.id, _execute(job, self._task_of, reporter, cancellation), reporter.outcome)
        finally:
            with self._lock:
                self._running.pop(job.id, None)

    def _tick(self) -> None:
        """Look at the schedules once in every second that passes."""
        last = int(time.time())
        while not self._stopped.wait(0.5):
            now = int(time.time())
            for second in range(max(last, now - 60) + 1, now + 1):
                self._start_due(datetime.fromtimestamp(second, UTC))
            last = max(last, now)

    def _start_due(self, moment: datetime) -> None:
        try:
            connections = self._store.all("connection")
        except Exception:
            log.exception("the schedules of %s cannot be read", moment)
            return
        for identifier, body in connections:
            try:
                expression = body["schedule"].get("cronExpression")
                if expression and body["status"] == "active" and cron.parse(expression).due(moment):
                    self.submit(identifier, "sync")
            except Problem as problem:
                log.info("the schedule of connection %s was skipped: %s", identifier, problem.detail)
            except Exception:
                log.exception("the schedule of connection %s failed by a defect of the lab", identifier)


class Reporter:
    """Writes down what a job tells; called from several threads."""

    def __init__(self, store: Store, jobs: JobStore, job: Job) -> None:
        self._store = store
        self._jobs = jobs
        self._job = job
        self._counts: dict[str, StreamCount] = {}
        self._lock = threading.Lock()
        self._told = time.monotonic()
        self.outcome = Outcome()

    def log(self, line: str) -> None:
        """Take a line of the log."""
        self._jobs.log(self._job.id, [f"{datetime.now(UTC).isoformat(sep=' ', timespec='milliseconds')} {line}"])
        log.info("job %s: %s", self._job.id, line)

    def progress(self, stream: Stream, rows: int, size: int) -> None:
        """Take rows and bytes so far."""
        with self._lock:
            count = self._count(stream)
            count.rows, count.bytes = rows, size
            if time.monotonic() - self._told > 1:
                self._told = time.monotonic()
                self._jobs.report(self._job.id, self.outcome)

    def committed(self, stream: Stream, generation: int, state: dict[str, Any] | None) -> None:
        """Keep a stream's state: its rows are in the destination."""
        with self._lock:
            self._store.save_state(self._job.connection_id, stream.namespace, stream.name, generation, state)
            self._count(stream).committed = True

    def failed(self, stream: Stream | None, error: ConnectorError) -> None:
        """Keep the reason of a failure."""
        message = f"{stream.label}: {error.message}" if stream else error.message
        with self._lock:
            self.outcome.failures.append(failure(error.origin, error.kind, message))
        self.log(f"ERROR {message}")

    def _count(self, stream: Stream) -> StreamCount:
        if stream.label not in self._counts:
            self._counts[stream.label] = StreamCount(stream.name, stream.namespace)
            self.outcome.streams.append(self._counts[stream.label])
        return self._counts[stream.label]


def _execute(job: Job, task_of: TaskMaker, reporter: Reporter, cancellation: Cancellation) -> str:
    """Do the job's work and return its status; an error is reported, never raised."""
    started = time.monotonic()
    try:
        task = task_of(job)
        reporter.log(f"INFO {job.job_type} of {len(task.streams)} streams begins")
        (sync.run if job.job_type == "sync" else sync.clear)(task, reporter, cancellation)
    except CancelledError:
        reporter.log("WARN The job was stopped")
        return "cancelled" if cancellation.by_user else "failed"
    except ConnectorError as error:
        if not reporter.outcome.failures:
            reporter.failed(None, error)
        return "failed"
    except Problem as problem:
        reporter.failed(None, ConnectorError("airbyte_platform", problem.detail, kind="config_error"))
        return "failed"
    except Exception as error:
        log.exception("job %s failed by a defect of the lab", job.id)
        reporter.failed(None, ConnectorError("airbyte_platform", f"{type(error).__name__}: {error}"))
        return "failed"
    seconds = time.monotonic() - started
    outcome = reporter.outcome
    reporter.log(f"INFO {outcome.rows} rows, {outcome.bytes} bytes in {seconds:.2f} s")
    return "succeeded"

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync jobs: start one or join the running one, wait for it, tell what it moved or why it failed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .client import AirbyteClient
from .directory import find, require, workspace
from .errors import AirbyteError, ApiError, perhaps_done
from .model import seconds

ACTIVE = {"pending", "queued", "running", "incomplete"}
LOG_LINES = 20


@dataclass(frozen=True)
class Wish:
    """What the user asks of a connection's syncs; times in seconds."""

    connection: str
    workspace: str | None = None
    run: str = "always"
    on_running: str = "join"
    wait: bool = True
    timeout: float = 3600
    poll_interval: float = 2
    cancel_on_timeout: bool = False


def ensure(client: AirbyteClient, wish: Wish, check_mode: bool) -> dict[str, Any]:
    """Start, join or skip a sync; return the module's result."""
    workspace_id = workspace(client, wish.workspace)["workspaceId"]
    if check_mode and find(client, "connection", wish.connection, workspace_id) is None:
        return {"changed": True, "job": {}}
    connection_id = str(require(client, "connection", wish.connection, workspace_id)["connectionId"])
    running = newest(client, connection_id, active=True)
    if running is not None:
        return _with_running(client, wish, running, check_mode)
    if wish.run == "once":
        done = newest(client, connection_id, status="succeeded")
        if done is not None:
            last = newest(client, connection_id) or done
            return {"changed": False, **outcome(done, details(client, done["jobId"])), "last_job": last}
    if check_mode:
        return {"changed": True, "job": {}}
    try:
        job = _start(client, connection_id)
    except ApiError as error:
        raced = newest(client, connection_id, active=True) if error.status == 409 else None
        if raced is None:
            raise
        return _with_running(client, wish, raced, check_mode)
    return {"changed": True, **_follow(client, wish, job)}


def newest(
    client: AirbyteClient, connection_id: str, *, status: str | None = None, active: bool = False
) -> dict[str, Any] | None:
    """Return the connection's newest sync job of that status, or the one that is not over yet."""
    page = client.get(
        "/jobs", connectionId=connection_id, jobType="sync", status=status, limit=20, orderBy="createdAt|DESC"
    )
    jobs = [
        job
        for job in page.get("data") or []
        if (status is None or job["status"] == status) and (not active or job["status"] in ACTIVE)
    ]
    return max(jobs, key=lambda job: int(job["jobId"]), default=None)


def details(client: AirbyteClient, job_id: int) -> dict[str, Any]:
    """Return the job with its attempts from the configuration API; empty where that is not offered."""
    try:
        answer = client.ask("/jobs/get", {"id": job_id})
    except AirbyteError:
        return {}
    return dict(answer) if isinstance(answer, Mapping) else {}


def outcome(job: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job moved, how long it took, and per stream where Airbyte tells."""
    rows, size = int(job.get("rowsSynced") or 0), int(job.get("bytesSynced") or 0)
    duration = seconds(job.get("duration"))
    return {
        "job": dict(job),
        "last_job": dict(job),
        "rows": rows,
        "bytes": size,
        "duration_seconds": duration,
        "rows_per_second": round(rows / duration) if duration else None,
        "streams": stream_counts(detail),
    }


def stream_counts(detail: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return rows and bytes per stream, as the last attempt tells, by name."""
    counts = []
    for stream in (_last_attempt(detail).get("attempt") or {}).get("streamStats") or []:
        stats = stream.get("stats") or {}
        rows = stats.get("recordsCommitted")
        size = stats.get("bytesCommitted")
        counts.append(
            {
                "name": stream.get("streamName"),
                "namespace": stream.get("streamNamespace"),
                "rows": int((stats.get("recordsEmitted") if rows is None else rows) or 0),
                "bytes": int((stats.get("bytesEmitted") if size is None else size) or 0),
            }
        )
    return sorted(counts, key=lambda stream: (str(stream["namespace"] or ""), str(stream["name"])))


def failure(detail: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """Return why the last attempt failed, and the last lines of its log."""
    attempt = _last_attempt(detail)
    failures = ((attempt.get("attempt") or {}).get("failureSummary") or {}).get("failures") or []
    reasons = [str(item.get("externalMessage") or item.get("internalMessage")) for item in failures]
    logs = attempt.get("logs") or {}
    lines = logs.get("logLines") or [_log_line(event) for event in logs.get("events") or []]
    return "; ".join(dict.fromkeys(reasons)) or None, [str(line) for line in lines][-LOG_LINES:]


def _start(client: AirbyteClient, connection_id: str) -> dict[str, Any]:
    """Start a job; where the answer is lost, return the job that runs now and did not before."""
    try:
        return dict(client.post("/jobs", {"connectionId": connection_id, "jobType": "sync"}))
    except AirbyteError as error:
        if not perhaps_done(error):
            raise
        try:
            started = newest(client, connection_id, active=True)
        except AirbyteError:
            started = None
        if started is None:
            error.message += "; no job of the connection runs, so that it did not start or is over already"
            raise
        return started


def _with_running(client: AirbyteClient, wish: Wish, job: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    if wish.on_running == "fail":
        raise AirbyteError(
            f"connection '{wish.connection}' is being synced already: job {job['jobId']} is {job['status']}",
            job=dict(job),
        )
    if wish.on_running == "skip" or check_mode:
        return {"changed": False, **outcome(job, {})}
    return {"changed": False, **_follow(client, wish, job)}


def _follow(client: AirbyteClient, wish: Wish, job: Mapping[str, Any]) -> dict[str, Any]:
    if not wish.wait:
        return outcome(job, {})
    end = time.monotonic() + wish.timeout
    while job["status"] in ACTIVE:
        left = end - time.monotonic()
        if left <= 0:
            raise _timed_out(client, wish, job)
        time.sleep(min(wish.poll_interval, left))
        job = client.get(f"/jobs/{job['jobId']}")
    detail = details(client, job["jobId"])
    result = outcome(job, detail)
    if job["status"] == "succeeded":
        return result
    reason, lines = failure(detail)
    raise AirbyteError(
        f"the sync of connection '{wish.connection}' (job {job['jobId']}) ended as {job['status']}: "
        f"{reason or 'Airbyte gives no reason'}",
        log=lines,
        **result,
    )


def _timed_out(client: AirbyteClient, wish: Wish, job: Mapping[str, Any]) -> AirbyteError:
    message = f"job {job['jobId']} of connection '{wish.connection}' is still {job['status']} after {wish.timeout:g} s"
    if wish.cancel_on_timeout:
        job = client.delete(f"/jobs/{job['jobId']}") or job
        message += "; it was cancelled"
    return AirbyteError(message, **outcome(job, {}))


def _last_attempt(detail: Mapping[str, Any]) -> dict[str, Any]:
    attempts: Iterable[dict[str, Any]] = detail.get("attempts") or []
    return max(attempts, key=lambda item: int((item.get("attempt") or {}).get("id") or 0), default={})


def _log_line(event: Mapping[str, Any]) -> str:
    return f"{event.get('level', 'INFO')} {event.get('message', '')}"

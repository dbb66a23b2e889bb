"""Jobs as the configuration API shows them: with their attempt."""

from __future__ import annotations

from hanger_lab.airbyte.jobs import Job, StreamCount
from hanger_lab.airbyte.store import Json


def details(job: Job, lines: list[str]) -> Json:
    """Return a job with its one attempt, none before it has started."""
    if job.started is None:
        return {"job": job_read(job), "attempts": []}
    outcome = job.outcome
    attempt = {
        "id": 0,
        "status": job.status if job.status in ("running", "succeeded") else "failed",
        "createdAt": int(job.started),
        "updatedAt": int(job.updated),
        "bytesSynced": outcome.bytes,
        "recordsSynced": outcome.rows,
        "totalStats": _total(outcome.streams),
        "streamStats": [
            {"streamName": stream.name, "streamNamespace": stream.namespace, "stats": _stats(stream)}
            for stream in outcome.streams
        ],
    }
    if job.ended is not None:
        attempt["endedAt"] = int(job.ended)
    if outcome.failures:
        partial = any(stream.committed for stream in outcome.streams)
        attempt["failureSummary"] = {"failures": outcome.failures, "partialSuccess": partial}
    return {
        "job": job_read(job),
        "attempts": [{"attempt": attempt, "logType": "formatted", "logs": {"logLines": lines}}],
    }


def job_read(job: Job) -> Json:
    """Return a job's head."""
    return {
        "id": job.id,
        "configType": "sync" if job.job_type == "sync" else "reset_connection",
        "configId": job.connection_id,
        "status": job.status,
        "createdAt": int(job.created),
        "updatedAt": int(job.updated),
        "startedAt": int(job.started or job.created),
    }


def _stats(stream: StreamCount) -> Json:
    committed = {"recordsCommitted": stream.rows, "bytesCommitted": stream.bytes} if stream.committed else {}
    return {"recordsEmitted": stream.rows, "bytesEmitted": stream.bytes, "recordsCommitted": 0, "bytesCommitted": 0} | (
        committed
    )


def _total(streams: list[StreamCount]) -> Json:
    total = {"recordsEmitted": 0, "bytesEmitted": 0, "recordsCommitted": 0, "bytesCommitted": 0}
    for stream in streams:
        for key, value in _stats(stream).items():
            total[key] += value
    return total

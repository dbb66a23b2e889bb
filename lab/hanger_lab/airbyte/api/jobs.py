"""Routes of jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hanger_lab.airbyte.api.common import Installation, Paged, authorised, in_workspace
from hanger_lab.airbyte.api.shapes import JobCreate, JobStatus, JobType
from hanger_lab.airbyte.errors import bad_request, not_found, unprocessable
from hanger_lab.airbyte.jobs import Job
from hanger_lab.airbyte.services import Services
from hanger_lab.airbyte.store import Json

router = APIRouter(dependencies=[Depends(authorised)])
ORDERS: dict[str, Callable[[Job], float]] = {"createdAt": lambda job: job.created, "updatedAt": lambda job: job.updated}


@router.get("/jobs")
def jobs(
    installation: Installation,
    page: Paged,
    connectionId: UUID | None = None,
    jobType: JobType | None = None,
    status: JobStatus | None = None,
    workspaces: Annotated[list[UUID] | None, Query(alias="workspaceIds")] = None,
    createdAtStart: datetime | None = None,
    createdAtEnd: datetime | None = None,
    updatedAtStart: datetime | None = None,
    updatedAtEnd: datetime | None = None,
    orderBy: Annotated[str, Query(pattern=r"^(createdAt|updatedAt)(\|(ASC|DESC))?$")] = "updatedAt|DESC",
) -> dict[str, Any]:
    """List jobs, the newest first unless asked otherwise."""
    found = installation.jobs.of(str(connectionId)) if connectionId else installation.jobs.all()
    found = [
        job
        for job in found
        if in_workspace(installation, workspaces)
        and jobType in (None, job.job_type)
        and status in (None, job.status)
        and _between(job.created, createdAtStart, createdAtEnd)
        and _between(job.updated, updatedAtStart, updatedAtEnd)
    ]
    field, _, direction = orderBy.partition("|")
    found.sort(key=lambda job: (ORDERS[field](job), job.id), reverse=direction == "DESC")
    return page.of([shown(job) for job in found])


@router.post("/jobs")
def create(request: JobCreate, installation: Installation) -> Json:
    """Start a sync, a reset or a clear."""
    installation.connection(str(request.connectionId))
    if request.jobType == "refresh":
        raise unprocessable("Refreshes are not supported in the public API")
    return shown(installation.start_job(str(request.connectionId), request.jobType))


@router.get("/jobs/{job_id}")
def job(job_id: str, installation: Installation) -> Json:
    """Return a job."""
    return shown(_found(installation, job_id))


@router.delete("/jobs/{job_id}")
def cancel(job_id: str, installation: Installation) -> Json:
    """Cancel a job; one that is over stays as it is."""
    found = _found(installation, job_id)
    if found.active:
        installation.runner.cancel(found.id)
    return shown(_found(installation, job_id))


def shown(job: Job) -> Json:
    """Return a job as the public API shows it."""
    return {
        "jobId": job.id,
        "status": job.status,
        "jobType": job.job_type,
        "startTime": _time(job.started or job.created),
        "connectionId": job.connection_id,
        "lastUpdatedAt": _time(job.updated),
        "duration": duration(job.seconds),
        "bytesSynced": job.outcome.bytes,
        "rowsSynced": job.outcome.rows,
    }


def duration(seconds: float) -> str:
    """Return seconds in ISO 8601, to the millisecond."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    exact = f"{rest:.3f}".rstrip("0").rstrip(".")
    return text if text != "PT" and exact == "0" else f"{text}{exact}S"


def _found(installation: Services, job_id: str) -> Job:
    if not job_id.isascii() or not job_id.isdigit() or len(job_id) > 18:
        raise bad_request(f"jobId: '{job_id[:40]}' is no number")
    found = installation.jobs.get(int(job_id))
    if found is None:
        raise not_found("job", job_id)
    return found


def _between(moment: float, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or moment >= _seconds(start)) and (end is None or moment <= _seconds(end))


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

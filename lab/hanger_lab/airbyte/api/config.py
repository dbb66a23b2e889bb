"""The calls of the configuration API, which is internal to Airbyte, that real clients make."""

from __future__ import annotations

import time
import uuid
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from hanger_lab.airbyte.api.catalog import catalog
from hanger_lab.airbyte.api.common import Installation, authorised, form_or_json
from hanger_lab.airbyte.api.history import details, job_read
from hanger_lab.airbyte.api.shapes import Request as Shape
from hanger_lab.airbyte.api.system import token as issue_token
from hanger_lab.airbyte.errors import ConnectorError, Problem, not_found
from hanger_lab.airbyte.services import ORGANIZATION, Services
from hanger_lab.airbyte.store import Json

VERSION = "2.3.0"
open_router = APIRouter()
router = APIRouter(dependencies=[Depends(authorised)])
open_router.add_api_route("/applications/token", issue_token, methods=["POST"])


class ActorCheck(Shape):
    """An actor to try, with the configuration to try instead of the stored one."""

    sourceId: UUID | None = None
    destinationId: UUID | None = None
    connectionConfiguration: dict[str, Any] | None = None


class Discover(Shape):
    """A source to discover."""

    sourceId: UUID
    disable_cache: bool = False


class ConnectionId(Shape):
    """A connection."""

    connectionId: UUID


class JobId(Shape):
    """A job."""

    id: int


@open_router.get("/health")
def health() -> Json:
    """Tell that the server answers."""
    return {"available": True}


@open_router.get("/instance_configuration")
def instance(request: Request, installation: Installation) -> Json:
    """Describe the installation."""
    return {
        "edition": "community",
        "version": VERSION,
        "airbyteUrl": str(request.base_url).rstrip("/"),
        "licenseStatus": "pro",
        "initialSetupComplete": installation.store.meta("set_up", "false") == "true",
        "defaultUserId": ORGANIZATION,
        "defaultOrganizationId": ORGANIZATION,
        "defaultOrganizationEmail": installation.store.meta("email", ""),
        "trackingStrategy": "logging",
        "auth": {"mode": "simple"},
    }


@router.post("/instance_configuration/setup")
async def set_up(request: Request, installation: Installation) -> Json:
    """Finish the first log-in: keep the e-mail address."""
    body = await form_or_json(request)
    installation.store.set_meta("email", str(body.get("email", "")))
    installation.store.set_meta("set_up", "true")
    return instance(request, installation)


def _check(kind: str, request: ActorCheck, installation: Services, *, update: bool) -> Json:
    identifier = request.sourceId if kind == "source" else request.destinationId
    if identifier is None:
        raise Problem(400, "bad-request", f"$.{kind}Id: is missing but it is required")
    started = time.time()
    try:
        installation.actors(kind).check(str(identifier), request.connectionConfiguration if update else None)
        result = {"status": "succeeded"}
    except ConnectorError as error:
        result = {"status": "failed", "message": error.message}
    return {**result, "jobInfo": _job_info(f"check_connection_{kind}", started, succeeded=True)}


@router.post("/sources/check_connection")
def check_source(request: ActorCheck, installation: Installation) -> Json:
    """Try a stored source."""
    return _check("source", request, installation, update=False)


@router.post("/sources/check_connection_for_update")
def check_source_update(request: ActorCheck, installation: Installation) -> Json:
    """Try a source with another configuration."""
    return _check("source", request, installation, update=True)


@router.post("/destinations/check_connection")
def check_destination(request: ActorCheck, installation: Installation) -> Json:
    """Try a stored destination."""
    return _check("destination", request, installation, update=False)


@router.post("/destinations/check_connection_for_update")
def check_destination_update(request: ActorCheck, installation: Installation) -> Json:
    """Try a destination with another configuration."""
    return _check("destination", request, installation, update=True)


@router.post("/sources/discover_schema")
def discover(request: Discover, installation: Installation) -> Json:
    """Return what a source has."""
    started = time.time()
    kind = "discover_schema"
    try:
        tables = installation.sources.tables(str(request.sourceId), fresh=request.disable_cache)
    except ConnectorError as error:
        failed = _job_info(kind, started, succeeded=False)
        return {"jobInfo": {**failed, "failureReason": {"externalMessage": error.message}}, "breakingChange": False}
    return {
        "catalog": catalog(tables),
        "catalogId": str(uuid.uuid5(request.sourceId, "catalog")),
        "jobInfo": _job_info(kind, started, succeeded=True),
        "breakingChange": False,
    }


@router.post("/connections/get")
def connection(request: ConnectionId, installation: Installation) -> Json:
    """Return a connection with its catalog."""
    identifier = str(request.connectionId)
    body = installation.connection(identifier)
    try:
        tables = installation.sources.tables(body["sourceId"], fresh=False)
    except ConnectorError:
        tables = []
    return {
        "connectionId": identifier,
        "name": body["name"],
        "namespaceDefinition": body["namespaceDefinition"].replace("_format", "format"),
        "namespaceFormat": body["namespaceFormat"],
        "prefix": body["prefix"],
        "sourceId": body["sourceId"],
        "destinationId": body["destinationId"],
        "status": body["status"],
        "scheduleType": body["schedule"]["scheduleType"],
        "syncCatalog": catalog(tables, body["streams"]),
        "breakingChange": False,
        "createdAt": body["createdAt"],
    }


@router.post("/connections/sync")
def sync(request: ConnectionId, installation: Installation) -> Json:
    """Start a sync."""
    job = installation.start_job(str(request.connectionId), "sync")
    return details(job, installation.jobs.lines(job.id))


@router.post("/state/get")
def state(request: ConnectionId, installation: Installation) -> Json:
    """Return the state of each stream."""
    identifier = str(request.connectionId)
    installation.connection(identifier)
    states = [
        {"streamDescriptor": {"name": name, "namespace": namespace}, "streamState": body}
        for (namespace, name), (_, body) in sorted(installation.store.states(identifier).items())
        if body is not None
    ]
    if not states:
        return {"stateType": "not_set", "connectionId": identifier}
    return {"stateType": "stream", "connectionId": identifier, "streamState": states}


@router.post("/jobs/get")
def job(request: JobId, installation: Installation) -> Json:
    """Return a job with its attempt, the counts of its streams and the last lines of its log."""
    found = installation.jobs.get(request.id)
    if found is None:
        raise not_found("job", str(request.id))
    return details(found, installation.jobs.lines(found.id))


@router.post("/jobs/cancel")
def cancel(request: JobId, installation: Installation) -> Json:
    """Cancel a job."""
    found = installation.jobs.get(request.id)
    if found is None:
        raise not_found("job", str(request.id))
    if found.active:
        installation.runner.cancel(found.id)
    return {"job": job_read(installation.jobs.get(request.id) or found)}


def _job_info(kind: str, started: float, *, succeeded: bool) -> Json:
    return {
        "id": str(uuid.uuid4()),
        "configType": kind,
        "createdAt": int(started * 1000),
        "endedAt": int(time.time() * 1000),
        "succeeded": succeeded,
        "connectorConfigurationUpdated": False,
        "logs": {"logLines": []},
    }

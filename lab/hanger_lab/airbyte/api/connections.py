"""Routes of connections."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from hanger_lab.airbyte.api.common import Installation, Paged, authorised, in_workspace
from hanger_lab.airbyte.api.shapes import ConnectionCreate, ConnectionPatch
from hanger_lab.airbyte.connections import DEFAULTS, configured, normalised
from hanger_lab.airbyte.errors import ConnectorError, Problem, conflict, unprocessable
from hanger_lab.airbyte.services import Services
from hanger_lab.airbyte.store import Json

router = APIRouter(dependencies=[Depends(authorised)])
Ids = list[UUID] | None


@router.get("/connections")
def connections(
    installation: Installation,
    page: Paged,
    workspaces: Annotated[Ids, Query(alias="workspaceIds")] = None,
    tags: Annotated[Ids, Query(alias="tagIds")] = None,
    includeDeleted: bool = False,
) -> dict[str, Any]:
    """List connections."""
    wanted = {str(tag) for tag in tags or []}
    found = [
        (identifier, body)
        for identifier, body in installation.store.all("connection", deleted=includeDeleted)
        if in_workspace(installation, workspaces) and (not wanted or wanted & set(body["tags"]))
    ]
    return page.of([shown(installation, identifier, body) for identifier, body in found])


@router.post("/connections")
def create(request: ConnectionCreate, installation: Installation) -> Json:
    """Create a connection; without streams it has all of the source."""
    source = installation.sources.get(str(request.sourceId))
    destination = installation.destinations.get(str(request.destinationId))
    settings = _settings(request, installation)
    streams = _streams(request, installation, str(request.sourceId))
    settings.setdefault("name", f"{source['name']} → {destination['name']}")
    body = {**DEFAULTS, **settings, "streams": streams}
    return shown(installation, installation.store.add("connection", body), body)


@router.get("/connections/{connection_id}")
def connection(connection_id: UUID, installation: Installation) -> Json:
    """Return a connection."""
    return shown(installation, str(connection_id), installation.connection(str(connection_id)))


@router.patch("/connections/{connection_id}")
def change(connection_id: UUID, request: ConnectionPatch, installation: Installation) -> Json:
    """Change a connection; a list of streams replaces the old one."""
    body = installation.connection(str(connection_id))
    if body["status"] == "locked":
        raise conflict("The connection is locked and cannot be changed")
    changed = {**body, **_settings(request, installation, body)}
    if request.configurations is not None:
        changed["streams"] = _streams(request, installation, body["sourceId"])
    installation.store.replace(str(connection_id), changed)
    return shown(installation, str(connection_id), changed)


@router.delete("/connections/{connection_id}", status_code=204)
def delete(connection_id: UUID, installation: Installation) -> Response:
    """Delete a connection; its tables stay."""
    installation.delete_connection(str(connection_id))
    return Response(status_code=204)


def shown(installation: Services, identifier: str, body: Json) -> Json:
    """Return a connection as the public API shows it."""
    stored = installation.store.get("connection", identifier)
    result = {
        "connectionId": identifier,
        "name": body["name"],
        "sourceId": body["sourceId"],
        "destinationId": body["destinationId"],
        "workspaceId": installation.workspace,
        "status": body["status"] if stored is not None else "deprecated",
        "schedule": body["schedule"],
        "nonBreakingSchemaUpdatesBehavior": body["nonBreakingSchemaUpdatesBehavior"],
        "namespaceDefinition": body["namespaceDefinition"],
        "namespaceFormat": body["namespaceFormat"],
        "prefix": body["prefix"],
        "configurations": {"streams": body["streams"]},
        "createdAt": (stored or body).get("createdAt", 0),
        "tags": [_tag(installation, tag) for tag in body["tags"]],
    }
    return {key: value for key, value in result.items() if value is not None}


def _settings(request: ConnectionPatch, installation: Services, old: Json | None = None) -> Json:
    given = request.given()
    given.pop("configurations", None)
    if "tags" in given:
        given["tags"] = [tag["tagId"] for tag in given["tags"]]
        for tag in given["tags"]:
            if installation.store.get("tag", tag) is None:
                raise unprocessable(f"tags: there is no tag with id {tag}")
    new = normalised({**{key: (old or {}).get(key) for key in ("namespaceDefinition", "namespaceFormat")}, **given})
    return {key: value for key, value in new.items() if key in given}


def _streams(request: ConnectionPatch, installation: Services, source_id: str) -> list[Json]:
    wanted = request.configurations.given().get("streams") if request.configurations is not None else None
    try:
        tables = installation.sources.tables(source_id, fresh=False)
        try:
            return configured(wanted, tables)
        except Problem:
            return configured(wanted, installation.sources.tables(source_id, fresh=True))
    except ConnectorError as error:
        raise unprocessable(f"The source's schema cannot be discovered: {error.message}") from None


def _tag(installation: Services, identifier: str) -> Json:
    body = installation.store.get("tag", identifier) or {}
    return {"tagId": identifier, **{key: body.get(key, "") for key in ("workspaceId", "name", "color")}}

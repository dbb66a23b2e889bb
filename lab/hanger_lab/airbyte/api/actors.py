"""Routes of sources, destinations and streams."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from hanger_lab.airbyte.api.common import Installation, Paged, authorised, in_workspace
from hanger_lab.airbyte.api.shapes import ActorCreate, ActorPatch, ActorPut
from hanger_lab.airbyte.connections import properties
from hanger_lab.airbyte.errors import ConnectorError, not_found, unprocessable
from hanger_lab.airbyte.store import Json

Workspaces = Annotated[list[UUID] | None, Query(alias="workspaceIds")]


def router_of(kind: str) -> APIRouter:
    """Return the routes of sources, or those of destinations."""
    router = APIRouter(dependencies=[Depends(authorised)])

    @router.get(f"/{kind}s")
    def listed(
        installation: Installation, page: Paged, wanted: Workspaces = None, includeDeleted: bool = False
    ) -> dict[str, Any]:
        actors = installation.actors(kind)
        found = installation.store.all(kind, deleted=includeDeleted) if in_workspace(installation, wanted) else []
        return page.of([actors.shown(identifier, body) for identifier, body in found])

    @router.post(f"/{kind}s")
    def create(request: ActorCreate, installation: Installation) -> Json:
        if str(request.workspaceId) != installation.workspace:
            raise not_found("workspace", str(request.workspaceId))
        _refuse_secret_id(request.secretId)
        actors = installation.actors(kind)
        definition = str(request.definitionId) if request.definitionId else None
        identifier = actors.create(request.name, definition, request.configuration)
        return actors.shown(identifier, actors.get(identifier))

    @router.get(f"/{kind}s/{{actor_id}}")
    def one(actor_id: UUID, installation: Installation, includeSecretCoordinates: bool = False) -> Json:
        actors = installation.actors(kind)
        return actors.shown(str(actor_id), actors.get(str(actor_id)), coordinates=includeSecretCoordinates)

    @router.patch(f"/{kind}s/{{actor_id}}")
    def change(actor_id: UUID, request: ActorPatch, installation: Installation) -> Json:
        _refuse_secret_id(request.secretId)
        actors = installation.actors(kind)
        actors.update(str(actor_id), request.name, request.configuration, merge=True)
        return actors.shown(str(actor_id), actors.get(str(actor_id)))

    @router.put(f"/{kind}s/{{actor_id}}")
    def replace(actor_id: UUID, request: ActorPut, installation: Installation) -> Json:
        actors = installation.actors(kind)
        actors.update(str(actor_id), request.name, request.configuration, merge=False)
        return actors.shown(str(actor_id), actors.get(str(actor_id)))

    @router.delete(f"/{kind}s/{{actor_id}}", status_code=204)
    def delete(actor_id: UUID, installation: Installation) -> Response:
        installation.actors(kind).get(str(actor_id))
        for identifier, body in installation.store.all("connection"):
            if body[f"{kind}Id"] == str(actor_id):
                installation.delete_connection(identifier)
        installation.actors(kind).delete(str(actor_id))
        return Response(status_code=204)

    return router


streams_router = APIRouter(dependencies=[Depends(authorised)])


@streams_router.get("/streams")
def streams(
    sourceId: UUID, installation: Installation, destinationId: UUID | None = None, ignoreCache: bool = False
) -> list[Json]:
    """List what a source has."""
    installation.sources.get(str(sourceId))
    if destinationId is not None:
        installation.destinations.get(str(destinationId))
    try:
        return [properties(table) for table in installation.sources.tables(str(sourceId), fresh=ignoreCache)]
    except ConnectorError as error:
        raise unprocessable(f"The source's schema cannot be discovered: {error.message}") from None


def _refuse_secret_id(secret_id: str | None) -> None:
    if secret_id is not None:
        raise unprocessable("secretId: OAuth is not supported by the lab")

"""Health, tokens, workspaces, definitions and tags."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse

from hanger_lab.airbyte import connectors
from hanger_lab.airbyte.api.common import Installation, Paged, authorised, form_or_json, in_workspace
from hanger_lab.airbyte.api.shapes import TagCreate, TagPatch, WorkspacePatch
from hanger_lab.airbyte.connectors import Connector
from hanger_lab.airbyte.errors import bad_request, conflict, forbidden, not_found
from hanger_lab.airbyte.services import Services
from hanger_lab.airbyte.store import Json

open_router = APIRouter()
router = APIRouter(dependencies=[Depends(authorised)])
Workspaces = Annotated[list[UUID] | None, Query(alias="workspaceIds")]


@open_router.get("/health")
def health() -> PlainTextResponse:
    """Tell that the server answers."""
    return PlainTextResponse("Successful operation")


@open_router.post("/applications/token")
async def token(request: Request, installation: Installation) -> dict[str, Any]:
    """Exchange client credentials for a token."""
    body = await form_or_json(request)
    for field in ("client_id", "client_secret"):
        if not isinstance(body.get(field), str):
            raise bad_request(f"$.{field}: is missing but it is required")
    grant = body.get("grant-type", body.get("grant_type", "client_credentials"))
    if grant != "client_credentials":
        raise bad_request(f"$.grant-type: '{grant}' is not supported, only 'client_credentials'")
    return installation.tokens.issue(body["client_id"], body["client_secret"])


@router.get("/workspaces")
def workspaces(installation: Installation, page: Paged, wanted: Workspaces = None) -> dict[str, Any]:
    """List the workspaces."""
    found = installation.store.all("workspace") if in_workspace(installation, wanted) else []
    return page.of([_workspace(identifier, body) for identifier, body in found])


@router.post("/workspaces")
def create_workspace() -> None:
    """Refuse: the lab has one workspace."""
    raise forbidden("The lab has one workspace and cannot create another")


@router.get("/workspaces/{workspace_id}")
def workspace(workspace_id: UUID, installation: Installation) -> Json:
    """Return a workspace."""
    return _workspace(str(workspace_id), _stored(installation, "workspace", workspace_id))


@router.patch("/workspaces/{workspace_id}")
def change_workspace(workspace_id: UUID, changes: WorkspacePatch, installation: Installation) -> Json:
    """Rename a workspace."""
    body = {**_stored(installation, "workspace", workspace_id), **changes.given()}
    installation.store.replace(str(workspace_id), body)
    return _workspace(str(workspace_id), body)


@router.delete("/workspaces/{workspace_id}")
def delete_workspace(workspace_id: UUID, installation: Installation) -> None:
    """Refuse: the lab has one workspace."""
    _stored(installation, "workspace", workspace_id)
    raise forbidden("The lab has one workspace and cannot delete it")


@router.get("/connector_definitions")
def connector_definitions(kind: Annotated[str, Query(alias="type", pattern="^(source|destination)$")]) -> Json:
    """List the connectors."""
    return {
        "data": [
            {"id": item.definition_id, "name": item.title, "connectorDefinitionType": kind, "version": item.version}
            for item in connectors.of_kind(kind)
        ]
    }


@router.get("/workspaces/{workspace_id}/definitions/{kinds}")
def definitions(workspace_id: UUID, kinds: str, installation: Installation) -> Json:
    """List the definitions of a workspace."""
    _stored(installation, "workspace", workspace_id)
    return {"data": [_definition(item) for item in connectors.of_kind(kinds.removesuffix("s"))]}


@router.get("/workspaces/{workspace_id}/definitions/{kinds}/{definition_id}")
def definition(workspace_id: UUID, kinds: str, definition_id: UUID, installation: Installation) -> Json:
    """Return a definition."""
    _stored(installation, "workspace", workspace_id)
    found = connectors.find(kinds.removesuffix("s"), definition_id=str(definition_id))
    if found is None:
        raise not_found("definition", str(definition_id))
    return _definition(found)


@router.get("/tags")
def tags(installation: Installation, wanted: Workspaces = None) -> Json:
    """List the tags."""
    found = installation.store.all("tag") if in_workspace(installation, wanted) else []
    return {"data": [{"tagId": identifier, **_tag(body)} for identifier, body in found]}


@router.post("/tags")
def create_tag(request: TagCreate, installation: Installation) -> Json:
    """Create a tag; its name is unique."""
    _stored(installation, "workspace", request.workspaceId)
    if any(body["name"] == request.name for _, body in installation.store.all("tag")):
        raise conflict(f"A tag with the name '{request.name}' exists already")
    body = request.given()
    return {"tagId": installation.store.add("tag", body), **_tag(body)}


@router.get("/tags/{tag_id}")
def tag(tag_id: UUID, installation: Installation) -> Json:
    """Return a tag."""
    return {"tagId": str(tag_id), **_tag(_stored(installation, "tag", tag_id))}


@router.patch("/tags/{tag_id}")
def change_tag(tag_id: UUID, request: TagPatch, installation: Installation) -> Json:
    """Change a tag."""
    body = {**_stored(installation, "tag", tag_id), **request.given()}
    installation.store.replace(str(tag_id), body)
    return {"tagId": str(tag_id), **_tag(body)}


@router.delete("/tags/{tag_id}", status_code=204)
def delete_tag(tag_id: UUID, installation: Installation) -> Response:
    """Delete a tag, also from the connections that have it."""
    _stored(installation, "tag", tag_id)
    installation.store.delete(str(tag_id))
    for identifier, body in installation.store.all("connection"):
        kept = [item for item in body["tags"] if item != str(tag_id)]
        installation.store.replace(identifier, {**body, "tags": kept})
    return Response(status_code=204)


def _stored(installation: Services, kind: str, identifier: UUID) -> Json:
    body = installation.store.get(kind, str(identifier))
    if body is None:
        raise not_found(kind, str(identifier))
    return body


def _workspace(identifier: str, body: Json) -> Json:
    return {
        "workspaceId": identifier,
        "name": body["name"],
        "dataResidency": "auto",
        "notifications": body["notifications"],
    }


def _tag(body: Json) -> Json:
    return {key: body[key] for key in ("name", "color", "workspaceId")}


def _definition(item: Connector) -> Json:
    return {
        "id": item.definition_id,
        "name": item.title,
        "dockerRepository": item.repository,
        "dockerImageTag": item.version,
        "documentationUrl": item.documentation,
    }

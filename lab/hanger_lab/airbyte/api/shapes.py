"""Requests of the public API, as its OpenAPI file has them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictStr

SyncMode = Literal[
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
]
NamespaceDefinition = Literal["source", "destination", "custom_format"]
SchemaUpdates = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
ConnectionStatus = Literal["active", "inactive", "deprecated", "locked"]
JobType = Literal["sync", "reset", "refresh", "clear"]
JobStatus = Literal["pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled"]


class Request(BaseModel):
    """Unknown fields are ignored, as the real server does."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    def given(self) -> dict[str, Any]:
        """Return what the client sent, without nulls, as JSON."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)


class ActorCreate(Request):
    """A new source or destination."""

    name: StrictStr
    workspaceId: UUID
    configuration: dict[str, Any]
    definitionId: UUID | None = None
    secretId: str | None = None


class ActorPatch(Request):
    """Changes of a source or destination."""

    name: StrictStr | None = None
    configuration: dict[str, Any] | None = None
    secretId: str | None = None


class ActorPut(Request):
    """A source or destination anew."""

    name: StrictStr
    configuration: dict[str, Any]


class Schedule(Request):
    """When a connection syncs."""

    scheduleType: Literal["manual", "cron"]
    cronExpression: StrictStr | None = None


class Field_(Request):
    """A selected field."""

    fieldPath: list[str]


class Stream(Request):
    """One stream of a connection."""

    name: StrictStr
    namespace: StrictStr | None = None
    syncMode: SyncMode | None = None
    cursorField: list[str] | None = None
    primaryKey: list[list[str]] | None = None
    selectedFields: list[Field_] | None = None
    mappers: list[dict[str, Any]] | None = None
    includeFiles: bool | None = None
    destinationObjectName: str | None = None


class Streams(Request):
    """The streams of a connection."""

    streams: list[Stream] | None = None


class TagReference(Request):
    """A tag that a connection has."""

    tagId: UUID
    workspaceId: UUID | None = None
    name: str | None = None
    color: str | None = None


class ConnectionPatch(Request):
    """Changes of a connection."""

    name: StrictStr | None = None
    configurations: Streams | None = None
    schedule: Schedule | None = None
    namespaceDefinition: NamespaceDefinition | None = None
    namespaceFormat: StrictStr | None = None
    prefix: StrictStr | None = None
    nonBreakingSchemaUpdatesBehavior: SchemaUpdates | None = None
    status: ConnectionStatus | None = None
    tags: list[TagReference] | None = None


class ConnectionCreate(ConnectionPatch):
    """A new connection."""

    sourceId: UUID
    destinationId: UUID


class JobCreate(Request):
    """A new job."""

    connectionId: UUID
    jobType: JobType


class TagPatch(Request):
    """A tag's name and colour."""

    name: StrictStr
    color: StrictStr = Field(pattern=r"^[0-9A-Fa-f]{6}$")


class TagCreate(TagPatch):
    """A new tag."""

    workspaceId: UUID


class WorkspacePatch(Request):
    """Changes of a workspace."""

    name: StrictStr | None = None
    notifications: dict[str, Any] | None = None

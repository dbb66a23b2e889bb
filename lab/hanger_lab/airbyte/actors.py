"""Sources and destinations, which Airbyte calls actors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hanger_lab.airbyte import secrets
from hanger_lab.airbyte.connectors import Connector, find, of_kind
from hanger_lab.airbyte.connectors.postgres import PostgresConfig
from hanger_lab.airbyte.connectors.snowflake import SnowflakeConfig
from hanger_lab.airbyte.connectors.validation import HEAD, validated
from hanger_lab.airbyte.engine import destination, source, types
from hanger_lab.airbyte.engine.model import Table
from hanger_lab.airbyte.errors import ConnectorError, not_found, unprocessable
from hanger_lab.airbyte.store import Json, Store


class Actors:
    """All sources, or all destinations."""

    def __init__(self, store: Store, kind: str, workspace: str, account: str) -> None:
        self._store = store
        self._workspace = workspace
        self._account = account
        self.kind = kind

    def create(self, name: str, definition_id: str | None, configuration: Mapping[str, Any]) -> str:
        """Store a new one and return its id; raise the problem of status 422 for a bad configuration."""
        connector = self._connector(definition_id, configuration)
        plain = self._plain(configuration)
        validated(connector, plain)
        with self._store.transaction():
            body = {"name": name, "connector": connector.name, "configuration": {}}
            identifier = self._store.add(self.kind, body)
            self._write(identifier, name, connector, plain, {})
        return identifier

    def update(
        self, identifier: str, name: str | None, configuration: Mapping[str, Any] | None, *, merge: bool
    ) -> None:
        """Merge into the configuration, or replace it; masks keep the secrets that are stored."""
        body = self.get(identifier)
        connector = self.connector(body)
        old = body["configuration"]
        with self._store.transaction():
            if configuration is not None:
                new = self._candidate(old, configuration, merge=merge)
                validated(connector, secrets.revealed(self._store, new))
                self._write(identifier, name or body["name"], connector, new, old)
            elif name is not None:
                self._store.replace(identifier, {**body, "name": name})

    def delete(self, identifier: str) -> None:
        """Delete one."""
        self.get(identifier)
        self._store.delete(identifier)

    def get(self, identifier: str) -> Json:
        """Return one as it is stored; raise the problem of status 404."""
        body = self._store.get(self.kind, identifier)
        if body is None:
            raise not_found(self.kind, identifier)
        return body

    def connector(self, body: Mapping[str, Any]) -> Connector:
        """Return the connector of a stored one."""
        connector = find(self.kind, name=body["connector"])
        assert connector is not None  # noqa: S101
        return connector

    def shown(self, identifier: str, body: Json, *, coordinates: bool = False) -> Json:
        """Return one as the public API shows it."""
        connector = self.connector(body)
        return {
            f"{self.kind}Id": identifier,
            "name": body["name"],
            f"{self.kind}Type": connector.name,
            "definitionId": connector.definition_id,
            "workspaceId": self._workspace,
            "configuration": secrets.shown(body["configuration"], coordinates=coordinates),
            "createdAt": body["createdAt"],
        }

    def model(self, identifier: str, update: Mapping[str, Any] | None = None) -> PostgresConfig | SnowflakeConfig:
        """Return the configuration with its secrets, for the engine; `update` replaces it without storing."""
        body = self.get(identifier)
        configuration = body["configuration"]
        if update is not None:
            configuration = self._candidate(configuration, update, merge=False)
        model = validated(self.connector(body), secrets.revealed(self._store, configuration))
        assert isinstance(model, PostgresConfig | SnowflakeConfig)  # noqa: S101
        return model

    def check(self, identifier: str, update: Mapping[str, Any] | None = None) -> None:
        """Try the connection; raise ConnectorError with the reason when it does not work."""
        model = self.model(identifier, update)
        if isinstance(model, SnowflakeConfig):
            destination.check(model, self._account)
            return
        with source.connect(model) as connection:
            if not source.discover(connection, model.schemas):
                schemas = ", ".join(model.schemas) or "any schema"
                message = f"PostgreSQL: {model.username} can read no table in {schemas} of {model.database}"
                raise ConnectorError("source", message, kind="config_error")

    def tables(self, identifier: str, *, fresh: bool) -> list[Table]:
        """Return what a source has, from the cache unless it is stale or `fresh`; raise ConnectorError."""
        model = self.model(identifier)
        assert isinstance(model, PostgresConfig)  # noqa: S101
        key = hashlib.sha256(model.model_dump_json().encode()).hexdigest()
        cached = json.loads(self._store.meta(f"catalog/{identifier}", "{}"))
        if not fresh and cached.get("key") == key:
            return [_table(item) for item in cached["tables"]]
        with source.connect(model) as connection:
            tables = source.discover(connection, model.schemas)
        packed = [{**asdict(table), "columns": [[c.name, c.source_type] for c in table.columns]} for table in tables]
        self._store.set_meta(f"catalog/{identifier}", json.dumps({"key": key, "tables": packed}))
        return tables

    def _connector(self, definition_id: str | None, configuration: Mapping[str, Any]) -> Connector:
        name = configuration.get(f"{self.kind}Type")
        if definition_id is None and name is None:
            raise unprocessable(f"definitionId or configuration.{self.kind}Type must be given")
        connector = find(self.kind, name=str(name), definition_id=definition_id)
        if connector is None:
            known = ", ".join(f"'{item.name}'" for item in of_kind(self.kind))
            wanted = f"definitionId '{definition_id}'" if definition_id else f"configuration.{self.kind}Type '{name}'"
            raise unprocessable(f"{wanted} is not known; the lab has {known}")
        return connector

    def _candidate(self, old: Json, new: Mapping[str, Any], *, merge: bool) -> Json:
        plain: Json = secrets.kept_where_masked(self._plain(new), old)
        return secrets.merged(old, plain) if merge else plain

    def _plain(self, configuration: Mapping[str, Any]) -> Json:
        """Drop the type and nulls, as Airbyte does; refuse what looks like a stored secret."""
        if _has_mark(configuration):
            raise unprocessable(f"{HEAD}$: the field '{secrets.MARK}' is reserved")
        return {key: value for key, value in configuration.items() if key != f"{self.kind}Type"}

    def _write(self, identifier: str, name: str, connector: Connector, new: Json, old: Json) -> None:
        stored = secrets.stored(self._store, identifier, self._workspace, new, old, connector.secrets)
        body = self.get(identifier)
        self._store.replace(identifier, {**body, "name": name, "configuration": stored})


def _table(item: Mapping[str, Any]) -> Table:
    columns = tuple(types.column(name, kind) for name, kind in item["columns"])
    return Table(item["namespace"], item["name"], columns, tuple(item["primary_key"]), item["estimated_rows"])


def _has_mark(value: Any) -> bool:
    if isinstance(value, Mapping):
        return secrets.MARK in value or any(_has_mark(item) for item in value.values())
    return isinstance(value, list) and any(_has_mark(item) for item in value)

"""Connections: which streams go from a source to a destination, validated against what the source has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from hanger_lab.airbyte import cron
from hanger_lab.airbyte.engine.model import SYNC_MODES, Stream, Table
from hanger_lab.airbyte.errors import Problem, unprocessable
from hanger_lab.airbyte.store import Json

DEFAULTS: Mapping[str, Any] = {
    "schedule": {"scheduleType": "manual"},
    "namespaceDefinition": "destination",
    "namespaceFormat": None,
    "prefix": "",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "status": "active",
    "tags": [],
}
SOURCE_NAMESPACE = "${SOURCE_NAMESPACE}"
UNSUPPORTED = ("mappers", "includeFiles", "destinationObjectName")


def normalised(settings: Mapping[str, Any]) -> Json:
    """Return settings as they are stored; raise the problem of status 422 for those that cannot be obeyed."""
    result = dict(settings)
    schedule = result.get("schedule")
    if schedule is not None:
        result["schedule"] = _schedule(schedule)
    if result.get("namespaceDefinition") == "custom_format" and not result.get("namespaceFormat"):
        raise unprocessable("namespaceFormat: is missing but it is required with namespaceDefinition 'custom_format'")
    behaviour = result.get("nonBreakingSchemaUpdatesBehavior")
    if behaviour not in (None, "ignore"):
        raise unprocessable(
            f"nonBreakingSchemaUpdatesBehavior: '{behaviour}' is not supported by the lab, only 'ignore'"
        )
    return result


def configured(wanted: Sequence[Mapping[str, Any]] | None, tables: Sequence[Table]) -> list[Json]:
    """Return streams as they are stored; without a list, all streams, overwritten in full at each sync."""
    if not wanted:
        return [_stream({"name": table.name, "namespace": table.namespace}, table) for table in tables]
    found = []
    seen = set()
    for stream in wanted:
        table = _table(stream, tables)
        if (table.namespace, table.name) in seen:
            raise _refused(stream, "is listed twice")
        seen.add((table.namespace, table.name))
        found.append(_stream(stream, table))
    return found


def engine_stream(stream: Mapping[str, Any], connection: Mapping[str, Any], default_schema: str) -> Stream:
    """Return a stored stream as the engine wants it, with its place in the destination."""
    selected = tuple(field["fieldPath"][0] for field in stream.get("selectedFields") or ())
    return Stream(
        namespace=stream["namespace"],
        name=stream["name"],
        mode=stream["syncMode"],
        target=(_schema(stream["namespace"], connection, default_schema), connection["prefix"] + stream["name"]),
        cursor=stream["cursorField"][0] if stream.get("cursorField") else None,
        primary_key=tuple(path[0] for path in stream.get("primaryKey") or ()),
        selected=selected or None,
    )


def properties(table: Table) -> Json:
    """Return a table as the public API shows a stream."""
    return {
        "streamName": table.name,
        "streamnamespace": table.namespace,
        "syncModes": list(SYNC_MODES),
        "defaultCursorField": [],
        "sourceDefinedCursorField": False,
        "sourceDefinedPrimaryKey": [[key] for key in table.primary_key],
        "propertyFields": [[column.name] for column in table.columns],
    }


def _schema(namespace: str, connection: Mapping[str, Any], default_schema: str) -> str:
    definition = connection["namespaceDefinition"]
    if definition == "source":
        return namespace
    if definition == "custom_format":
        return str(connection["namespaceFormat"]).replace(SOURCE_NAMESPACE, namespace) or default_schema
    return default_schema


def _schedule(schedule: Mapping[str, Any]) -> Json:
    if schedule["scheduleType"] == "manual":
        return {"scheduleType": "manual"}
    expression = schedule.get("cronExpression")
    if not expression:
        raise unprocessable("schedule.cronExpression: is missing but it is required with scheduleType 'cron'")
    return {"scheduleType": "cron", "cronExpression": cron.normalised(expression)}


def _table(stream: Mapping[str, Any], tables: Sequence[Table]) -> Table:
    name, namespace = stream["name"], stream.get("namespace")
    found = [table for table in tables if table.name == name and namespace in (None, table.namespace)]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(sorted(table.namespace for table in found))
        raise _refused(stream, f"exists in several namespaces ({places}), set one")
    near = get_close_matches(name, [table.name for table in tables], n=1)
    raise _refused(stream, "does not exist in the source" + (f"; did you mean '{near[0]}'?" if near else ""))


def _stream(stream: Mapping[str, Any], table: Table) -> Json:
    mode = stream.get("syncMode") or "full_refresh_overwrite"
    if mode not in SYNC_MODES:
        raise _refused(stream, f"syncMode '{mode}' is not supported by these connectors, which have {list(SYNC_MODES)}")
    for option in UNSUPPORTED:
        if stream.get(option):
            raise _refused(stream, f"{option} is not supported by the lab")
    fields = [column.name for column in table.columns]
    selected = [field.get("fieldPath") or [] for field in stream.get("selectedFields") or []]
    cursor = list(stream.get("cursorField") or [])
    key = [list(path) for path in stream.get("primaryKey") or []]
    for option, paths in (
        ("cursorField", [cursor] if cursor else []),
        ("primaryKey", key),
        ("selectedFields", selected),
    ):
        for path in paths:
            _check_field(stream, option, path, fields)
    defined = [[name] for name in table.primary_key]
    if key and defined and sorted(key) != sorted(defined):
        raise _refused(stream, f"primaryKey is defined by the source as {defined} and cannot be another")
    key = defined or key
    if mode.startswith("incremental") and not cursor:
        raise _refused(stream, f"syncMode '{mode}' needs a cursorField")
    if "dedup" in mode and not key:
        raise _refused(stream, f"syncMode '{mode}' needs a primaryKey")
    for path in [*key, *([cursor] if cursor else [])] if selected else []:
        if path not in selected:
            raise _refused(stream, f"selectedFields must contain '{path[0]}', which is a key or the cursor")
    result: Json = {"name": table.name, "namespace": table.namespace, "syncMode": mode, "cursorField": cursor}
    result["primaryKey"] = key
    if selected:
        result["selectedFields"] = [{"fieldPath": path} for path in selected]
    return result


def _check_field(stream: Mapping[str, Any], option: str, path: Sequence[str], fields: Sequence[str]) -> None:
    if len(path) != 1 or path[0] not in fields:
        near = get_close_matches(path[0], fields, n=1) if path else []
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise _refused(stream, f"{option} '{'.'.join(path)}' is not one of its fields{hint}")


def _refused(stream: Mapping[str, Any], reason: str) -> Problem:
    return unprocessable(f"configurations.streams: stream '{stream['name']}': {reason}")

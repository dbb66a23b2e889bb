"""The catalog of a source as the configuration API shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hanger_lab.airbyte.engine.model import Table
from hanger_lab.airbyte.store import Json

MODES = {
    "full_refresh_overwrite": ("full_refresh", "overwrite"),
    "full_refresh_overwrite_deduped": ("full_refresh", "overwrite_dedup"),
    "full_refresh_append": ("full_refresh", "append"),
    "incremental_append": ("incremental", "append"),
    "incremental_deduped_history": ("incremental", "append_dedup"),
}


def catalog(tables: Sequence[Table], streams: Sequence[Mapping[str, Any]] | None = None) -> Json:
    """Return all tables; those among `streams` are selected, and all of them where no streams are given."""
    chosen = {(stream["namespace"], stream["name"]): stream for stream in streams or []}
    return {
        "streams": [
            {
                "stream": _stream(table),
                "config": _config(table, chosen.get((table.namespace, table.name)), streams is None),
            }
            for table in tables
        ]
    }


def _stream(table: Table) -> Json:
    return {
        "name": table.name,
        "namespace": table.namespace,
        "jsonSchema": {"type": "object", "properties": {c.name: c.json_schema for c in table.columns}},
        "supportedSyncModes": ["full_refresh", "incremental"],
        "sourceDefinedCursor": False,
        "defaultCursorField": [],
        "sourceDefinedPrimaryKey": [[key] for key in table.primary_key],
        "isResumable": False,
    }


def _config(table: Table, stream: Mapping[str, Any] | None, default: bool) -> Json:
    mode = stream["syncMode"] if stream else "full_refresh_overwrite"
    sync, destination = MODES[mode]
    return {
        "selected": default or stream is not None,
        "syncMode": sync,
        "destinationSyncMode": destination,
        "cursorField": list(stream["cursorField"]) if stream else [],
        "primaryKey": list(stream["primaryKey"]) if stream else [[key] for key in table.primary_key],
        "aliasName": table.name,
        "fieldSelectionEnabled": bool(stream and stream.get("selectedFields")),
    }

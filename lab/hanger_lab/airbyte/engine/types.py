"""PostgreSQL's types: what they become in Snowflake, in the catalog's JSON schema, and how they are selected.

The mapping is that of Airbyte's direct load: whole numbers NUMBER, other numbers FLOAT, text VARCHAR, and so on.
"""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import sql

from hanger_lab.airbyte.engine.model import Column

_INTEGER: dict[str, Any] = {"type": "number", "airbyte_type": "integer"}
_NUMBER: dict[str, Any] = {"type": "number"}
_STRING: dict[str, Any] = {"type": "string"}
_JSON: dict[str, Any] = {
    "oneOf": [{"type": kind} for kind in ("array", "object", "string", "number", "boolean")],
}


def _time(kind: str, zone: bool) -> dict[str, Any]:
    name = f"{kind}_with{'' if zone else 'out'}_timezone"
    return {"type": "string", "format": "date-time" if kind == "timestamp" else "time", "airbyte_type": name}


_TYPES: dict[str, tuple[str, dict[str, Any], LiteralString]] = {
    "int2": ("NUMBER", _INTEGER, "{}"),
    "int4": ("NUMBER", _INTEGER, "{}"),
    "int8": ("NUMBER", _INTEGER, "{}"),
    "oid": ("NUMBER", _INTEGER, "{}"),
    "numeric": ("FLOAT", _NUMBER, "{}"),
    "float4": ("FLOAT", _NUMBER, "{}"),
    "float8": ("FLOAT", _NUMBER, "{}"),
    "money": ("FLOAT", _NUMBER, "{}::numeric"),
    "bool": ("BOOLEAN", {"type": "boolean"}, "{}"),
    "date": ("DATE", {"type": "string", "format": "date"}, "{}"),
    "time": ("TIME", _time("time", False), "{}"),
    "timetz": ("VARCHAR", _time("time", True), "{}"),
    "timestamp": ("TIMESTAMP_NTZ", _time("timestamp", False), "{}"),
    "timestamptz": ("TIMESTAMP_TZ", _time("timestamp", True), "{}"),
    "json": ("VARIANT", _JSON, "{}"),
    "jsonb": ("VARIANT", _JSON, "{}"),
}


def column(name: str, type_name: str) -> Column:
    """Return a column of PostgreSQL's internal type name (`int4`, `_text`); unknown types become text."""
    if type_name.startswith("_"):
        return Column(name, type_name, "ARRAY", {"type": "array"}, "to_json({})")
    target, schema, template = _TYPES.get(type_name, ("VARCHAR", _STRING, "{}"))
    return Column(name, type_name, target, schema, template)


def selected(found: Column) -> sql.Composable:
    """Return the expression that selects a column as its CSV text."""
    return sql.SQL(found.template).format(sql.Identifier(found.name))

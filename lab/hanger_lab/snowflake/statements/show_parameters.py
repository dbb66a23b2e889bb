"""SHOW PARAMETERS, for what has been set."""

from __future__ import annotations

from hanger_lab.snowflake import names
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import targets

_COLUMNS = ("key", "value", "default", "level", "description", "type")
_DEFAULTS: dict[str, dict[str, str | int | bool]] = {
    "SESSION": {
        "AUTOCOMMIT": True,
        "QUERY_TAG": "",
        "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
        "STATEMENT_TIMEOUT_IN_SECONDS": 172_800,
        "TIMEZONE": "Etc/UTC",
        "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    },
    "WAREHOUSE": {
        "MAX_CONCURRENCY_LEVEL": 8,
        "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
        "STATEMENT_TIMEOUT_IN_SECONDS": 172_800,
    },
    "DATABASE": {"DATA_RETENTION_TIME_IN_DAYS": 1, "MAX_DATA_EXTENSION_TIME_IN_DAYS": 14},
    "SCHEMA": {"DATA_RETENTION_TIME_IN_DAYS": 1, "MAX_DATA_EXTENSION_TIME_IN_DAYS": 14},
    "USER": {"STATEMENT_TIMEOUT_IN_SECONDS": 172_800, "QUERY_TAG": "", "TIMEZONE": "Etc/UTC"},
}


def parameters(parser: Parser, context: Context) -> Result:
    """Run SHOW PARAMETERS [LIKE p] [IN | FOR SESSION | ACCOUNT | USER u | WAREHOUSE w | DATABASE d | SCHEMA s]."""
    pattern = parser.string() if parser.accept("LIKE") else "%"
    level, given = "SESSION", context.session.parameters
    if parser.accept("IN") or parser.accept("FOR"):
        if parser.accept("ACCOUNT"):
            level, given = "ACCOUNT", context.catalog.parameters
        elif not parser.accept("SESSION"):
            level = targets.read_kind(parser)
            name = context.session.qualify(parser.name(), targets.depth_of(level), "SHOW PARAMETERS")
            given = context.access.require_visible(level, name).properties
    parser.end()
    return table(_COLUMNS, _rows(level, given, pattern))


def _rows(level: str, given: Properties, pattern: str) -> list[dict[str, Cell]]:
    defaults = _DEFAULTS.get("SESSION" if level == "ACCOUNT" else level, {})
    keys = sorted({*defaults, *(given if level in ("SESSION", "ACCOUNT") else ())})
    rows: list[dict[str, Cell]] = []
    for key in keys:
        if names.like(pattern, key):
            default = defaults.get(key, "")
            value = given.get(key, default)
            kind = "BOOLEAN" if isinstance(value, bool) else "NUMBER" if isinstance(value, int) else "STRING"
            rows.append(
                {
                    "key": key,
                    "value": str(value).lower() if isinstance(value, bool) else str(value),
                    "default": str(default).lower() if isinstance(default, bool) else str(default),
                    "level": level if key in given else "",
                    "description": "",
                    "type": kind,
                }
            )
    return rows

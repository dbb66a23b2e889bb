"""SHOW PRIMARY KEYS, UNIQUE KEYS and IMPORTED KEYS, from what the catalogue keeps of a table's constraints.

The columns are those of docs.snowflake.com/en/sql-reference/sql/show-primary-keys and its neighbours.
"""

from __future__ import annotations

from hanger_lab.snowflake.data import keys
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.results import SHOW, Cell, Result, table
from hanger_lab.snowflake.session import Context

_OWN = (
    "created_on", "database_name", "schema_name", "table_name", "column_name", "key_sequence", "constraint_name",
    "rely", "comment",
)  # fmt: skip
_IMPORTED = (
    "created_on", "pk_database_name", "pk_schema_name", "pk_table_name", "pk_column_name", "fk_database_name",
    "fk_schema_name", "fk_table_name", "fk_column_name", "key_sequence", "update_rule", "delete_rule", "fk_name",
    "pk_name", "deferrability", "rely", "comment",
)  # fmt: skip
KINDS = {"PRIMARY KEYS": "PRIMARY KEY", "UNIQUE KEYS": "UNIQUE", "IMPORTED KEYS": "FOREIGN KEY"}


def rows(shown: str, scope: Name, context: Context) -> Result:
    """List the keys of the tables inside a scope that the roles in force may know, column by column."""
    kind = KINDS[shown]
    found: list[dict[str, Cell]] = []
    for owner in context.catalog.all("TABLE"):
        if owner.name[: len(scope)] == scope and context.access.lists("TABLE", owner.name):
            for key in keys.of(owner):
                if key.kind == kind:
                    found += _imported(owner, key, context) if kind == "FOREIGN KEY" else _own(owner, key)
    return table(_IMPORTED if kind == "FOREIGN KEY" else _OWN, found, SHOW)


def _own(owner: Securable, key: keys.Key) -> list[dict[str, Cell]]:
    return [
        {
            "created_on": owner.created,
            **_place("", owner.name, column),
            "key_sequence": position,
            "constraint_name": key.name,
            "rely": "false",
        }
        for position, column in enumerate(key.columns, 1)
    ]


def _imported(owner: Securable, key: keys.Key, context: Context) -> list[dict[str, Cell]]:
    target = context.catalog.find("TABLE", key.table)
    primary = next((k for k in keys.of(target) if k.kind == "PRIMARY KEY"), None) if target is not None else None
    referenced = key.referenced or (primary.columns if primary is not None else ())
    return [
        {
            "created_on": owner.created,
            **_place("pk_", key.table, other),
            **_place("fk_", owner.name, column),
            "key_sequence": position,
            "update_rule": "NO ACTION",
            "delete_rule": "NO ACTION",
            "fk_name": key.name,
            "pk_name": primary.name if primary is not None else None,
            "deferrability": "NOT DEFERRABLE",
            "rely": "false",
        }
        for position, (column, other) in enumerate(zip(key.columns, referenced, strict=False), 1)
    ]


def _place(prefix: str, name: Name, column: str) -> dict[str, Cell]:
    parts = ("database_name", "schema_name", "table_name", "column_name")
    return {f"{prefix}{part}": value for part, value in zip(parts, (*name, column), strict=True)}

"""Filters for the playbooks' closing words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from tabulate import tabulate


def text_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay rows of equal keys out as a text table; raise AnsibleFilterError when their keys differ."""
    if len({tuple(row) for row in rows}) > 1:
        raise AnsibleFilterError("text_table: all rows need the same keys in the same order")
    return tabulate(
        [[str(value) for value in row.values()] for row in rows],
        headers=[str(key) for key in rows[0]] if rows else [],
        disable_numparse=True,
    )


def reconcile(source: Sequence[Mapping[str, Any]], warehouse: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put the counts of source ({name, rows}) and warehouse ({NAME, ROWS_LOADED}) side by side, a row each table."""
    loaded = {row["NAME"]: int(row["ROWS_LOADED"]) for row in warehouse}
    return [
        {
            "Table": str(row["name"]),
            "Source": int(row["rows"]),
            "Warehouse": loaded.get(row["name"], "missing"),
            "State": "equal" if loaded.get(row["name"]) == int(row["rows"]) else "different",
        }
        for row in source
    ]


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"reconcile": reconcile, "text_table": text_table}

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


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"text_table": text_table}

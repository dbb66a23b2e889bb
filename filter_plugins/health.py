"""Filters over what postgres-health answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tabulate import tabulate


def _answer(result: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the result of the command; what is no answer becomes one that cannot tell."""
    try:
        answer: dict[str, Any] = json.loads(str(result.get("stdout") or ""))
    except ValueError:
        missing = result.get("rc") in (2, 127) or "No such file" in str(result.get("msg"))
        why = (
            "run --tags postgres_server to install postgres-health"
            if missing
            else str(result.get("msg") or "no answer")
        )
        return {"level": "unknown", "checks": [{"name": "postgres-health", "level": "unknown", "text": why}]}
    return answer


def health_table(result: Mapping[str, Any]) -> str:
    """Lay out the checks of `postgres-health --json`, as the command's result has them."""
    rows = [[check["name"], check["level"], check["text"]] for check in _answer(result)["checks"]]
    return tabulate(rows, headers=["Check", "Level", "What"], disable_numparse=True)


def health_state(result: Mapping[str, Any]) -> str:
    """Say in one line how the server is: its level, and what is not well."""
    answer = _answer(result)
    told = [check["text"] for check in answer["checks"] if check["level"] != "ok"]
    return ": ".join([str(answer["level"]), *(["; ".join(told)] if told else [])])


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"health_state": health_state, "health_table": health_table}

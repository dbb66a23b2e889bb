"""Filters that hold a set of variables against the argument specs of the roles."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"


def misspelled_role_variables(names: Iterable[str], roles_directory: str = str(ROLES)) -> list[str]:
    """Describe each variable that starts with a role's name but stands in none of that role's argument specs."""
    specs = _specs(roles_directory)
    options = {
        role: {name for entry in entries.values() for name in _options(entry)} for role, entries in specs.items()
    }
    messages = []
    for name in sorted(names):
        role = max((role for role in options if name.startswith(f"{role}_")), key=len, default="")
        if role and name not in options[role]:
            close = get_close_matches(name, sorted(options[role]), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            messages.append(f"{name} is no variable of the role {role}{hint}")
    return messages


def role_options(names: Iterable[str], roles_directory: str = str(ROLES)) -> dict[str, dict[str, Any]]:
    """Return for each role the argument specs of those of its main options that are among the names."""
    wanted = set(names)
    found = {
        role: {name: spec for name, spec in _options(entries["main"]).items() if name in wanted}
        for role, entries in _specs(roles_directory).items()
    }
    return {role: options for role, options in sorted(found.items()) if options}


def _specs(roles_directory: str) -> dict[str, dict[str, Any]]:
    paths = list(Path(roles_directory).glob("*/meta/argument_specs.yml"))
    return {path.parent.parent.name: yaml.safe_load(path.read_text())["argument_specs"] for path in paths}


def _options(entry: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = entry.get("options", {})
    return options


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"misspelled_role_variables": misspelled_role_variables, "role_options": role_options}

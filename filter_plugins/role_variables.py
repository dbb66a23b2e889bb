"""Filter that finds misspelled role variables, which Ansible itself would pass over in silence."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml


def misspelled_role_variables(names: Iterable[str], roles_directory: str) -> list[str]:
    """Describe each variable that starts with a role's name but stands in none of that role's argument specs."""
    options = {
        path.parent.parent.name: _options(path) for path in Path(roles_directory).glob("*/meta/argument_specs.yml")
    }
    messages = []
    for name in sorted(names):
        role = max((role for role in options if name.startswith(f"{role}_")), key=len, default="")
        if role and name not in options[role]:
            close = get_close_matches(name, sorted(options[role]), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            messages.append(f"{name} is no variable of the role {role}{hint}")
    return messages


def _options(specs: Path) -> set[str]:
    entry_points = yaml.safe_load(specs.read_text())["argument_specs"].values()
    return {name for entry_point in entry_points for name in entry_point.get("options", {})}


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"misspelled_role_variables": misspelled_role_variables}

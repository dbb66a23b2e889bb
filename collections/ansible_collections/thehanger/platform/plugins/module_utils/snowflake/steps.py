# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .identifiers import Name, show

Difference = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One statement, what it does to what, and the errors that say that it is done already.

    The secret that it answers with goes into `secret_file`.
    """

    action: str
    kind: str
    name: str
    statement: str
    settled: frozenset[int] = frozenset()
    secret_file: str = ""

    def summary(self) -> dict[str, str]:
        """Return the step as a module returns it."""
        return {"action": self.action, "kind": self.kind, "name": self.name}


@dataclass
class Plan:
    """Steps in the order they must run, differences for people, and why the plan cannot be carried out.

    `missing` names what does not exist, `refused` what Snowflake cannot change; `unlisted` are privileges of described
    roles that no entry lists.
    """

    steps: list[Step] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unlisted: dict[str, list[str]] = field(default_factory=dict)

    def differ(self, label: str, name: Name | str, before: Any, after: Any) -> None:
        """Add a difference."""
        header = f"{label} {name if isinstance(name, str) else show(name)}".strip()
        self.differences.append({"before_header": header, "after_header": header, "before": before, "after": after})

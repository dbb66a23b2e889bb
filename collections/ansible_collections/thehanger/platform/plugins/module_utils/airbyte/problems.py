# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns Airbyte's error answers (RFC 9457 problems) into one line that names field and value."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

FIELD = re.compile(r"\$\.(?P<path>[A-Za-z_][\w.]*)")
LONGEST = 1000


def describe(
    method: str, path: str, status: int, problem: Any, body: Mapping[str, Any] | None, secrets: Collection[str]
) -> str:
    """Return the message for an answer of an error status, without any of `secrets`."""
    text = f"Airbyte refused {method} {path} (HTTP {status})"
    reasons = _reasons(problem)
    if reasons:
        text += ": " + "; ".join(reasons)
    for field, value in _mentioned(text, body or {}):
        text += f" [{field} = {value!r}]"
    text = concealed(text, secrets)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def concealed(text: str, secrets: Collection[str]) -> str:
    """Return a text with asterisks in place of each secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "********")
    return text


def _reasons(problem: Any) -> list[str]:
    if isinstance(problem, str):
        return [" ".join(problem.split())] if problem.strip() else []
    if not isinstance(problem, Mapping):
        return []
    data = problem.get("data")
    found = [problem.get("detail") or problem.get("title"), problem.get("message")]
    if isinstance(data, Mapping):
        found.append(data.get("message"))
        found += [str(error) for error in data.get("errors") or []]
    reasons: list[str] = []
    for reason in found:
        if reason and not any(str(reason) in known for known in reasons):
            reasons.append(str(reason))
    return reasons


def _mentioned(text: str, body: Mapping[str, Any]) -> list[tuple[str, Any]]:
    fields = []
    for match in FIELD.finditer(text):
        value: Any = body.get("configuration") or body.get("connectionConfiguration") or body
        for part in match["path"].rstrip(".").split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, (str, int, float, bool)):
            fields.append((match["path"].rstrip("."), value))
    return list(dict.fromkeys(fields))

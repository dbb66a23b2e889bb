# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure functions on Airbyte's objects: equality as a user means it, merging, near matches, durations."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import AirbyteError

Path = tuple[str, ...]
DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>[\d.]+)S)?)?")
TYPE_KEYS = ("sourceType", "destinationType")


@dataclass(frozen=True)
class Step:
    """One request that changes Airbyte."""

    action: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None


def normalise(value: Any) -> Any:
    """Drop what Airbyte treats as absent: null, empty lists and empty objects, at every depth."""
    if isinstance(value, Mapping):
        cleaned = {str(key): normalise(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item not in (None, {})}
    if isinstance(value, (list, tuple)):
        return [normalise(item) for item in value] or None
    return value


def without_type(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Drop sourceType and destinationType, which Airbyte does not store."""
    return {key: value for key, value in configuration.items() if key not in TYPE_KEYS}


def value_at(value: Any, path: Path) -> Any:
    """Return what stands at a path of an object, None where it ends early."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def with_value(value: Mapping[str, Any], path: Path, new: Any) -> dict[str, Any]:
    """Return a copy of an object with another value at a path that exists; None removes it."""
    if value_at(value, path) is None:
        return dict(value)
    head, rest = path[0], path[1:]
    changed = {key: item for key, item in value.items() if key != head or rest or new is not None}
    if rest:
        changed[head] = with_value(value[head], rest, new)
    elif new is not None:
        changed[head] = new
    return changed


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Merge objects recursively, `patch` wins; lists are replaced."""
    merged = dict(base)
    for key, value in patch.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def restrict(actual: Any, desired: Any) -> Any:
    """Return the part of `actual` whose keys stand in `desired`: what the user did not set does not count."""
    if isinstance(desired, Mapping) and isinstance(actual, Mapping):
        return {key: restrict(actual[key], desired[key]) for key in desired if actual.get(key) is not None}
    return actual


def same(desired: Any, actual: Any) -> bool:
    """Tell whether everything that the user set is already so."""
    wanted = normalise(desired)
    return bool(wanted == normalise(restrict(actual, wanted)))


def cron(expression: str | None) -> str | None:
    """Return what identifies a cron expression: Airbyte answers `<expression> UTC` for `<expression>`."""
    return " ".join(expression.split()).removesuffix(" UTC") if expression else None


def seconds(duration: str | None) -> float | None:
    """Return the seconds of an ISO 8601 duration, None when there is none."""
    match = DURATION.fullmatch(duration or "")
    if not match or duration in ("P", "PT"):
        return None
    days, hours, minutes, rest = (float(match[part] or 0) for part in ("days", "hours", "minutes", "seconds"))
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for a near match, else the known names, for the end of an error message."""
    names = sorted(set(known))
    longer = [known_name for known_name in names if known_name.startswith(name)] if len(name) > 2 else []
    near = longer or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else "; there is none"


def only(kind: str, name: str, items: Sequence[Mapping[str, Any]], id_key: str) -> dict[str, Any] | None:
    """Return the one item of that name, None when there is none, raise when the name is not unique."""
    found = [item for item in items if item.get("name") == name]
    if len(found) > 1:
        ids = ", ".join(sorted(str(item[id_key]) for item in found))
        raise AirbyteError(
            f"{len(found)} {kind}s are called '{name}': {ids}; names must be unique, rename or delete all but one"
        )
    return dict(found[0]) if found else None

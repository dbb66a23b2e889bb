"""Secrets of configurations: kept apart under coordinates whose version tells each write, shown as asterisks."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from hanger_lab.airbyte.connectors import Path
from hanger_lab.airbyte.store import Json, Store

MASK = "**********"
MARK = "_secret"
VERSION = re.compile(r"_v(\d+)$")


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """Merge configurations recursively; `patch` wins, lists are replaced, null removes."""
    result = dict(base)
    for key, value in patch.items():
        old = result.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping) and MARK not in old:
            result[key] = merged(old, value)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def kept_where_masked(new: Any, old: Any) -> Any:
    """Return `new` with the stored coordinate wherever it has only the mask of a stored secret."""
    if new == MASK and isinstance(old, Mapping) and MARK in old:
        return dict(old)
    if isinstance(new, Mapping):
        before = old if isinstance(old, Mapping) else {}
        return {key: kept_where_masked(value, before.get(key)) for key, value in new.items()}
    return new


def stored(store: Store, owner: str, workspace: str, configuration: Json, old: Json, paths: frozenset[Path]) -> Json:
    """Put the secrets of a configuration away and return it with coordinates in their place."""
    result = configuration
    for path in sorted(paths):
        value = value_at(configuration, path)
        if isinstance(value, str):
            coordinate = _next(value_at(old, path), workspace)
            store.put_secret(coordinate, owner, value)
            result = with_value(result, path, {MARK: coordinate})
    found = [value_at(result, path) for path in paths]
    store.keep_secrets(owner, {value[MARK] for value in found if isinstance(value, Mapping)})
    return result


def shown(configuration: Any, *, coordinates: bool = False) -> Any:
    """Return a stored configuration as the API shows it: secrets masked, or as their coordinates."""
    return _replaced(configuration, (lambda coordinate: coordinate) if coordinates else (lambda _: MASK))


def revealed(store: Store, configuration: Any) -> Any:
    """Return a stored configuration with the secrets in it, for the engine only."""
    return _replaced(configuration, store.secret)


def value_at(value: Any, path: Path) -> Any:
    """Return what stands at a path, None where it ends early."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def with_value(value: Mapping[str, Any], path: Path, new: Any) -> Json:
    """Return a copy with another value at a path that exists."""
    inner = with_value(value[path[0]], path[1:], new) if path[1:] else new
    return {**value, path[0]: inner}


def _next(old: Any, workspace: str) -> str:
    if isinstance(old, Mapping) and MARK in old:
        match = VERSION.search(old[MARK])
        version = int(match[1]) if match else 0
        return VERSION.sub("", old[MARK]) + f"_v{version + 1}"
    return f"airbyte_workspace_{workspace}_secret_{uuid.uuid4()}_v1"


def _replaced(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        if MARK in value:
            return replace(str(value[MARK]))
        return {key: _replaced(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, replace) for item in value]
    return value

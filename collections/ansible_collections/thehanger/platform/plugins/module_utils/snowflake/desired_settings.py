# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired settings: parameters, policies in force and tags on objects, out of the modules' options."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .entries import Options, name_at, present
from .errors import InvalidInputError
from .identifiers import parse, show
from .kind import Kind
from .kinds import AUTHENTICATION_POLICY, BY_WORD, NETWORK_POLICY, TAG, USER
from .state import EVERYTHING, Setting, Tagging
from .values import Value

PARAMETER_TYPES = ("account", "database", "schema", "user", "warehouse")
TAG_TYPES = ("database", "role", "schema", "user", "warehouse")
# Parameters whose values are names of other objects.
REFERENCES = frozenset({"NETWORK_POLICY", "AUTHENTICATION POLICY", "RESOURCE_MONITOR"})


def settings(options: Options) -> tuple[Setting, ...]:
    """Return the parameters that are described, and the policies that are to be in force."""
    found: list[Setting] = []
    for index, item in enumerate(options.get("parameters") or []):
        found += _parameters(item, f"parameters[{index}]")
    for kind, parameter in ((NETWORK_POLICY, "NETWORK_POLICY"), (AUTHENTICATION_POLICY, "AUTHENTICATION POLICY")):
        for index, item in enumerate(options.get(kind.option) or []):
            found += _in_force(item, f"{kind.option}[{index}]", kind, parameter)
    seen: dict[tuple[Any, ...], Setting] = {}
    for setting in sorted(found, key=lambda setting: setting.former is not None):
        other = seen.setdefault((setting.kind, setting.name, setting.parameter), setting)
        if other.value != setting.value and not setting.former:
            raise InvalidInputError(setting.path, f"{setting.parameter} has another value by {other.path}")
    # What may lock the session out comes last.
    return tuple(sorted(seen.values(), key=lambda setting: (setting.parameter in REFERENCES, setting.kind is None)))


def _parameters(item: Options, path: str) -> Iterable[Setting]:
    kind = None if item["type"] == "account" else BY_WORD[item["type"].upper()]
    name = EVERYTHING
    if kind is None and item.get("name"):
        raise InvalidInputError(f"{path}.name", "there is only one account; leave the option out")
    if kind is not None:
        name = name_at(f"{path}.name", item.get("name") or "", kind.parts)
    if not item["parameters"]:
        raise InvalidInputError(f"{path}.parameters", "at least one parameter is needed")
    for key, value in item["parameters"].items():
        where = f"{path}.parameters.{key}"
        if not re.fullmatch(r"[A-Za-z_]+", str(key)):
            raise InvalidInputError(where, f"{key!r} is not a parameter")
        yield Setting(kind, name, str(key).upper(), _value(str(key).upper(), value, where), where)


def _value(parameter: str, value: Any, path: str) -> Value:
    """Return a value as it is compared with what SHOW PARAMETERS prints: as text; None where it is inherited."""
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise InvalidInputError(path, "a parameter is a number, a truth value or a text")
    if parameter in REFERENCES:
        try:
            return show(parse(str(value))) if value else None
        except ValueError as error:
            raise InvalidInputError(path, str(error)) from error
    return value if isinstance(value, bool | int) else str(value)


def _in_force(item: Options, path: str, kind: Kind, parameter: str) -> Iterable[Setting]:
    value = show(name_at(f"{path}.name", item["name"], kind.parts))
    if not present(item):
        # One that is in force cannot be dropped; users take theirs along when they go.
        if item.get("account"):
            yield Setting(None, EVERYTHING, parameter, None, f"{path}.account", former=value)
        return
    if item.get("account"):
        yield Setting(None, EVERYTHING, parameter, value, f"{path}.account")
    for index, text in enumerate(item.get("users") or []):
        where = f"{path}.users[{index}]"
        yield Setting(USER, name_at(where, text, 1), parameter, value, where)


def taggings(options: Options) -> tuple[Tagging, ...]:
    """Return the tags that objects are to carry."""
    found: dict[tuple[Any, ...], Tagging] = {}
    for index, item in enumerate(options.get(TAG.option) or []):
        path = f"{TAG.option}[{index}]"
        tag = name_at(f"{path}.name", item["name"], TAG.parts)
        for number, entry in enumerate(item.get("objects") or [] if present(item) else []):
            where = f"{path}.objects[{number}]"
            kind = BY_WORD[entry["type"].upper()]
            name = name_at(f"{where}.name", entry["name"], kind.parts)
            value = str(entry["value"]) if entry.get("value") is not None else None
            allowed = item.get("allowed_values")
            if value is not None and allowed and value not in [str(word) for word in allowed]:
                raise InvalidInputError(f"{where}.value", f"{value!r} is none of the allowed values")
            tagging = Tagging(kind, name, tag, value, where)
            if (other := found.setdefault((tag, kind, name), tagging)) is not tagging:
                raise InvalidInputError(where, f"the object is named already by {other.path}")
    return tuple(found.values())

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired state: the modules' options, checked and normalised before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable

from . import desired_access, desired_settings, grants, tokens
from .entries import Options, name_at, present
from .errors import InvalidInputError
from .identifiers import Name, parse, show
from .kind import Kind
from .kinds import (
    BY_WORD,
    DATABASE,
    IN_ORDER,
    MONITOR,
    NETWORK_POLICY,
    NETWORK_RULE,
    ROLE,
    SCHEMA,
    STAGE,
    STORAGE_INTEGRATION,
    TAG,
    USER,
    WAREHOUSE,
)
from .state import Bundle, Desired, Thing
from .values import Value, members

# Properties that name other objects which the description must not lack.
_REFERENCES = (
    (WAREHOUSE, "resource_monitor", MONITOR),
    (NETWORK_POLICY, "allowed_network_rule_list", NETWORK_RULE),
    (NETWORK_POLICY, "blocked_network_rule_list", NETWORK_RULE),
    (STAGE, "storage_integration", STORAGE_INTEGRATION),
)
# Parameters that do so.
_NAMED = {"NETWORK_POLICY": NETWORK_POLICY, "RESOURCE_MONITOR": MONITOR}


def read_options(options: Options) -> Desired:
    """Normalise the options; raises InvalidInputError with the path of the first that cannot be meant."""
    things = tuple(
        _thing(kind, item, f"{kind.option}[{index}]")
        for kind in IN_ORDER
        for index, item in enumerate(options.get(kind.option) or [])
    )
    _refuse_twice(things)
    _refuse_orphans(things)
    memberships, closed = desired_access.memberships(options)
    desired = Desired(
        things,
        memberships,
        desired_access.bundles(options),
        desired_settings.settings(options),
        desired_settings.taggings(options),
        tokens.tokens(options),
        closed,
        bool(options.get("exclusive")),
    )
    _refuse_use_of_absent(desired)
    _refuse_exclusive_system_roles(desired)
    return desired


def _thing(kind: Kind, item: Options, path: str) -> Thing:
    name = name_at(f"{path}.name", item.get("name"), kind.parts)
    here = present(item)
    if not here and name[-1] in kind.protected:
        raise InvalidInputError(f"{path}.state", f"{kind.label} {show(name)} belongs to Snowflake and cannot be absent")
    if name[-1] in kind.hidden:
        raise InvalidInputError(f"{path}.name", f"{show(name)} belongs to Snowflake and cannot be managed")
    properties: dict[str, Value] = {}
    for prop in kind.properties:
        if item.get(prop.option) is None:
            continue
        try:
            properties[prop.option] = prop.wanted(item[prop.option])
        except ValueError as error:
            raise InvalidInputError(f"{path}.{prop.option}", str(error)) from error
    return Thing(kind, name, path, here, properties)


def _refuse_twice(things: Iterable[Thing]) -> None:
    seen: dict[tuple[str, Name], str] = {}
    for thing in things:
        key = (thing.kind.word, thing.name)
        if key in seen:
            raise InvalidInputError(f"{thing.path}.name", f"{show(thing.name)} is described already by {seen[key]}")
        seen[key] = thing.path


def _refuse_orphans(things: Iterable[Thing]) -> None:
    gone = {(thing.kind.word, thing.name): thing.path for thing in things if not thing.present}
    for thing in things:
        for place, name in _around(thing.kind, thing.name) if thing.present else ():
            if (place.word, name) in gone:
                raise InvalidInputError(
                    f"{thing.path}.name", f"its {place.label} is absent by {gone[place.word, name]}"
                )


def _around(kind: Kind, name: Name) -> Iterable[tuple[Kind, Name]]:
    """Return what an object stands in, from the inside out."""
    place = kind.place
    while place is not None:
        name = name[:-1]
        yield place, name
        place = place.place


def _refuse_use_of_absent(desired: Desired) -> None:
    gone = {(thing.kind.word, thing.name): thing.path for thing in desired.things if not thing.present}
    for path, kind, name in references(desired):
        if (kind.word, name) in gone:
            raise InvalidInputError(path, f"{kind.label} {show(name)} is absent by {gone[kind.word, name]}")


def _refuse_exclusive_system_roles(desired: Desired) -> None:
    for bundle in desired.bundles if desired.exclusive else ():
        if bundle.holder[1][-1] in ROLE.protected and bundle.holder[0] == ROLE.word:
            raise InvalidInputError(
                bundle.path,
                f"exclusive would revoke what Snowflake gave to {show(bundle.holder[1])}; describe its grants in "
                "a task of their own",
            )


def references(desired: Desired) -> Iterable[tuple[str, Kind, Name]]:
    """Return what the description builds on: objects that must exist or be created, each with the option's path."""
    for thing in desired.things:
        if thing.present and thing.kind.place is not None:
            yield f"{thing.path}.name", thing.kind.place, thing.name[:-1]
    for kind, option, other in _REFERENCES:
        for thing in desired.of(kind):
            for text in _names(thing.properties.get(option)) if thing.present else ():
                yield f"{thing.path}.{option}", other, parse(text)
    for membership in desired.memberships:
        yield membership.path, BY_WORD[membership.role[0]], membership.role[1]
        if membership.to[0] != "USER":
            yield membership.path, BY_WORD[membership.to[0]], membership.to[1]
    for bundle in desired.bundles:
        if bundle.present:
            word, name = bundle.holder
            yield f"{bundle.path}.{word.lower().replace(' ', '_')}", BY_WORD[word], name
            yield from _places(bundle)
    for setting in desired.settings:
        if setting.kind is not None:
            yield setting.path, setting.kind, setting.name
        if setting.parameter in _NAMED and setting.value is not None:
            yield setting.path, _NAMED[setting.parameter], parse(str(setting.value))
    for token in desired.tokens:
        if token.present:
            yield f"{token.path}.user", USER, token.user
        if token.role_restriction is not None:
            yield f"{token.path}.role_restriction", ROLE, token.role_restriction
    for tagging in desired.taggings:
        yield tagging.path, TAG, tagging.tag
        yield tagging.path, tagging.kind, tagging.name


def _names(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else members(value)


def _places(bundle: Bundle) -> Iterable[tuple[str, Kind, Name]]:
    path = f"{bundle.path}.{bundle.scope}"
    if bundle.type == "warehouse":
        yield path, WAREHOUSE, bundle.target
    elif bundle.type == "role":
        yield path, ROLE, bundle.target
    elif bundle.type == "database" or grants.containable(bundle.type):
        if len(bundle.target) >= 2 and bundle.type != "database_role":
            yield path, SCHEMA, bundle.target[:2]
        else:
            yield path, DATABASE, bundle.target[:1]

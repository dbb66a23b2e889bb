# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired state: the modules' options, checked and normalised before anything is sent."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import grants
from .errors import InvalidInputError
from .identifiers import Name, parse, show
from .kinds import DATABASE, IN_ORDER, MONITOR, ROLE, SCHEMA, USER, WAREHOUSE, Kind
from .values import Value

Options = Mapping[str, Any]
EVERYTHING: Name = ()
_FORMS = {1: "NAME", 2: "DATABASE.SCHEMA", 3: "DATABASE.SCHEMA.NAME"}


@dataclass(frozen=True)
class Thing:
    """An object that should exist with these properties, or should not exist."""

    kind: Kind
    name: Name
    path: str
    present: bool
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Membership:
    """A role that should be granted to a role or a user."""

    role: Name
    grantee: Kind
    to: Name
    path: str


@dataclass(frozen=True)
class Bundle:
    """Privileges that a role should hold, or should not: on one object, on future objects, on all there are."""

    role: Name
    type: str
    privileges: tuple[str, ...]
    path: str
    target: Name = ()
    scope: str = "name"
    present: bool = True


@dataclass(frozen=True)
class Desired:
    """The desired state of an account, as far as it is described."""

    things: tuple[Thing, ...] = ()
    memberships: tuple[Membership, ...] = ()
    bundles: tuple[Bundle, ...] = ()

    def of(self, kind: Kind) -> list[Thing]:
        """Return what is described of a kind."""
        return [thing for thing in self.things if thing.kind is kind]


def read_options(options: Options) -> Desired:
    """Normalise the options; raises InvalidInputError with the path of the first that cannot be meant."""
    things = [
        _thing(kind, item, f"{kind.option}[{index}]")
        for kind in IN_ORDER
        for index, item in enumerate(options.get(kind.option) or [])
    ]
    _refuse_twice(things)
    _refuse_orphans(things)
    memberships = [
        membership
        for kind, option in ((ROLE, "granted_to"), (USER, "roles"))
        for thing, item in zip(
            (thing for thing in things if thing.kind is kind), options.get(kind.option) or [], strict=True
        )
        for membership in _memberships(thing, item.get(option) or [], option)
    ]
    bundles = [_bundle(item, f"grants[{index}]") for index, item in enumerate(options.get("grants") or [])]
    _refuse_contradictions(bundles)
    _refuse_overlaps(bundles)
    desired = Desired(tuple(things), tuple(memberships), tuple(bundles))
    _refuse_use_of_absent(desired)
    return desired


def name_at(path: str, text: Any, parts: int | Iterable[int]) -> Name:
    """Read a name of so many parts; raises InvalidInputError with its path."""
    allowed = (parts,) if isinstance(parts, int) else tuple(parts)
    try:
        name = parse(str(text))
    except ValueError as error:
        raise InvalidInputError(path, str(error)) from error
    if len(name) not in allowed:
        forms = " or ".join(_FORMS[count] for count in allowed)
        raise InvalidInputError(path, f"{text!r} has {len(name)} part(s); expected {forms}")
    return name


def _thing(kind: Kind, item: Options, path: str) -> Thing:
    name = name_at(f"{path}.name", item.get("name"), len(kind.name_columns))
    present = item.get("state", "present") == "present"
    if not present and name[-1] in kind.protected:
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
    return Thing(kind, name, path, present, properties)


def _memberships(thing: Thing, roles: Iterable[Any], option: str) -> Iterable[Membership]:
    for index, text in enumerate(roles if thing.present else []):
        path = f"{thing.path}.{option}[{index}]"
        other = name_at(path, text, 1)
        if other == thing.name and thing.kind is ROLE:
            raise InvalidInputError(path, f"role {show(other)} cannot be granted to itself")
        if thing.kind is ROLE:
            yield Membership(thing.name, ROLE, other, path)
        else:
            yield Membership(other, USER, thing.name, path)


def _bundle(item: Options, path: str) -> Bundle:
    role = name_at(f"{path}.role", item.get("role"), 1)
    type_ = item["type"]
    places = [option for option in ("name", "future_in", "all_in") if item.get(option)]
    if type_ == "account":
        if places:
            raise InvalidInputError(f"{path}.{places[0]}", "there is only one account; leave the option out")
        scope, target = "name", EVERYTHING
    elif len(places) != 1:
        given = " and ".join(places) or "none"
        raise InvalidInputError(path, f"exactly one of name, future_in and all_in says where; given: {given}")
    else:
        scope = places[0]
        target = _target(item[scope], type_, scope, path)
    privileges = _privileges(item.get("privileges") or [], f"{path}.privileges")
    present = item.get("state", "present") == "present"
    if not present and "OWNERSHIP" in privileges:
        raise InvalidInputError(f"{path}.privileges", "OWNERSHIP cannot be revoked; grant it to another role")
    return Bundle(role, type_, privileges, path, target, scope, present)


def _privileges(texts: Iterable[Any], path: str) -> tuple[str, ...]:
    privileges = []
    for index, text in enumerate(texts):
        try:
            privileges.append(grants.privilege(str(text)))
        except ValueError as error:
            raise InvalidInputError(f"{path}[{index}]", str(error)) from error
    if not privileges:
        raise InvalidInputError(path, "at least one privilege is needed")
    return tuple(dict.fromkeys(privileges))


def _target(text: Any, type_: str, scope: str, path: str) -> Name:
    where = f"{path}.{scope}"
    if scope == "name":
        parts = grants.parts_of(type_)
        if parts is None:
            raise InvalidInputError(where, f"a {type_} cannot be named alone; use future_in")
        return name_at(where, text, parts)
    if not grants.containable(type_):
        raise InvalidInputError(where, f"a {type_} stands in no database; use name")
    if scope == "all_in" and grants.parts_of(type_) is None:
        raise InvalidInputError(where, f"existing {grants.plural(type_).lower()} cannot be compared; use future_in")
    return name_at(where, text, 1 if type_ == "schema" else (1, 2))


def _refuse_twice(things: Iterable[Thing]) -> None:
    seen: dict[tuple[str, Name], str] = {}
    for thing in things:
        key = (thing.kind.word, thing.name)
        if key in seen:
            raise InvalidInputError(f"{thing.path}.name", f"{show(thing.name)} is described already by {seen[key]}")
        seen[key] = thing.path


def _refuse_orphans(things: Iterable[Thing]) -> None:
    gone = {thing.name: thing.path for thing in things if thing.kind is DATABASE and not thing.present}
    for thing in things:
        if thing.kind is SCHEMA and thing.present and thing.name[:1] in gone:
            raise InvalidInputError(f"{thing.path}.name", f"its database is absent by {gone[thing.name[:1]]}")


def _refuse_contradictions(bundles: Iterable[Bundle]) -> None:
    seen: dict[tuple[Any, ...], Bundle] = {}
    for bundle in bundles:
        for privilege in bundle.privileges:
            key = (bundle.role, bundle.type, bundle.target, bundle.scope, privilege)
            other = seen.setdefault(key, bundle)
            if other.present != bundle.present:
                raise InvalidInputError(bundle.path, f"{privilege} is present and absent; see {other.path}")


def _refuse_overlaps(bundles: Iterable[Bundle]) -> None:
    """Refuse what one entry gives to all that there is and another takes from a part: each run undoes the last."""
    standing = [bundle for bundle in bundles if bundle.scope != "future_in"]
    everywhere = {
        (bundle.role, bundle.type, privilege, bundle.target): bundle
        for bundle in standing
        if bundle.scope == "all_in"
        for privilege in bundle.privileges
    }
    for bundle in standing:
        for privilege, length in itertools.product(bundle.privileges, range(1, len(bundle.target))):
            other = everywhere.get((bundle.role, bundle.type, privilege, bundle.target[:length]))
            if other is not None and other.present != bundle.present:
                raise InvalidInputError(
                    bundle.path,
                    f"{privilege} is {_state(bundle)} ({bundle.scope} {show(bundle.target)}), but {other.path} says "
                    f"{_state(other)} (all_in {show(other.target)}) for the same role and objects, so that neither "
                    "would ever hold; remove one of them, or list in all_in's place only the objects that are meant",
                )


def _state(bundle: Bundle) -> str:
    return "present" if bundle.present else "absent"


def _refuse_use_of_absent(desired: Desired) -> None:
    gone = {(thing.kind.word, thing.name): thing.path for thing in desired.things if not thing.present}
    for path, kind, name in references(desired):
        if (kind.word, name) in gone:
            raise InvalidInputError(path, f"{kind.label} {show(name)} is absent by {gone[kind.word, name]}")


def references(desired: Desired) -> Iterable[tuple[str, Kind, Name]]:
    """Return what the description builds on: objects that must exist or be created, each with the option's path."""
    for thing in desired.of(SCHEMA):
        if thing.present:
            yield f"{thing.path}.name", DATABASE, thing.name[:1]
    for thing in desired.of(WAREHOUSE):
        monitor = thing.properties.get("resource_monitor")
        if thing.present and monitor is not None:
            yield f"{thing.path}.resource_monitor", MONITOR, parse(str(monitor))
    for membership in desired.memberships:
        yield membership.path, ROLE, membership.role
        if membership.grantee is ROLE:
            yield membership.path, ROLE, membership.to
    for bundle in desired.bundles:
        if bundle.present:
            yield f"{bundle.path}.role", ROLE, bundle.role
            yield from _places(bundle)


def _places(bundle: Bundle) -> Iterable[tuple[str, Kind, Name]]:
    path = f"{bundle.path}.{bundle.scope}"
    if bundle.type == "warehouse":
        yield path, WAREHOUSE, bundle.target
    elif bundle.type == "database" or grants.containable(bundle.type):
        if len(bundle.target) >= 2:
            yield path, SCHEMA, bundle.target[:2]
        else:
            yield path, DATABASE, bundle.target[:1]

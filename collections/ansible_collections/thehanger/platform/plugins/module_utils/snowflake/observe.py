# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observed state: what SHOW and DESC say about the part of the account that is described."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import grants
from .desired import Bundle, Desired, references
from .grants import Grant
from .identifiers import Name, parse_observed, quote
from .kinds import BY_WORD, IN_ORDER, ROLE, SCHEMA, USER, Kind, Row
from .values import Value

_KEYS = {"rsa_public_key", "rsa_public_key_2"}
Read = Callable[[str], Iterable[Row]]
Member = tuple[str, Name]


@dataclass
class Observed:
    """The account as it is: objects with their properties, who holds which role, grants, objects in containers."""

    objects: dict[str, dict[Name, dict[str, Value]]] = field(default_factory=dict)
    members: dict[Name, set[Member]] = field(default_factory=dict)
    grants: dict[Name, set[Grant]] = field(default_factory=dict)
    contents: dict[tuple[str, Name], frozenset[Name]] = field(default_factory=dict)

    def has(self, kind: Kind, name: Name) -> bool:
        """Return whether the object exists."""
        return name in self.objects.get(kind.word, {})


def observe(read: Read, desired: Desired) -> Observed:
    """Ask for everything that the description needs: one listing per kind, then one per role, grantee and key."""
    observed = Observed()
    for kind in _kinds(desired):
        rows = [row for row in read(kind.listing) if row["name"] not in kind.hidden]
        observed.objects[kind.word] = {kind.name_of(row): kind.observed(row) for row in rows}
        if kind is USER:
            _read_keys(read, desired, observed, rows)
    for role in dict.fromkeys(membership.role for membership in desired.memberships):
        if observed.has(ROLE, role):
            observed.members[role] = {_member(row) for row in read(f"SHOW GRANTS OF ROLE {quote(role)}")}
    _read_grants(read, desired, observed)
    for bundle in desired.bundles:
        if bundle.scope == "all_in":
            _read_contents(read, bundle, observed)
    return observed


def _kinds(desired: Desired) -> list[Kind]:
    words = {thing.kind.word for thing in desired.things} | {used[1].word for used in references(desired)}
    if desired.bundles:
        words.add(ROLE.word)
    if any(bundle.scope == "all_in" for bundle in desired.bundles):
        words |= {"DATABASE", "SCHEMA"}
    return [kind for kind in IN_ORDER if kind.word in words]


def _read_keys(read: Read, desired: Desired, observed: Observed, rows: Iterable[Row]) -> None:
    """Describe the users whose keys are to be compared, since the listing only says who has one."""
    keyless = {USER.name_of(row) for row in rows if str(row.get("has_rsa_public_key")).lower() == "false"}
    for user in desired.of(USER):
        known = observed.objects[USER.word].get(user.name)
        wanted = _KEYS & user.properties.keys()
        if known is None or not wanted:
            continue
        known.update(dict.fromkeys(wanted))
        if user.name not in keyless:
            described = {str(row["property"]).lower(): row["value"] for row in read(f"DESC USER {quote(user.name)}")}
            # Only the keys: DESC USER writes the text "null" where SHOW USERS says that a property is empty.
            key = {column: value for column, value in described.items() if column.startswith("rsa_public_key")}
            known.update(USER.observed(key))


def _member(row: Row) -> Member:
    return str(row["granted_to"]).upper(), parse_observed(str(row["grantee_name"]))


def _read_grants(read: Read, desired: Desired, observed: Observed) -> None:
    wanted: dict[Name, set[bool]] = {}
    for bundle in desired.bundles:
        wanted.setdefault(bundle.role, set()).add(bundle.scope == "future_in")
    for role, futures in wanted.items():
        held = observed.grants.setdefault(role, set())
        if not observed.has(ROLE, role):
            continue
        if False in futures:
            held |= {grants.from_row(row) for row in read(f"SHOW GRANTS TO ROLE {quote(role)}")}
        if True in futures:
            held |= {grants.from_future_row(row) for row in read(f"SHOW FUTURE GRANTS TO ROLE {quote(role)}")}


def _read_contents(read: Read, bundle: Bundle, observed: Observed) -> None:
    key = (bundle.type, bundle.target)
    if key in observed.contents:
        return
    place = SCHEMA if len(bundle.target) == 2 else BY_WORD["DATABASE"]
    if not observed.has(place, bundle.target):
        observed.contents[key] = frozenset()
    elif bundle.type == "schema":
        schemas = observed.objects[SCHEMA.word]
        observed.contents[key] = frozenset(name for name in schemas if name[:1] == bundle.target)
    else:
        statement = f"SHOW {grants.plural(bundle.type)} IN {grants.sql_container(bundle.target)}"
        observed.contents[key] = frozenset(_name(row) for row in read(statement) if _is_plain(row, bundle.type))


def _name(row: Row) -> Name:
    return str(row["database_name"]), str(row["schema_name"]), str(row["name"])


def _is_plain(row: Mapping[str, Any], type_: str) -> bool:
    if row.get("schema_name") == "INFORMATION_SCHEMA":
        return False
    others = ("is_dynamic", "is_external") if type_ == "table" else ("is_materialized",) if type_ == "view" else ()
    return not any(str(row.get(column, "N")).upper() in ("Y", "TRUE") for column in others)

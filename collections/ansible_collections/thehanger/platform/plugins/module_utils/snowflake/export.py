# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account holds, as the options that describe it: the other direction of desired.py, over the same kinds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from . import grants
from .arguments import OBJECTS
from .errors import InvalidInputError
from .grants import Grant
from .identifiers import Name, parse_observed, quote, show
from .kind import Kind, Row
from .kinds import BY_WORD, DATABASE, IN_ORDER, ROLE, USER
from .values import Value

GRANTS = "grants"
GATHERED = (*(kind.option for kind in IN_ORDER), GRANTS)
# Objects that every account has from Snowflake and that nobody else can change.
_SNOWFLAKES: Mapping[str, tuple[str, ...]] = {
    DATABASE.option: ("SNOWFLAKE",),
    USER.option: ("SNOWFLAKE",),
    BY_WORD["WAREHOUSE"].option: ("SYSTEM$*",),
}
_KEYS = ("rsa_public_key", "rsa_public_key_2")
Entry = dict[str, Any]
Read = Callable[[str], Sequence[Row]]


@dataclass(frozen=True)
class Found:
    """An object: its name, its row in the listing, and its properties as they compare."""

    kind: Kind
    name: Name
    row: Row
    properties: dict[str, Value]


@dataclass
class Export:
    """The description so far, and what no option can say."""

    document: dict[str, list[Entry]] = field(default_factory=dict)
    left_out: list[dict[str, str]] = field(default_factory=list)

    def leave_out(self, kind: str, name: str, reason: str) -> None:
        """Keep what could not be described, for people."""
        self.left_out.append({"kind": kind, "name": name, "reason": reason})


def check_patterns(patterns: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the patterns by what they select; raises InvalidInputError for what is not gathered by that name."""
    checked = {}
    for option, texts in patterns.items():
        if option not in GATHERED:
            raise InvalidInputError(f"patterns.{option}", f"patterns are for {', '.join(GATHERED)}")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InvalidInputError(f"patterns.{option}", "a list of patterns such as RAW* is needed")
        checked[option] = texts
    return checked


def export(read: Read, gathered: Iterable[str], patterns: Mapping[str, list[str]]) -> Export:
    """Describe what is gathered: one listing per kind, then statements per role, and per object with details."""
    wanted = set(gathered)
    result = Export({option: [] for option in GATHERED if option in wanted})
    found = _list(read, wanted, patterns)
    holders = _holders(read, found) if wanted & {ROLE.option, USER.option} else {}
    for kind in IN_ORDER:
        if kind.option in wanted:
            entries = (_entry(read, item, result) for item in found[kind.option])
            result.document[kind.option] = [entry for entry in entries if entry]
    _add_memberships(result.document, holders)
    if GRANTS in wanted:
        roles = [item for item in found[ROLE.option] if _selected(item.name, patterns.get(GRANTS))]
        databases = {row["name"] for row in read(DATABASE.listing) if _imported(row)}
        result.document[GRANTS] = [entry for role in roles for entry in _grants(read, role.name, databases, result)]
    return result


def _list(read: Read, wanted: set[str], patterns: Mapping[str, list[str]]) -> dict[str, list[Found]]:
    """List the kinds that are wanted, and the roles, which say who has them."""
    found: dict[str, list[Found]] = {}
    databases: set[str] | None = None
    for kind in IN_ORDER:
        if kind.option not in wanted and not (kind is ROLE and wanted & {USER.option, GRANTS}):
            continue
        if len(kind.name_columns) > 1 and databases is None:
            databases = {str(row["name"]) for row in read(DATABASE.listing) if not _imported(row)}
        found[kind.option] = [
            Found(kind, kind.name_of(row), row, kind.observed(row))
            for row in read(kind.listing)
            if row["name"] not in kind.hidden
            and not (kind is DATABASE and _imported(row))
            and not (len(kind.name_columns) > 1 and kind.name_of(row)[0] not in (databases or ()))
            and not any(fnmatchcase(str(row["name"]), text) for text in _SNOWFLAKES.get(kind.option, ()))
            and _selected(kind.name_of(row), patterns.get(kind.option))
        ]
    return found


def _imported(row: Row) -> bool:
    """Return whether a database comes from a share or an application, so that nothing in it is ours."""
    return bool(row.get("origin")) or str(row.get("kind") or "STANDARD").upper() != "STANDARD"


def _selected(name: Name, patterns: Sequence[str] | None) -> bool:
    return patterns is None or any(fnmatchcase(show(name), pattern) for pattern in patterns)


def _entry(read: Read, item: Found, result: Export) -> Entry | None:
    """Return the entry that describes an object; a role of Snowflake's own has one where it is granted only."""
    spec = OBJECTS[item.kind.option]["options"]
    entry: Entry = {"name": show(item.name)}
    values = dict(item.properties) | _keys(read, item)
    for prop in item.kind.properties:
        value = values.get(prop.option)
        if value is None or value == "" or prop.initial:
            continue
        try:
            entry[prop.option] = _as_option(value, spec[prop.option])
        except ValueError as error:
            result.leave_out(item.kind.label, show(item.name), f"{prop.option}: {error}")
    return entry


def _keys(read: Read, item: Found) -> dict[str, Value]:
    """Read the public keys of a user that has some, which only DESC shows."""
    if item.kind is not USER or str(item.row.get("has_rsa_public_key")).lower() == "false":
        return dict.fromkeys(_KEYS)
    described = {str(row["property"]).lower(): row["value"] for row in read(f"DESC USER {quote(item.name)}")}
    return {key: None if described.get(key) in (None, "null") else str(described[key]) for key in _KEYS}


def _as_option(value: Value, spec: Mapping[str, Any]) -> Any:
    """Write a value as the option takes it; raises ValueError where the option has no such value."""
    if spec["type"] == "list" and spec.get("elements") == "dict":
        return [{"at": int(at), "do": do} for at, do in re.findall(r"(\d+)% (\w+)", str(value))]
    if spec["type"] == "int" and not isinstance(value, int):
        raise ValueError(f"{value} is not a whole number, which the option is")
    if "choices" in spec:
        chosen = next((choice for choice in spec["choices"] if str(choice).lower() == str(value).lower()), None)
        if chosen is None:
            raise ValueError(f"{value} is none of {', '.join(spec['choices'])}")
        return chosen
    return value


def _holders(read: Read, found: Mapping[str, list[Found]]) -> dict[tuple[str, Name], list[Name]]:
    """Return who holds roles, by what the holder is and its name, from one statement per role."""
    holders: dict[tuple[str, Name], list[Name]] = defaultdict(list)
    for role in found[ROLE.option]:
        for row in read(f"SHOW GRANTS OF ROLE {quote(role.name)}"):
            holders[str(row["granted_to"]).upper(), parse_observed(str(row["grantee_name"]))].append(role.name)
    return holders


def _add_memberships(document: dict[str, list[Entry]], holders: Mapping[tuple[str, Name], list[Name]]) -> None:
    granted: dict[str, list[str]] = defaultdict(list)
    for (what, name), roles in sorted(holders.items()):
        if what == ROLE.word:
            for role in roles:
                # What Snowflake's own roles are to each other cannot be changed.
                if not (name[0] in ROLE.protected and role[0] in ROLE.protected):
                    granted[show(role)].append(show(name))
    for entry in document.get(ROLE.option, []):
        if entry["name"] in granted:
            entry["granted_to"] = granted[entry["name"]]
    if ROLE.option in document:
        document[ROLE.option] = [
            entry for entry in document[ROLE.option] if "granted_to" in entry or entry["name"] not in ROLE.protected
        ]
        for entry in document[ROLE.option]:
            if entry["name"] in ROLE.protected:
                entry.pop("comment", None)
    for entry in document.get(USER.option, []):
        if held := holders.get((USER.word, parse_observed(entry["name"]))):
            entry["roles"] = sorted(show(role) for role in held)


def _grants(read: Read, role: Name, imported: set[str], result: Export) -> Iterable[Entry]:
    held = [grants.from_row(row) for row in read(f"SHOW GRANTS TO ROLE {quote(role)}")]
    held += [grants.from_future_row(row) for row in read(f"SHOW FUTURE GRANTS TO ROLE {quote(role)}")]
    together: dict[tuple[str, Name, bool], list[str]] = defaultdict(list)
    for grant in sorted(set(held)):
        reason = _unsayable(grant, role, imported)
        if reason:
            result.leave_out("grant", f"{grant} to role {show(role)}", reason)
        elif reason is None:
            together[grant.type, grant.target, grant.future].append(grant.privilege)
    for (type_, target, future), privileges in together.items():
        entry: Entry = {"role": show(role), "privileges": privileges, "type": type_}
        if target:
            entry["future_in" if future else "name"] = show(target)
        yield entry


def _unsayable(grant: Grant, role: Name, imported: set[str]) -> str | None:
    """Return why a grant has no entry: a reason for people, or nothing where another entry says it or nobody did."""
    if grant.privilege == "OWNERSHIP" or grant.type in ("role", "database_role"):
        return ""
    if grant.type == "account" and role[-1] in ROLE.protected:
        return ""
    if grant.type not in grants.TYPES:
        return f"{grant.type} is no type of a grant here"
    if grant.target[:1] and grant.target[0] in imported and grant.type != "database":
        return "it comes with an imported database"
    if not grant.future and grants.parts_of(grant.type) is None:
        return f"a {grant.type} cannot be named alone"
    return None

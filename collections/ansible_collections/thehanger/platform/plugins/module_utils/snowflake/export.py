# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account holds, as the options that describe it: the other direction of desired.py, over the same kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .arguments import OBJECTS
from .errors import MISSING, InvalidInputError, SnowflakeError
from .identifiers import Name, quote, show
from .kind import Kind, Row, subject
from .kinds import BY_WORD, DATABASE, DATABASE_ROLE, IN_ORDER, ROLE, USER, imported
from .values import Value

GRANTS, OWNERSHIP, PARAMETERS = "grants", "ownership", "parameters"
GATHERED = (*(kind.option for kind in IN_ORDER), GRANTS, OWNERSHIP, PARAMETERS)
# Who owns what is told on demand: it is one entry for each table.
USUAL = tuple(option for option in GATHERED if option != OWNERSHIP)
# Objects that every account has from Snowflake and that nobody else can change.
_SNOWFLAKES: Mapping[str, tuple[str, ...]] = {
    DATABASE.option: ("SNOWFLAKE",),
    USER.option: ("SNOWFLAKE",),
    BY_WORD["WAREHOUSE"].option: ("SYSTEM$*",),
}
_UNSUPPORTED = 2
_KEYS = ("rsa_public_key", "rsa_public_key_2")
Entry = dict[str, Any]


class Reader:
    """Sends each statement once, those that are asked for together at the same time."""

    def __init__(self, read_all: Callable[[Sequence[str]], Sequence[Sequence[Row]]]) -> None:
        self._read_all = read_all
        self._known: dict[str, Sequence[Row]] = {}

    def together(self, statements: Iterable[str]) -> None:
        """Ask for what will be needed."""
        missing = [statement for statement in dict.fromkeys(statements) if statement not in self._known]
        self._known.update(zip(missing, self._read_all(missing), strict=True))

    def __call__(self, statement: str) -> Sequence[Row]:
        """Return the rows of a statement."""
        self.together([statement])
        return self._known[statement]


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


def selected(name: Name, patterns: Sequence[str] | None) -> bool:
    """Return whether a name is to be described."""
    return patterns is None or any(fnmatchcase(show(name), pattern) for pattern in patterns)


def list_objects(
    read: Reader, wanted: set[str], patterns: Mapping[str, list[str]], result: Export
) -> dict[str, list[Found]]:
    """List the kinds that are wanted, and the roles where it is asked who has them or what they hold."""
    for_roles = bool(wanted & {USER.option, GRANTS, OWNERSHIP, ROLE.option, DATABASE_ROLE.option})
    found: dict[str, list[Found]] = {}
    for kind in IN_ORDER:
        if kind.option in wanted or (for_roles and kind in (ROLE, DATABASE_ROLE)):
            chosen = patterns.get(kind.option)
            found[kind.option] = [item for item in _listed(read, kind, result) if selected(item.name, chosen)]
    return found


def _listed(read: Reader, kind: Kind, result: Export) -> Iterable[Found]:
    ours = {(str(row["name"]),) for row in read(DATABASE.listing) if not imported(row)} if kind.place else set()
    listings: list[tuple[Name, str]] = [((), kind.listing)]
    if "{" in kind.listing:
        listings = [(place, kind.listing.format(place=quote(place))) for place in sorted(ours)]
    try:
        read.together(statement for _place, statement in listings)
    except SnowflakeError as error:
        if error.details.get("errno") != _UNSUPPORTED:
            raise
        result.leave_out(kind.label, "all of them", "the account has no such objects")
        return
    for place, statement in listings:
        for row in read(statement):
            name = (*place, *kind.name_of(row))
            if (
                row["name"] in kind.hidden
                or (kind is DATABASE and imported(row))
                or (kind.place and name[:1] not in ours)
            ):
                continue
            if not any(fnmatchcase(str(row["name"]), text) for text in _SNOWFLAKES.get(kind.option, ())):
                yield Found(kind, name, row, kind.observed(row))


def describe_objects(read: Reader, found: Sequence[Found], result: Export) -> list[Entry]:
    """Return the entries of objects of a kind, with what only DESC tells of them."""
    statements = [statement for item in found if (statement := _details(item))]
    try:
        read.together(statements)
    except SnowflakeError as error:
        if error.details.get("errno") not in (MISSING, _UNSUPPORTED):
            raise
    return [_entry(read, item, result) for item in found]


def _details(item: Found) -> str:
    details = item.kind.details
    if details is None or details.missing(item.row):
        return ""
    return f"DESC {subject(item.kind, item.name)}"


def _told(read: Reader, item: Found, result: Export) -> Sequence[Row]:
    """Return what DESC tells; what was dropped meanwhile or may not be looked into is described by its listing."""
    statement = _details(item)
    try:
        return read(statement) if statement else []
    except SnowflakeError as error:
        if error.details.get("errno") not in (MISSING, _UNSUPPORTED):
            raise
        result.leave_out(item.kind.label, show(item.name), "its details cannot be read")
        return []


def _entry(read: Reader, item: Found, result: Export) -> Entry:
    spec = OBJECTS[item.kind.option]["options"]
    entry: Entry = {"name": show(item.name)}
    values: dict[str, Any] = dict(item.properties)
    if rows := _told(read, item, result):
        values |= item.kind.observed_details(rows)
        if item.kind is USER and item.kind.details is not None:
            told = item.kind.details.read(rows)
            values |= {key: None if told.get(key) in (None, "null") else str(told[key]) for key in _KEYS}
    for prop in item.kind.properties:
        value = values.get(prop.option)
        # The state of this moment, which `initial` marks, is no description.
        if value in (None, "", ()) or prop.initial:
            continue
        try:
            entry[prop.option] = _as_option(value, spec[prop.option])
        except ValueError as error:
            result.leave_out(item.kind.label, show(item.name), f"{prop.option}: {error}")
    return entry


def _as_option(value: Value, spec: Mapping[str, Any]) -> Any:
    """Write a value as the option takes it; raises ValueError where the option has no such value."""
    if spec["type"] == "list" and spec.get("elements") == "dict":
        return [{"at": int(at), "do": do} for at, do in re.findall(r"(\d+)% (\w+)", str(value))]
    if spec["type"] == "list" and isinstance(value, tuple):
        return list(value)
    if spec["type"] == "dict" and isinstance(value, tuple):
        return dict(_format_option(item) for item in value)
    if spec["type"] == "int" and not isinstance(value, int):
        raise ValueError(f"{value} is not a whole number, which the option is")
    if "choices" in spec:
        chosen = next((choice for choice in spec["choices"] if str(choice).lower() == str(value).lower()), None)
        if chosen is None:
            raise ValueError(f"{value} is none of {', '.join(spec['choices'])}")
        return chosen
    return value


def _format_option(text: str) -> tuple[str, Any]:
    """Read an option of a file format back from SQL: a word, a text or a list of texts."""
    name, _sign, value = text.partition(" = ")
    found = [
        re.sub(r"\\(.)", r"\1", item).replace("''", "'")
        for item in re.findall(r"'((?:\\.|''|[^'\\])*)'", value, re.DOTALL)
    ]
    if value.startswith("("):
        return name, found
    return name, found[0] if found else json.loads(value.lower()) if value in ("TRUE", "FALSE") else value

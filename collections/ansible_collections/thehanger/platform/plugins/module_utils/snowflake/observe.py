# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observed state: what SHOW and DESC say about the part of the account that is described."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import grants
from .desired import references
from .grants import Grant
from .identifiers import Name, literal, quote, show
from .kind import Kind, Row, subject
from .kinds import BY_WORD, DATABASE, DATABASE_ROLE, IN_ORDER, MONITOR, SCHEMA, TAG, USER, imported
from .state import EVERYTHING, Desired, Holder, Setting, Tagging, holder_sql
from .tokens import LISTING
from .values import Value

# Statements that only read, to the rows of each.
Read = Callable[[Sequence[str]], Sequence[Sequence[Row]]]
Take = Callable[[Sequence[Row]], None]


@dataclass
class Observed:
    """The account as it is, as far as the description needs it.

    Objects with their properties, who holds which role, what roles hold and may grant on, what containers hold,
    databases that come from elsewhere, parameters that are set where they are described, tags, tokens, credits.
    """

    objects: dict[str, dict[Name, dict[str, Value]]] = field(default_factory=dict)
    members: dict[Holder, set[Holder]] = field(default_factory=dict)
    grants: dict[Holder, set[Grant]] = field(default_factory=dict)
    with_option: dict[Holder, set[Grant]] = field(default_factory=dict)
    contents: dict[tuple[str, Name], frozenset[Name]] = field(default_factory=dict)
    imported: set[Name] = field(default_factory=set)
    parameters: dict[tuple[Kind | None, Name], dict[str, str]] = field(default_factory=dict)
    tags: dict[tuple[Kind, Name, Name], str] = field(default_factory=dict)
    tokens: dict[Name, dict[Name, Row]] = field(default_factory=dict)
    credits: dict[str, dict[str, str]] = field(default_factory=dict)

    def has(self, kind: Kind, name: Name) -> bool:
        """Return whether the object exists."""
        return name in self.objects.get(kind.word, {})


def observe(read: Read, desired: Desired) -> Observed:
    """Ask for everything that the description needs, in three rounds of statements that do not need each other.

    One listing per kind; then, of what was found, one statement per role, grantee, container and object with details.
    """
    observed = Observed()
    kinds = _kinds(desired)
    _round(read, [(kind.listing, _listed(kind, observed, desired)) for kind in kinds if "{" not in kind.listing])
    _round(read, [pair for kind in kinds if "{" in kind.listing for pair in _listings(kind, desired, observed)])
    questions = [
        *_details(desired, observed),
        *_members(desired, observed),
        *_grants(desired, observed),
        *_contents(desired, observed),
        *_parameters(desired, observed),
        *_tags(desired, observed),
        *_tokens(desired, observed),
    ]
    _round(read, questions)
    return observed


def _round(read: Read, questions: Sequence[tuple[str, Take]]) -> None:
    for (_statement, take), rows in zip(questions, read([statement for statement, _take in questions]), strict=True):
        take(rows)


def _kinds(desired: Desired) -> list[Kind]:
    words = {thing.kind.word for thing in desired.things} | {used[1].word for used in references(desired)}
    words |= {bundle.holder[0] for bundle in desired.bundles} | ({USER.word} if desired.tokens else set())
    if any(bundle.scope == "all_in" for bundle in desired.bundles):
        words |= {"DATABASE", "SCHEMA"}
    if desired.exclusive or DATABASE_ROLE.word in words:
        words.add("DATABASE")
    return [kind for kind in IN_ORDER if kind.word in words]


def _listed(kind: Kind, observed: Observed, desired: Desired, place: Name = ()) -> Take:
    observed.objects.setdefault(kind.word, {})

    def take(rows: Sequence[Row]) -> None:
        described = {thing.name for thing in desired.of(kind)}
        for row in rows:
            if row["name"] in kind.hidden:
                continue
            name = (*place, *kind.name_of(row))
            known = kind.observed(row)
            if name in described and kind.details is not None and kind.details.missing(row):
                known |= {item.option: None for item in kind.properties if item.detail}
            observed.objects[kind.word][name] = known
            if kind is MONITOR:
                columns = ("credit_quota", "used_credits", "remaining_credits")
                if str(row.get("level")).upper() == "ACCOUNT":  # which is no parameter that SHOW PARAMETERS prints
                    observed.parameters.setdefault((None, EVERYTHING), {})["RESOURCE_MONITOR"] = show(name)
                observed.credits[show(name)] = {column: str(row.get(column) or "") for column in columns}
            if kind is DATABASE and imported(row):
                observed.imported.add(name)

    return take


def _listings(kind: Kind, desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    """List what stands in each place that is named."""
    named = {thing.name for thing in desired.of(kind)} | {used[2] for used in references(desired) if used[1] is kind}
    named |= {bundle.holder[1] for bundle in desired.bundles if bundle.holder[0] == kind.word}
    observed.objects.setdefault(kind.word, {})
    for place in sorted({name[:-1] for name in named}):
        if kind.place is not None and observed.has(kind.place, place):
            yield kind.listing.format(place=quote(place)), _listed(kind, observed, desired, place)


def _details(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    """Describe the objects of which something is to be compared that the listing does not tell."""
    for thing in desired.things:
        known = observed.objects[thing.kind.word].get(thing.name)
        wanted = {item.option for item in thing.kind.properties if item.detail} & thing.properties.keys()
        if known is not None and wanted - known.keys():
            yield f"DESC {subject(thing.kind, thing.name)}", _described(thing.kind, known)


def _described(kind: Kind, known: dict[str, Value]) -> Take:
    def take(rows: Sequence[Row]) -> None:
        known.update(kind.observed_details(rows))

    return take


def _members(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    for role in dict.fromkeys([item.role for item in desired.memberships] + sorted(desired.closed_roles)):
        if observed.has(BY_WORD[role[0]], role[1]):
            yield f"SHOW GRANTS OF {holder_sql(role)}", _set(observed.members, role, grants.holder_from_row)


def _set(into: dict[Any, set[Any]], key: Any, read: Callable[[Row], Any]) -> Take:
    def take(rows: Sequence[Row]) -> None:
        into.setdefault(key, set()).update(map(read, rows))

    return take


def _grants(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    wanted: dict[Holder, set[bool]] = {}
    for bundle in desired.bundles:
        wanted.setdefault(bundle.holder, set()).update({True, False} if desired.exclusive else {bundle.future})
    for holder, futures in wanted.items():
        observed.grants.setdefault(holder, set())
        observed.with_option.setdefault(holder, set())
        if not observed.has(BY_WORD[holder[0]], holder[1]):
            continue
        if False in futures:
            yield f"SHOW GRANTS TO {holder_sql(holder)}", _held(observed, holder)
        if True in futures:
            yield f"SHOW FUTURE GRANTS TO {holder_sql(holder)}", _set(observed.grants, holder, grants.from_future_row)


def _held(observed: Observed, holder: Holder) -> Take:
    def take(rows: Sequence[Row]) -> None:
        for row in rows:
            grant = grants.from_row(row)
            observed.grants[holder].add(grant)
            if grants.has_option(row):
                observed.with_option[holder].add(grant)

    return take


def _contents(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    for type_, target in dict.fromkeys((b.type, b.target) for b in desired.bundles if b.scope == "all_in"):
        key = (type_, target)
        place = SCHEMA if len(target) == 2 else DATABASE
        observed.contents[key] = frozenset()
        if not observed.has(place, target):
            continue
        if type_ == "schema":
            schemas = observed.objects[SCHEMA.word]
            observed.contents[key] = frozenset(name for name in schemas if name[:1] == target)
        else:
            statement = f"SHOW {grants.plural(type_)} IN {grants.sql_container(target)}"
            yield statement, _contained(observed, key)


def _contained(observed: Observed, key: tuple[str, Name]) -> Take:
    def take(rows: Sequence[Row]) -> None:
        if key[0] == "database_role":
            observed.contents[key] = frozenset((*key[1], str(row["name"])) for row in rows)
        else:
            observed.contents[key] = frozenset(_name(row) for row in rows if _is_plain(row, key[0]))

    return take


def _name(row: Row) -> Name:
    return str(row["database_name"]), str(row["schema_name"]), str(row["name"])


def _is_plain(row: Row, type_: str) -> bool:
    if row.get("schema_name") == "INFORMATION_SCHEMA":
        return False
    others = ("is_dynamic", "is_external") if type_ == "table" else ("is_materialized",) if type_ == "view" else ()
    return not any(str(row.get(column, "N")).upper() in ("Y", "TRUE") for column in others)


def _parameters(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    for kind, name in dict.fromkeys((setting.kind, setting.name) for setting in desired.settings):
        observed.parameters.setdefault((kind, name), {})
        if kind is not None and not observed.has(kind, name):
            continue
        here = [item for item in desired.settings if (item.kind, item.name) == (kind, name)]
        where = "ACCOUNT" if kind is None else subject(kind, name)
        if any(" " not in item.parameter for item in here):
            yield f"SHOW PARAMETERS IN {where}", _set_here(observed, here[0])
        if any(" " in item.parameter for item in here):
            yield f"SHOW AUTHENTICATION POLICIES ON {where}", _in_force(observed, here[0])


def _set_here(observed: Observed, setting: Setting) -> Take:
    """Keep what is set on the object itself, not what it inherits."""
    level = setting.kind.word if setting.kind else "ACCOUNT"

    def take(rows: Sequence[Row]) -> None:
        found = {str(row["key"]).upper(): str(row["value"]) for row in rows if str(row["level"]).upper() == level}
        observed.parameters[setting.kind, setting.name].update(found)

    return take


def _in_force(observed: Observed, setting: Setting) -> Take:
    level = setting.kind.word if setting.kind else "ACCOUNT"

    def take(rows: Sequence[Row]) -> None:
        for row in rows:
            # A user who has none is shown the account's.
            if str(row.get("set_on") or level).upper() == level:
                observed.parameters[setting.kind, setting.name]["AUTHENTICATION POLICY"] = show(_name(row))

    return take


def _tags(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    """Ask for all tags by one statement; SYSTEM$GET_TAG fails for what does not exist, so that is left out."""
    asked = [item for item in desired.taggings if observed.has(TAG, item.tag) and observed.has(item.kind, item.name)]
    if asked:
        calls = (
            f"SYSTEM$GET_TAG({literal(quote(item.tag))}, {literal(quote(item.name))}, "
            f"{literal(item.kind.word.lower())}) AS T{index}"
            for index, item in enumerate(asked)
        )
        yield f"SELECT {', '.join(calls)}", _tagged(observed, asked)


def _tagged(observed: Observed, asked: Sequence[Tagging]) -> Take:
    def take(rows: Sequence[Row]) -> None:
        for item, value in zip(asked, rows[0].values(), strict=True):
            if value is not None:
                observed.tags[item.kind, item.name, item.tag] = str(value)

    return take


def _tokens(desired: Desired, observed: Observed) -> Iterable[tuple[str, Take]]:
    for user in dict.fromkeys(token.user for token in desired.tokens):
        if observed.has(USER, user):
            yield LISTING.format(user=quote(user)), _listed_tokens(observed, user)


def _listed_tokens(observed: Observed, user: Name) -> Take:
    def take(rows: Sequence[Row]) -> None:
        observed.tokens[user] = {(str(row["name"]),): row for row in rows}

    return take

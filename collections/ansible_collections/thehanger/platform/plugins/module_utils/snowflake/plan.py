# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: from desired and observed state to ordered steps. Nothing here talks to anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import grants
from .desired import Bundle, Desired, Thing, references
from .grants import Grant
from .identifiers import Name, quote, show
from .kinds import DATABASE, IN_ORDER, SCHEMA, Kind
from .observe import Observed
from .values import Value

Difference = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One statement, what it does to what, and the errors that say that it is done already."""

    action: str
    kind: str
    name: str
    statement: str
    settled: frozenset[int] = frozenset()

    def summary(self) -> dict[str, str]:
        """Return the step as a module returns it."""
        return {"action": self.action, "kind": self.kind, "name": self.name}


@dataclass
class Plan:
    """Steps in the order they must run, differences for people, and references to what does not exist."""

    steps: list[Step] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def plan(desired: Desired, observed: Observed) -> Plan:
    """Compare and order: objects, memberships, grants, future grants; then what goes, in reverse."""
    result = Plan(missing=_missing(desired, observed))
    drops: list[Step] = []
    for kind in IN_ORDER:
        for thing in desired.of(kind):
            known = _known(thing, desired, observed)
            if thing.present:
                _keep(thing, known, result)
            elif known is not None:
                drops.append(Step("drop", kind.label, show(thing.name), f"DROP {kind.word} {quote(thing.name)}"))
                result.differences.append(_difference(kind.label, thing.name, _shown(kind, known), None))
    _grant_roles(desired, observed, result)
    revokes = _grant_privileges(desired, observed, result)
    result.steps += revokes + drops[::-1]
    return result


def _missing(desired: Desired, observed: Observed) -> list[str]:
    coming = {(thing.kind.word, thing.name) for thing in desired.things if thing.present}
    coming |= {(SCHEMA.word, (*thing.name, "PUBLIC")) for thing in desired.of(DATABASE) if thing.present}
    return list(
        dict.fromkeys(
            f"{path}: {kind.label} {show(name)} does not exist or is not visible to this role"
            for path, kind, name in references(desired)
            if (kind.word, name) not in coming and not observed.has(kind, name)
        )
    )


def _known(thing: Thing, desired: Desired, observed: Observed) -> Mapping[str, Value] | None:
    known = observed.objects[thing.kind.word].get(thing.name)
    if known is None and thing.kind is SCHEMA and thing.name[1] == "PUBLIC":
        coming = {database.name for database in desired.of(DATABASE) if database.present}
        if thing.name[:1] in coming and not observed.has(DATABASE, thing.name[:1]):
            return {"comment": ""}  # a new database brings this schema along
    return known


def _keep(thing: Thing, known: Mapping[str, Value] | None, result: Plan) -> None:
    kind, label, name = thing.kind, thing.kind.label, show(thing.name)
    if known is None:
        values = {
            item.option: thing.properties.get(item.option, item.created)
            for item in kind.properties
            if thing.properties.get(item.option, item.created) is not None
        }
        words = [f"CREATE {kind.word} {quote(thing.name)}", *kind.introduction.split()]
        words += [*_assignments(kind, values), *_clauses(kind, values)]
        result.steps.append(Step("create", label, name, " ".join(words)))
        result.steps += _commands(thing, {item.option: values.get(item.initial, False) for item in kind.properties})
        result.differences.append(_difference(label, thing.name, None, _shown(kind, values)))
        return
    changed = {
        item.option: thing.properties[item.option]
        for item in kind.properties
        if item.option in thing.properties
        and (item.column is not None or item.columns)
        and item.shown(thing.properties[item.option]) != item.shown(known.get(item.option))
    }
    if not changed:
        return
    subject = f"ALTER {kind.word} {quote(thing.name)}"
    given = {option: value for option, value in changed.items() if value is not None}
    assignments, clauses = _assignments(kind, given), _clauses(kind, given)
    if assignments or clauses:
        words = [subject, *(["SET", *assignments] if assignments else []), *clauses]
        result.steps.append(Step("alter", label, name, " ".join(words)))
    removed = [item.keyword for item in kind.properties if item.option in changed and changed[item.option] is None]
    if removed:
        result.steps.append(Step("alter", label, name, f"{subject} UNSET {', '.join(removed)}"))
    result.steps += _commands(thing, known)
    managed = {option: value for option, value in known.items() if option in thing.properties}
    after = _shown(kind, {**managed, **changed})
    result.differences.append(_difference(label, thing.name, _shown(kind, managed), after))


def _assignments(kind: Kind, values: Mapping[str, Value]) -> list[str]:
    return [
        f"{item.keyword} = {item.write(values[item.option])}"
        for item in kind.properties
        if item.option in values and item.command is None and not item.columns
    ]


def _clauses(kind: Kind, values: Mapping[str, Value]) -> list[str]:
    return [item.write(values[item.option]) for item in kind.properties if item.option in values and item.columns]


def _commands(thing: Thing, known: Mapping[str, Value]) -> Iterable[Step]:
    """Change what has statements of its own, where it is not as it should be."""
    for item in thing.kind.properties:
        wanted = thing.properties.get(item.option)
        if item.command is not None and wanted is not None and wanted != known.get(item.option):
            command = item.command(wanted)
            statement = f"ALTER {thing.kind.word} {quote(thing.name)} {command}"
            yield Step(command.split()[0].lower(), thing.kind.label, show(thing.name), statement, item.settled)


def _shown(kind: Kind, values: Mapping[str, Value]) -> dict[str, Value]:
    return {item.option: item.shown(values[item.option]) for item in kind.properties if item.option in values}


def _difference(label: str, name: Name, before: Any, after: Any) -> Difference:
    header = f"{label} {show(name)}"
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _grant_roles(desired: Desired, observed: Observed, result: Plan) -> None:
    changed: dict[tuple[Kind, Name], list[Name]] = defaultdict(list)
    for item in desired.memberships:
        key = (item.grantee, item.to)
        if (item.grantee.word, item.to) in observed.members.get(item.role, set()) or item.role in changed.get(key, []):
            continue
        changed[key].append(item.role)
        statement = f"GRANT ROLE {quote(item.role)} TO {item.grantee.word} {quote(item.to)}"
        words = f"{show(item.role)} to {item.grantee.label} {show(item.to)}"
        result.steps.append(Step("grant", "role membership", words, statement))
    for (kind, name), roles in changed.items():
        described = {item.role for item in desired.memberships if item.grantee is kind and item.to == name}
        held = sorted(show(role) for role in described - set(roles))
        after = sorted(show(role) for role in described)
        result.differences.append(_difference(f"roles of {kind.label}", name, {"roles": held}, {"roles": after}))


def _grant_privileges(desired: Desired, observed: Observed, result: Plan) -> list[Step]:
    """Add what has to be granted, future grants last, and return what has to be revoked."""
    held = {role: set(known) for role, known in observed.grants.items()}
    managed: dict[Name, set[Grant]] = defaultdict(set)
    lasting: list[Step] = []
    revokes: list[Step] = []
    for bundle in desired.bundles:
        reach = _reach(bundle, desired, observed)
        managed[bundle.role] |= reach
        current = held.setdefault(bundle.role, set())
        touched = {grant for grant in reach if (grant in current) != bundle.present}
        if not touched:
            continue
        steps = list(_privilege_steps(bundle, sorted({grant.privilege for grant in touched})))
        if not bundle.present:
            revokes += steps
            current -= touched
            continue
        current |= touched
        if bundle.scope == "future_in":
            lasting += steps
        else:
            result.steps += steps
    result.steps += lasting
    for role, reach in managed.items():
        before = sorted(str(grant) for grant in reach & observed.grants.get(role, set()))
        after = sorted(str(grant) for grant in reach & held[role])
        if before != after:
            result.differences.append(_difference("grants to role", role, {"grants": before}, {"grants": after}))
    return revokes


def _reach(bundle: Bundle, desired: Desired, observed: Observed) -> set[Grant]:
    """Return the single grants that a bundle stands for, also on objects that this plan creates."""
    if bundle.scope != "all_in":
        future = bundle.scope == "future_in"
        return {Grant(bundle.type, bundle.target, privilege, future) for privilege in bundle.privileges}
    names = set(observed.contents.get((bundle.type, bundle.target), ()))
    if bundle.type == "schema":
        schemas = desired.of(SCHEMA)
        names |= {thing.name for thing in schemas if thing.present and thing.name[:1] == bundle.target}
        names -= {thing.name for thing in schemas if not thing.present}
        if not observed.has(DATABASE, bundle.target):
            names.add((*bundle.target, "PUBLIC"))
    return {Grant(bundle.type, name, privilege) for name in names for privilege in bundle.privileges}


def _privilege_steps(bundle: Bundle, privileges: list[str]) -> Iterable[Step]:
    kind = bundle.type.replace("_", " ").upper()
    if bundle.scope == "name":
        where = f"{kind} {quote(bundle.target)}" if bundle.target else kind
        shown = f"{kind.lower()} {show(bundle.target)}".strip()
    else:
        word = "FUTURE" if bundle.scope == "future_in" else "ALL"
        where = f"{word} {grants.plural(bundle.type)} IN {grants.sql_container(bundle.target)}"
        shown = f"{word.lower()} {grants.plural(bundle.type).lower()} in {grants.container(bundle.target)}"
    action, preposition = ("grant", "TO") if bundle.present else ("revoke", "FROM")
    label = "future grant" if bundle.scope == "future_in" else "grant"
    for group in ([word for word in privileges if word != "OWNERSHIP"], [w for w in privileges if w == "OWNERSHIP"]):
        if not group:
            continue
        statement = f"{action.upper()} {', '.join(group)} ON {where} {preposition} ROLE {quote(bundle.role)}"
        if group == ["OWNERSHIP"] and bundle.scope != "future_in":
            statement += " COPY CURRENT GRANTS"
        yield Step(action, label, f"{', '.join(group)} on {shown} to role {show(bundle.role)}", statement)

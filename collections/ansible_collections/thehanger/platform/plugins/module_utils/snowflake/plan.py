# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: from desired and observed state to ordered steps. Nothing here talks to anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .desired import references
from .identifiers import show
from .kind import Kind, Property, subject
from .kinds import DATABASE, IN_ORDER, SCHEMA
from .observe import Observed
from .plan_access import grant_privileges, grant_roles
from .plan_settings import assign_tags, set_parameters
from .state import Desired, Thing
from .steps import Plan, Step
from .tokens import plan_tokens
from .values import Value


def plan(desired: Desired, observed: Observed) -> Plan:
    """Compare and order: objects, memberships, grants, settings; then what goes, in reverse."""
    result = Plan(missing=_missing(desired, observed))
    drops: list[Step] = []
    for kind in IN_ORDER:
        for thing in desired.of(kind):
            known = _known(thing, desired, observed)
            if thing.present:
                _keep(thing, known, result)
            elif known is not None:
                drops.append(Step("drop", kind.label, show(thing.name), f"DROP {subject(kind, thing.name)}"))
                result.differ(kind.label, thing.name, _shown(kind, known), None)
    revokes = grant_roles(desired, observed, result)
    revokes += grant_privileges(desired, observed, result)
    revokes += plan_tokens(desired.tokens, observed.tokens, result)
    set_parameters(desired, observed, result)
    assign_tags(desired, observed, result)
    result.steps += revokes + drops[::-1]
    return result


def _missing(desired: Desired, observed: Observed) -> list[str]:
    coming = {(kind.word, name) for kind in IN_ORDER for name in desired.coming(kind)}
    coming |= {(SCHEMA.word, (*name, "PUBLIC")) for name in desired.coming(DATABASE)}
    return list(
        dict.fromkeys(
            f"{path}: {kind.label} {show(name)} does not exist or is not visible to this role"
            for path, kind, name in references(desired)
            if (kind.word, name) not in coming and not observed.has(kind, name)
        )
    )


def _known(thing: Thing, desired: Desired, observed: Observed) -> Mapping[str, Value] | None:
    known = observed.objects[thing.kind.word].get(thing.name)
    if known is not None or thing.kind is not SCHEMA or thing.name[1] != "PUBLIC":
        return known
    new = thing.name[:1] in desired.coming(DATABASE) and not observed.has(DATABASE, thing.name[:1])
    return {"comment": ""} if new else None  # a new database brings this schema along


def _keep(thing: Thing, known: Mapping[str, Value] | None, result: Plan) -> None:
    if known is None:
        _create(thing, result)
        return
    kind, name = thing.kind, thing.name
    changed = {
        item.option: thing.properties[item.option]
        for item in kind.properties
        if item.option in thing.properties
        and item.column is not None
        and item.differs(thing.properties[item.option], known.get(item.option))
    }
    if not changed:
        return
    for item in kind.properties:
        if item.fixed and item.option in changed:
            stands = item.shown(known.get(item.option))
            result.refused.append(
                f"{thing.path}.{item.option}: {kind.label} {show(name)} has {stands}, which Snowflake cannot change; "
                "drop the object first (state: absent)"
            )
    _alter(thing, known, changed, result)
    managed = {option: value for option, value in known.items() if option in thing.properties}
    result.differ(kind.label, name, _shown(kind, managed), _shown(kind, {**managed, **changed}))


def _create(thing: Thing, result: Plan) -> None:
    kind, name = thing.kind, show(thing.name)
    values = {
        item.option: thing.properties.get(item.option, item.created)
        for item in kind.properties
        if thing.properties.get(item.option, item.created) is not None
    }
    words = [
        f"CREATE {subject(kind, thing.name)}",
        *kind.introduction.split(),
        *_clauses(kind, values, "first"),
        *_assignments(kind, values),
        *_clauses(kind, values, "last"),
    ]
    result.steps.append(Step("create", kind.label, name, " ".join(words)))
    initial = {item.option: values.get(item.initial, False) for item in kind.properties if not item.clause}
    result.steps += _commands(thing, {**values, **initial})
    result.differ(kind.label, thing.name, None, _shown(kind, values))


def _alter(thing: Thing, known: Mapping[str, Value], changed: Mapping[str, Value], result: Plan) -> None:
    kind, label, name = thing.kind, thing.kind.label, show(thing.name)
    alter = f"ALTER {subject(kind, thing.name)}"
    given = {option: value for option, value in changed.items() if value is not None}
    assignments, clauses = _assignments(kind, given), _clauses(kind, given, "last")
    if assignments or clauses:
        words = [alter, *(["SET", *assignments] if assignments else []), *clauses]
        result.steps.append(Step("alter", label, name, " ".join(words)))
    removed = [item.keyword for item in kind.properties if item.option in changed and changed[item.option] is None]
    if removed:
        result.steps.append(Step("alter", label, name, f"{alter} UNSET {', '.join(removed)}"))
    result.steps += _commands(thing, known)


def _assignments(kind: Kind, values: Mapping[str, Value]) -> list[str]:
    return [
        f"{item.keyword} = {item.write(values[item.option])}" if item.keyword else item.write(values[item.option])
        for item in kind.properties
        if item.option in values and item.assigned
    ]


def _clauses(kind: Kind, values: Mapping[str, Value], place: str) -> list[str]:
    written = [item.write(values[item.option]) for item in _given(kind, values) if item.clause == place]
    return [text for text in written if text]


def _given(kind: Kind, values: Mapping[str, Value]) -> Iterable[Property]:
    return (item for item in kind.properties if item.option in values)


def _commands(thing: Thing, known: Mapping[str, Value]) -> Iterable[Step]:
    """Change what has statements of its own, where it is not as it should be."""
    for item in thing.kind.properties:
        wanted, stands = thing.properties.get(item.option), known.get(item.option)
        if item.command is None or wanted is None or not item.differs(wanted, stands):
            continue
        for command in item.command(wanted, stands):
            statement = f"ALTER {subject(thing.kind, thing.name)} {command}"
            yield Step(command.split()[0].lower(), thing.kind.label, show(thing.name), statement, item.settled)


def _shown(kind: Kind, values: Mapping[str, Value]) -> dict[str, Value | list[str]]:
    shown = {item.option: item.shown(values[item.option]) for item in _given(kind, values)}
    return {option: list(value) if isinstance(value, tuple) else value for option, value in shown.items()}

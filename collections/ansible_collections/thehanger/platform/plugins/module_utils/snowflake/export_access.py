# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has which role, who may do what, who owns what, and what is set for the account, as the options that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from . import grants
from .desired_settings import REFERENCES
from .export import (
    GATHERED,
    GRANTS,
    OWNERSHIP,
    PARAMETERS,
    Entry,
    Export,
    Found,
    Reader,
    describe_objects,
    list_objects,
    selected,
)
from .grants import Grant
from .identifiers import Name, parse, parse_observed, show
from .kind import Row
from .kinds import DATABASE, DATABASE_ROLE, IN_ORDER, NETWORK_POLICY, ROLE, USER, imported
from .state import Holder, holder_shown, holder_sql

_PARAMETERS = "SHOW PARAMETERS IN ACCOUNT"
Members = Mapping[Holder, Sequence[Holder]]


def export(read: Reader, gathered: Iterable[str], patterns: Mapping[str, list[str]]) -> Export:
    """Describe what is gathered: one listing per kind, then statements per role, and per object with details."""
    wanted = set(gathered)
    result = Export({option: [] for option in GATHERED if option in wanted})
    found = list_objects(read, wanted, patterns, result)
    roles = [item for kind in (ROLE, DATABASE_ROLE) for item in found.get(kind.option, [])]
    for kind in IN_ORDER:
        if kind.option in wanted:
            result.document[kind.option] = describe_objects(read, found[kind.option], result)
    if wanted & {ROLE.option, DATABASE_ROLE.option, USER.option}:
        _add_memberships(result.document, _members(read, roles))
    if wanted & {GRANTS, OWNERSHIP}:
        chosen = [item for item in roles if selected(item.name, patterns.get(GRANTS))]
        _add_grants(read, chosen, result)
    if wanted & {PARAMETERS, NETWORK_POLICY.option}:
        _add_parameters(read(_PARAMETERS), result.document)
    return result


def _members(read: Reader, roles: Sequence[Found]) -> Members:
    """Return what each holder holds."""
    statements = {_holder(role): f"SHOW GRANTS OF {holder_sql(_holder(role))}" for role in roles}
    read.together(statements.values())
    held: dict[Holder, list[Holder]] = defaultdict(list)
    for role, statement in statements.items():
        for row in read(statement):
            held[grants.holder_from_row(row)].append(role)
    return held


def _holder(role: Found) -> Holder:
    return role.kind.word, role.name


def _add_memberships(document: dict[str, list[Entry]], held: Members) -> None:
    options = {
        (ROLE.word, ROLE.word): "granted_to",
        (DATABASE_ROLE.word, ROLE.word): "granted_to",
        (DATABASE_ROLE.word, DATABASE_ROLE.word): "granted_to_database_roles",
    }
    granted: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for holder, roles in sorted(held.items()):
        for role in roles:
            option = options.get((role[0], holder[0]))
            # What Snowflake's own roles are to each other cannot be changed.
            if option and not (holder[1][-1] in ROLE.protected and role[1][-1] in ROLE.protected):
                granted[role[0], show(role[1])][option].append(show(holder[1]))
    for kind in (ROLE, DATABASE_ROLE):
        for entry in document.get(kind.option, []):
            entry.update(granted.get((kind.word, entry["name"]), {}))
    if ROLE.option in document:
        document[ROLE.option] = [_without_comment(entry) for entry in document[ROLE.option] if _ours(entry)]
    for entry in document.get(USER.option, []):
        names = sorted(show(role[1]) for role in held.get((USER.word, parse(entry["name"])), []))
        if names:
            entry["roles"] = names


def _ours(entry: Entry) -> bool:
    """Whether a role is somebody's, or one of Snowflake's that somebody has granted."""
    return entry["name"] not in ROLE.protected or "granted_to" in entry


def _without_comment(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key != "comment" or entry["name"] not in ROLE.protected}


def _add_grants(read: Reader, roles: Sequence[Found], result: Export) -> None:
    holders = [_holder(role) for role in roles]
    read.together(f"SHOW {what}GRANTS TO {holder_sql(holder)}" for holder in holders for what in ("", "FUTURE "))
    theirs = {str(row["name"]) for row in read(DATABASE.listing) if imported(row)}
    for holder in holders:
        rows = read(f"SHOW GRANTS TO {holder_sql(holder)}")
        future = read(f"SHOW FUTURE GRANTS TO {holder_sql(holder)}")
        if GRANTS in result.document:
            result.document[GRANTS] += _grants(holder, rows, future, theirs, result)
        if OWNERSHIP in result.document:
            result.document[OWNERSHIP] += _ownership(holder, rows, theirs)


def _grants(
    holder: Holder, rows: Sequence[Row], future: Sequence[Row], theirs: set[str], result: Export
) -> Iterable[Entry]:
    on = {grants.from_row(row) for row in rows if grants.has_option(row)}
    held = {grants.from_row(row) for row in rows} | {grants.from_future_row(row) for row in future}
    together: dict[tuple[str, Name, bool, bool], list[str]] = defaultdict(list)
    for grant in sorted(held):
        reason = _unsayable(grant, holder, theirs)
        if reason:
            result.leave_out("grant", f"{grant} to {holder_shown(holder)}", reason)
        elif reason is None:
            shared = grant.type == "database" and grant.target[0] in theirs
            privilege = "IMPORTED PRIVILEGES" if shared else grant.privilege
            together[grant.type, grant.target, grant.future, grant in on].append(privilege)
    for (type_, target, is_future, option), privileges in together.items():
        yield {
            **_named(holder),
            "privileges": privileges,
            "type": type_,
            **({"future_in" if is_future else "name": show(target)} if target else {}),
            **({"grant_option": True} if option else {}),
        }


def _named(holder: Holder) -> Entry:
    return {holder[0].lower().replace(" ", "_"): show(holder[1])}


def _unsayable(grant: Grant, holder: Holder, theirs: set[str]) -> str | None:
    """Return why a grant has no entry: a reason for people, or an empty one where something else says it."""
    if not grants.grantable(grant) or (grant.type == "account" and holder[1][-1] in ROLE.protected):
        return ""
    if grant.type not in grants.TYPES:
        return f"{grant.type} is no type of a grant here"
    if grant.target[:1] and grant.target[0] in theirs and grant.type != "database":
        return "it comes with an imported database"
    if not grant.future and grants.parts_of(grant.type) is None:
        return f"a {grant.type} cannot be named alone"
    return None


def _ownership(holder: Holder, rows: Sequence[Row], theirs: set[str]) -> Iterable[Entry]:
    for grant in sorted({grants.from_row(row) for row in rows}):
        known = grant.target and grants.parts_of(grant.type) == len(grant.target)
        if grant.privilege == "OWNERSHIP" and known and grant.target[0] not in theirs:
            yield {**_named(holder), "type": grant.type, "name": show(grant.target)}


def _add_parameters(rows: Sequence[Row], document: dict[str, list[Entry]]) -> None:
    """Add what is set for the account itself, and say of its network policy that it is."""
    here = {str(row["key"]).upper(): row for row in rows if str(row["level"]).upper() == "ACCOUNT"}
    policy = here.get("NETWORK_POLICY")
    if policy is not None and policy["value"]:
        name = show(parse_observed(str(policy["value"])))
        for entry in document.get(NETWORK_POLICY.option, []):
            if entry["name"] == name:
                entry["account"] = True
    values = {key: _typed(row) for key, row in sorted(here.items()) if key not in REFERENCES}
    if PARAMETERS in document and values:
        document[PARAMETERS] = [{"type": "account", "parameters": values}]


def _typed(row: Row) -> str | int | bool:
    value, type_ = str(row["value"]), str(row.get("type")).upper()
    if type_ == "BOOLEAN":
        return value.lower() == "true"
    return int(value) if type_ == "NUMBER" and value.lstrip("-").isdigit() else value

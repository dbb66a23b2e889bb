# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of memberships, privileges and ownership."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from . import grants
from .grants import Grant
from .identifiers import quote, show
from .kinds import DATABASE, DATABASE_ROLE, SCHEMA
from .observe import Observed
from .state import Bundle, Desired, Holder, Membership, holder_shown, holder_sql
from .steps import Plan, Step

Held = dict[Holder, set[Grant]]


def grant_roles(desired: Desired, observed: Observed, result: Plan) -> list[Step]:
    """Add the memberships that lack, and return the steps that end those that should not be."""
    revokes: list[Step] = []
    before: dict[Holder, set[Holder]] = defaultdict(set)
    after: dict[Holder, set[Holder]] = defaultdict(set)
    listed = dict.fromkeys(replace(item, path="") for item in desired.memberships)
    for item in [*listed, *_strangers(desired, observed)]:
        held = item.to in observed.members.get(item.role, set())
        before[item.to] |= {item.role} if held else set()
        after[item.to] |= {item.role} if item.present else set()
        if held == item.present:
            continue
        verb, preposition = ("GRANT", "TO") if item.present else ("REVOKE", "FROM")
        statement = f"{verb} {holder_sql(item.role)} {preposition} {holder_sql(item.to)}"
        words = f"{show(item.role[1])} {preposition.lower()} {holder_shown(item.to)}"
        (result.steps if item.present else revokes).append(Step(verb.lower(), "role membership", words, statement))
    for to in after | before:
        if before[to] != after[to]:
            roles = [sorted(show(role[1]) for role in side[to]) for side in (before, after)]
            result.differ("roles of", holder_shown(to), {"roles": roles[0]}, {"roles": roles[1]})
    return revokes


def _strangers(desired: Desired, observed: Observed) -> Iterable[Membership]:
    """Return the memberships that nobody listed in roles whose members are listed completely."""
    listed = {(item.role, item.to) for item in desired.memberships}
    for role in sorted(desired.closed_roles):
        for to in sorted(observed.members.get(role, set())):
            if (role, to) not in listed:
                yield Membership(role, to, "", present=False)


def grant_privileges(desired: Desired, observed: Observed, result: Plan) -> list[Step]:
    """Add what has to be granted, future grants last, and return what has to be revoked."""
    held: Held = {holder: set(known) for holder, known in observed.grants.items()}
    wanted: Held = defaultdict(set)
    managed: Held = defaultdict(set)
    lasting: list[Step] = []
    revokes: list[Step] = []
    for bundle in sorted(desired.bundles, key=_turn):
        reach = _reach(bundle, desired, observed)
        managed[bundle.holder] |= reach
        if bundle.present:
            wanted[bundle.holder] |= reach
        into = revokes if not bundle.present else lasting if bundle.future else result.steps
        into += _changes(bundle, reach, held, observed)
    result.steps += lasting
    if desired.exclusive:
        revokes += _revoke_unlisted(wanted, held, managed, observed)
    else:
        unlisted = {holder: _unlisted(holder, wanted, held, observed, held[holder]) for holder in wanted}
        result.unlisted = {holder_shown(holder): sorted(map(str, rest)) for holder, rest in unlisted.items() if rest}
    for holder, reach in managed.items():
        sides = [sorted(map(str, reach & side.get(holder, set()))) for side in (observed.grants, held)]
        if sides[0] != sides[1]:
            result.differ("grants to", holder_shown(holder), {"grants": sides[0]}, {"grants": sides[1]})
    return revokes


def _turn(bundle: Bundle) -> int:
    """Transfer ownership first where it takes the grants away, and last where it keeps them."""
    return 1 if bundle.privileges != ("OWNERSHIP",) else 0 if bundle.current_grants == "revoke" else 2


def _changes(bundle: Bundle, reach: set[Grant], held: Held, observed: Observed) -> list[Step]:
    """Return the steps of one entry, and note in `held` what will be."""
    current = held.setdefault(bundle.holder, set())
    with_option = observed.with_option.get(bundle.holder, set())
    touched = {grant for grant in reach if (grant in current) != bundle.present}
    if bundle.present and bundle.option:
        touched |= reach - with_option
    steps = list(_statements(bundle, sorted({grant.privilege for grant in touched})))
    if bundle.present and bundle.option is False:
        excess = sorted({grant.privilege for grant in reach & with_option})
        steps += _statements(bundle, excess, option_for=True)
    if not bundle.present:
        current -= touched
        return steps
    if bundle.privileges == ("OWNERSHIP",) and bundle.current_grants == "revoke":
        taken = {(grant.type, grant.target) for grant in touched if not grant.future}
        for known in held.values():
            known -= {grant for grant in known if (grant.type, grant.target) in taken and not grant.future}
    current |= touched
    return steps


def _revoke_unlisted(wanted: Held, held: Held, managed: Held, observed: Observed) -> list[Step]:
    steps: list[Step] = []
    for holder in wanted:
        groups: dict[tuple[str, tuple[str, ...], bool], set[Grant]] = defaultdict(set)
        for grant in _unlisted(holder, wanted, held, observed, set()):
            if grant.future or grants.parts_of(grant.type) == len(grant.target):
                groups[grant.type, grant.target, grant.future].add(grant)
        for (type_, target, future), rest in sorted(groups.items()):
            privileges = tuple(sorted(grant.privilege for grant in rest))
            scope = "future_in" if future else "name"
            bundle = Bundle(holder, type_, privileges, "", target, scope, present=False)
            steps += _statements(bundle, list(privileges))
            held[holder] -= rest
            managed[holder] |= rest
    return steps


def _unlisted(holder: Holder, wanted: Held, held: Held, observed: Observed, futures: set[Grant]) -> set[Grant]:
    """Return the privileges that no entry lists, but neither what a future grant explains nor what is imported."""
    promised = {(grant.type, grant.target, grant.privilege) for grant in wanted[holder] | futures if grant.future}
    return {
        grant
        for grant in held[holder] - wanted[holder]
        if grants.grantable(grant)
        and not (grant.type == "database" and grant.target in observed.imported)
        and (
            grant.future
            or not any((grant.type, grant.target[:length], grant.privilege) in promised for length in (1, 2))
        )
    }


def _reach(bundle: Bundle, desired: Desired, observed: Observed) -> set[Grant]:
    """Return the single grants that a bundle stands for, also on objects that this plan creates."""
    if bundle.scope != "all_in":
        single = (Grant(bundle.type, bundle.target, privilege, bundle.future) for privilege in bundle.privileges)
        return {grants.imported(grant) for grant in single}
    names = set(observed.contents.get((bundle.type, bundle.target), ()))
    for kind in (SCHEMA, DATABASE_ROLE):
        if bundle.type == kind.label.replace(" ", "_"):
            described = [thing for thing in desired.of(kind) if thing.name[:1] == bundle.target]
            names |= {thing.name for thing in described if thing.present}
            names -= {thing.name for thing in described if not thing.present}
    if bundle.type == "schema" and not observed.has(DATABASE, bundle.target):
        names.add((*bundle.target, "PUBLIC"))
    return {Grant(bundle.type, name, privilege) for name in names for privilege in bundle.privileges}


def _statements(bundle: Bundle, privileges: list[str], *, option_for: bool = False) -> Iterable[Step]:
    if not privileges:
        return
    kind = grants.words(bundle.type)
    if bundle.scope == "name":
        where = f"{kind} {quote(bundle.target)}" if bundle.target else kind
        shown = f"{kind.lower()} {show(bundle.target)}".strip()
    else:
        word = "FUTURE" if bundle.future else "ALL"
        where = f"{word} {grants.plural(bundle.type)} IN {grants.sql_container(bundle.target)}"
        shown = f"{word.lower()} {grants.plural(bundle.type).lower()} in {grants.container(bundle.target)}"
    if bundle.privileges == ("IMPORTED PRIVILEGES",):
        privileges = ["IMPORTED PRIVILEGES"]
    label = "future grant" if bundle.future else "ownership" if privileges == ["OWNERSHIP"] else "grant"
    granted = ", ".join(privileges)
    words = f"{granted} on {shown} to {holder_shown(bundle.holder)}"
    if option_for:
        statement = f"REVOKE GRANT OPTION FOR {granted} ON {where} FROM {holder_sql(bundle.holder)}"
        yield Step("revoke", "grant option", words, statement)
        return
    action, preposition = ("GRANT", "TO") if bundle.present else ("REVOKE", "FROM")
    statement = f"{action} {granted} ON {where} {preposition} {holder_sql(bundle.holder)}"
    if bundle.privileges == ("OWNERSHIP",) and not bundle.future:
        statement += f" {bundle.current_grants.upper()} CURRENT GRANTS"
    elif bundle.present and bundle.option:
        statement += " WITH GRANT OPTION"
    yield Step(action.lower(), label, words, statement)

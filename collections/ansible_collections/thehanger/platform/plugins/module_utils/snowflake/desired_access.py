# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired access: memberships, privileges and ownership out of the modules' options."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from . import grants
from .entries import Options, name_at, one_of, present
from .errors import InvalidInputError
from .identifiers import Name, show
from .kinds import DATABASE_ROLE, ROLE, USER
from .state import EVERYTHING, Bundle, Holder, Membership

_ROLE_OPTIONS = {"role": ROLE, "database_role": DATABASE_ROLE}
_MEMBER_OPTIONS = {"roles": ROLE, "database_roles": DATABASE_ROLE, "users": USER}


def memberships(options: Options) -> tuple[tuple[Membership, ...], frozenset[Holder]]:
    """Return who gets which role, and the roles that nobody else keeps."""
    found: list[Membership] = []
    for index, item in _entries(options, "roles"):
        found += _members(item, f"roles[{index}]", ("ROLE", name_at("", item["name"], 1)), {"granted_to": ROLE})
    for index, item in _entries(options, "database_roles"):
        role = ("DATABASE ROLE", name_at("", item["name"], 2))
        given = {"granted_to": ROLE, "granted_to_database_roles": DATABASE_ROLE}
        found += _members(item, f"database_roles[{index}]", role, given)
    for index, item in _entries(options, "users"):
        to = ("USER", name_at("", item["name"], 1))
        for number, text in enumerate(item.get("roles") or []):
            path = f"users[{index}].roles[{number}]"
            found.append(Membership(("ROLE", name_at(path, text, 1)), to, path))
    closed = set()
    for index, item in enumerate(options.get("role_memberships") or []):
        path = f"role_memberships[{index}]"
        role = _holder(item, path)
        found += _members(item, path, role, _MEMBER_OPTIONS)
        if item.get("exclusive"):
            if not present(item):
                raise InvalidInputError(f"{path}.exclusive", "it says who alone has the role; that goes with present")
            if role[1][-1] in ROLE.protected:
                raise InvalidInputError(f"{path}.exclusive", f"{show(role[1])} belongs to Snowflake; revoke by state")
            closed.add(role)
    _refuse_both_ways(found)
    return tuple(found), frozenset(closed)


def _entries(options: Options, option: str) -> Iterable[tuple[int, Options]]:
    """Return the objects that are to exist: one that goes takes its memberships along."""
    return ((index, item) for index, item in enumerate(options.get(option) or []) if present(item))


def _members(item: Options, path: str, role: Holder, given: dict[str, Any]) -> Iterable[Membership]:
    for option, kind in given.items():
        for index, text in enumerate(item.get(option) or []):
            where = f"{path}.{option}[{index}]"
            to = (kind.word, name_at(where, text, kind.parts))
            if to == role:
                raise InvalidInputError(where, f"role {show(role[1])} cannot be granted to itself")
            if role[0] == "DATABASE ROLE" and kind is DATABASE_ROLE and to[1][0] != role[1][0]:
                raise InvalidInputError(where, f"{show(to[1])} stands in another database than {show(role[1])}")
            if role[0] == "DATABASE ROLE" and kind is USER:
                raise InvalidInputError(where, "a database role is granted to roles, not to users")
            if role[0] == "ROLE" and kind is DATABASE_ROLE:
                raise InvalidInputError(where, "a role cannot be granted to a database role")
            yield Membership(role, to, where, present(item))


def _holder(item: Options, path: str) -> Holder:
    option = one_of(item, path, *_ROLE_OPTIONS)
    kind = _ROLE_OPTIONS[option]
    return kind.word, name_at(f"{path}.{option}", item[option], kind.parts)


def _refuse_both_ways(found: Iterable[Membership]) -> None:
    seen: dict[tuple[Holder, Holder], Membership] = {}
    for item in found:
        other = seen.setdefault((item.role, item.to), item)
        if other.present != item.present:
            raise InvalidInputError(item.path, f"the membership is present and absent; see {other.path}")


def bundles(options: Options) -> tuple[Bundle, ...]:
    """Return the privileges and the ownership that are described."""
    found = [_grant(item, f"grants[{index}]") for index, item in enumerate(options.get("grants") or [])]
    found += [_ownership(item, f"ownership[{index}]") for index, item in enumerate(options.get("ownership") or [])]
    _refuse_contradictions(found)
    _refuse_overlaps(found)
    return tuple(found)


def _grant(item: Options, path: str) -> Bundle:
    holder = _holder(item, path)
    scope, target = _where(item, path)
    privileges = _privileges(item.get("privileges") or [], f"{path}.privileges")
    if "IMPORTED PRIVILEGES" in privileges and (item["type"] != "database" or len(privileges) > 1):
        raise InvalidInputError(f"{path}.privileges", "IMPORTED PRIVILEGES stand alone and are of type database")
    if holder[0] == "DATABASE ROLE" and target[:1] != holder[1][:1]:
        raise InvalidInputError(path, f"{show(holder[1])} holds privileges in its own database only")
    option = item.get("grant_option")
    if option is not None and (scope == "future_in" or not present(item)):
        raise InvalidInputError(f"{path}.grant_option", "it is for privileges on objects that exist, and with present")
    return Bundle(holder, item["type"], privileges, path, target, scope, present(item), option)


def _ownership(item: Options, path: str) -> Bundle:
    holder = _holder(item, path)
    if item["type"] == "account":
        raise InvalidInputError(f"{path}.type", "an account has no owner")
    scope, target = _where(item, path)
    current = item.get("current_grants") or "copy"
    return Bundle(holder, item["type"], ("OWNERSHIP",), path, target, scope, current_grants=current)


def _where(item: Options, path: str) -> tuple[str, Name]:
    type_ = item["type"]
    places = [option for option in ("name", "future_in", "all_in") if item.get(option)]
    if type_ == "account":
        if places:
            raise InvalidInputError(f"{path}.{places[0]}", "there is only one account; leave the option out")
        return "name", EVERYTHING
    scope = one_of(item, path, "name", "future_in", "all_in")
    return scope, _target(item[scope], type_, scope, path)


def _privileges(texts: Iterable[Any], path: str) -> tuple[str, ...]:
    privileges = []
    for index, text in enumerate(texts):
        try:
            privileges.append(grants.privilege(str(text)))
        except ValueError as error:
            raise InvalidInputError(f"{path}[{index}]", str(error)) from error
        if privileges[-1] == "OWNERSHIP":
            raise InvalidInputError(f"{path}[{index}]", "OWNERSHIP is transferred by an entry of ownership")
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
    return name_at(where, text, 1 if grants.parts_of(type_) == 2 else (1, 2))


def _refuse_contradictions(found: Iterable[Bundle]) -> None:
    seen: dict[tuple[Any, ...], Bundle] = {}
    for bundle in found:
        for privilege in bundle.privileges:
            owner = () if privilege == "OWNERSHIP" else bundle.holder
            key = (owner, bundle.type, bundle.target, bundle.scope, privilege)
            other = seen.setdefault(key, bundle)
            if other.present != bundle.present:
                raise InvalidInputError(bundle.path, f"{privilege} is present and absent; see {other.path}")
            if None not in (other.option, bundle.option) and other.option != bundle.option:
                raise InvalidInputError(bundle.path, f"{privilege} has another grant_option by {other.path}")
            if privilege == "OWNERSHIP" and other.holder != bundle.holder:
                raise InvalidInputError(bundle.path, f"an object has one owner; see {other.path}")


def _refuse_overlaps(found: Iterable[Bundle]) -> None:
    """Refuse what one entry gives to all that there is and another takes from a part: each run undoes the last."""
    standing = [bundle for bundle in found if not bundle.future]
    everywhere = {
        (bundle.holder, bundle.type, privilege, bundle.target): bundle
        for bundle in standing
        if bundle.scope == "all_in"
        for privilege in bundle.privileges
    }
    for bundle in standing:
        for privilege, length in itertools.product(bundle.privileges, range(1, len(bundle.target))):
            other = everywhere.get((bundle.holder, bundle.type, privilege, bundle.target[:length]))
            if other is not None and other.present != bundle.present:
                raise InvalidInputError(
                    bundle.path,
                    f"{privilege} is {_state(bundle)} ({bundle.scope} {show(bundle.target)}), but {other.path} says "
                    f"{_state(other)} (all_in {show(other.target)}) for the same role and objects, so that neither "
                    "would ever hold; remove one of them, or list in all_in's place only the objects that are meant",
                )


def _state(bundle: Bundle) -> str:
    return "present" if bundle.present else "absent"

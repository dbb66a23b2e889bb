# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account should be like, as data: objects, who holds which role, privileges, parameters, tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .identifiers import Name, quote, show
from .kind import Kind
from .values import Value

# A role or a database role: its word in SQL and its name.
Holder = tuple[str, Name]
EVERYTHING: Name = ()


def holder_sql(holder: Holder) -> str:
    """Name a role, a database role or a user for SQL."""
    return f"{holder[0]} {quote(holder[1])}"


def holder_shown(holder: Holder) -> str:
    """Name a role, a database role or a user for people."""
    return f"{holder[0].lower()} {show(holder[1])}"


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
    """A role or database role that should be granted to a role, a database role or a user, or should not."""

    role: Holder
    to: Holder
    path: str
    present: bool = True


@dataclass(frozen=True)
class Bundle:
    """Privileges that a role should hold, or should not: on one object, on future objects, on all there are.

    `option` says whether the role may grant them on; None leaves that alone. `current_grants` goes with OWNERSHIP.
    """

    holder: Holder
    type: str
    privileges: tuple[str, ...]
    path: str
    target: Name = ()
    scope: str = "name"
    present: bool = True
    option: bool | None = None
    current_grants: str = "copy"

    @property
    def future(self) -> bool:
        """Whether it is about objects that do not exist yet."""
        return self.scope == "future_in"


@dataclass(frozen=True)
class Setting:
    """A parameter of the account or of an object; without a value it is inherited.

    With `former` it is only unset where it has that value.
    """

    kind: Kind | None
    name: Name
    parameter: str
    value: Value
    path: str
    former: str | None = None


@dataclass(frozen=True)
class Tagging:
    """The value of a tag on an object; without a value the object has no such tag."""

    kind: Kind
    name: Name
    tag: Name
    value: str | None
    path: str


@dataclass(frozen=True)
class Token:
    """A programmatic access token of a user, its secret in a file; renewed so many days before it ends."""

    user: Name
    name: Name
    path: str
    file: str
    present: bool = True
    role_restriction: Name | None = None
    days_to_expiry: int | None = None
    renew_days: int = 0
    comment: str | None = None


@dataclass(frozen=True)
class Desired:
    """The desired state of an account, as far as it is described.

    `closed_roles` are those whose members, `exclusive` says whether those whose privileges are listed completely.
    """

    things: tuple[Thing, ...] = ()
    memberships: tuple[Membership, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    settings: tuple[Setting, ...] = ()
    taggings: tuple[Tagging, ...] = ()
    tokens: tuple[Token, ...] = ()
    closed_roles: frozenset[Holder] = frozenset()
    exclusive: bool = False

    def of(self, kind: Kind) -> list[Thing]:
        """Return what is described of a kind."""
        return [thing for thing in self.things if thing.kind is kind]

    def coming(self, kind: Kind) -> set[Name]:
        """Return the names of a kind that exist afterwards because they are described."""
        return {thing.name for thing in self.of(kind) if thing.present}

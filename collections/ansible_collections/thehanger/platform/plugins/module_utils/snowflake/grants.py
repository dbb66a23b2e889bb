# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants as data: one is a privilege of a role on one object, or on the future objects of a container."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .identifiers import Name, parse_observed, quote, show
from .kind import Row

# Parts of a name, and the plural in ON ALL and ON FUTURE where the type stands in a schema or a database.
_PARTS = {
    "account": 0,
    **dict.fromkeys(
        (
            "compute_pool",
            "connection",
            "database",
            "external_volume",
            "failover_group",
            "integration",
            "network_policy",
            "replication_group",
            "resource_monitor",
            "role",
            "user",
            "warehouse",
        ),
        1,
    ),
    **dict.fromkeys(("database_role", "schema"), 2),
    **dict.fromkeys(
        (
            "aggregation_policy",
            "alert",
            "authentication_policy",
            "dynamic_table",
            "event_table",
            "external_table",
            "file_format",
            "git_repository",
            "iceberg_table",
            "image_repository",
            "masking_policy",
            "materialized_view",
            "model",
            "network_rule",
            "notebook",
            "packages_policy",
            "password_policy",
            "pipe",
            "projection_policy",
            "row_access_policy",
            "secret",
            "sequence",
            "service",
            "session_policy",
            "stage",
            "stream",
            "streamlit",
            "table",
            "tag",
            "task",
            "view",
        ),
        3,
    ),
}
_BY_SIGNATURE = ("function", "procedure")
TYPES = tuple(sorted([*_PARTS, *_BY_SIGNATURE]))
_PRIVILEGE = re.compile(r"[A-Z]+(?:[ _][A-Z]+)*")


@dataclass(frozen=True, order=True)
class Grant:
    """A privilege on an object of a type, or with `future` on the future objects of that type in a container."""

    type: str
    target: Name
    privilege: str
    future: bool = False

    def __str__(self) -> str:
        """Return the grant as a person writes it."""
        kind = self.type.replace("_", " ")
        if self.future:
            return f"{self.privilege} on future {plural(self.type).lower()} in {container(self.target)}"
        return f"{self.privilege} on {kind} {show(self.target)}" if self.target else f"{self.privilege} on account"


def parts_of(type_: str) -> int | None:
    """Return how many parts the name of such an object has, None where it has a signature."""
    return _PARTS.get(type_)


def containable(type_: str) -> bool:
    """Return whether such objects stand in a schema or a database."""
    return _PARTS.get(type_, 3) >= 2


def privilege(text: str) -> str:
    """Normalise a privilege; raises ValueError with the reason."""
    word = re.sub(r"\s+", " ", text.strip()).upper()
    if not _PRIVILEGE.fullmatch(word) or {"ON", "TO", "FROM"} & set(word.split()):
        raise ValueError(f"{text!r} is not a privilege")
    if word in ("ALL", "ALL PRIVILEGES"):
        raise ValueError("ALL cannot be compared with what is granted; list the privileges")
    return word


def plural(type_: str) -> str:
    """Return the word for all objects of a type."""
    return re.sub(r"Y$", "IE", words(type_)) + "S"


def words(type_: str) -> str:
    """Return the type in SQL."""
    return type_.replace("_", " ").upper()


def container(name: Name) -> str:
    """Name a schema or a database for people."""
    return f"{'schema' if len(name) == 2 else 'database'} {show(name)}"


def sql_container(name: Name) -> str:
    """Name a schema or a database for SQL."""
    return f"{'SCHEMA' if len(name) == 2 else 'DATABASE'} {quote(name)}"


def imported(grant: Grant) -> Grant:
    """Return how the account shows a grant: imported privileges as USAGE."""
    return replace(grant, privilege="USAGE") if grant.privilege == "IMPORTED PRIVILEGES" else grant


def grantable(grant: Grant) -> bool:
    """Return whether it is a privilege of its own: neither ownership nor a role that is held."""
    return grant.privilege != "OWNERSHIP" and grant.type not in ("role", "database_role")


def from_row(row: Row) -> Grant:
    """Read a row of SHOW GRANTS TO ROLE."""
    type_ = str(row["granted_on"]).lower().replace(" ", "_")
    target = () if type_ == "account" else parse_observed(str(row["name"]))
    return Grant(type_, target, str(row["privilege"]).upper())


def from_future_row(row: Row) -> Grant:
    """Read a row of SHOW FUTURE GRANTS TO ROLE, whose names end in a placeholder such as <TABLE>."""
    type_ = str(row["grant_on"]).lower().replace(" ", "_")
    return Grant(type_, parse_observed(str(row["name"]))[:-1], str(row["privilege"]).upper(), future=True)


def has_option(row: Row) -> bool:
    """Return whether a row of SHOW GRANTS TO ROLE lets the role grant the privilege on."""
    return str(row.get("grant_option")).lower() == "true"


def holder_from_row(row: Row) -> tuple[str, Name]:
    """Read who holds a role out of a row of SHOW GRANTS OF ROLE: its word in SQL and its name."""
    return str(row["granted_to"]).upper().replace("_", " "), parse_observed(str(row["grantee_name"]))

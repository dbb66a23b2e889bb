"""What an account consists of: objects, grants on them, grants of roles, grants for objects to come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Properties

SYSTEM_ROLES = ("ACCOUNTADMIN", "SECURITYADMIN", "USERADMIN", "SYSADMIN", "ORGADMIN", "PUBLIC")
ACCOUNT: Name = ("ACCOUNT",)

PLURALS = {
    "WAREHOUSES": "WAREHOUSE",
    "DATABASES": "DATABASE",
    "SCHEMAS": "SCHEMA",
    "TABLES": "TABLE",
    "VIEWS": "VIEW",
    "STAGES": "STAGE",
    "SEQUENCES": "SEQUENCE",
    "FILE FORMATS": "FILE FORMAT",
    "ROLES": "ROLE",
    "USERS": "USER",
    "RESOURCE MONITORS": "RESOURCE MONITOR",
}
SCHEMA_OBJECTS = ("TABLE", "VIEW", "STAGE", "SEQUENCE", "FILE FORMAT")

PRIVILEGES: dict[str, tuple[str, ...]] = {
    "ACCOUNT": (
        "CREATE DATABASE",
        "CREATE ROLE",
        "CREATE USER",
        "CREATE WAREHOUSE",
        "EXECUTE TASK",
        "MANAGE GRANTS",
        "MONITOR EXECUTION",
        "MONITOR USAGE",
    ),
    "WAREHOUSE": ("MODIFY", "MONITOR", "OPERATE", "USAGE"),
    "DATABASE": ("CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"),
    "SCHEMA": (
        "CREATE FILE FORMAT",
        "CREATE SEQUENCE",
        "CREATE STAGE",
        "CREATE TABLE",
        "CREATE VIEW",
        "MODIFY",
        "MONITOR",
        "USAGE",
    ),
    "TABLE": ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE"),
    "VIEW": ("REFERENCES", "SELECT"),
    "STAGE": ("READ", "USAGE", "WRITE"),
    "SEQUENCE": ("USAGE",),
    "FILE FORMAT": ("USAGE",),
    "USER": ("MONITOR",),
    "RESOURCE MONITOR": ("MODIFY", "MONITOR"),
    "ROLE": (),
}


@dataclass(slots=True)
class Securable:
    """An object that privileges can be granted on."""

    kind: str
    name: Name
    owner: str
    created: float = field(default_factory=time.time)
    properties: Properties = field(default_factory=dict)

    @property
    def comment(self) -> str:
        """The comment, empty when there is none."""
        return str(self.properties.get("COMMENT") or "")


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on one object, held by a role."""

    privilege: str
    kind: str
    name: Name
    role: str
    granted_by: str
    with_option: bool = False
    created: float = field(default_factory=time.time, compare=False)


@dataclass(frozen=True, slots=True)
class FutureGrant:
    """A privilege on objects of a kind that will be created in a database or schema."""

    privilege: str
    kind: str
    scope: Name
    role: str
    with_option: bool = False
    created: float = field(default_factory=time.time, compare=False)


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role given to another role or to a user."""

    role: str
    to_kind: str
    to_name: str
    granted_by: str
    created: float = field(default_factory=time.time, compare=False)

"""What an account consists of: objects, grants on them, grants of roles, grants for objects to come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Properties

SYSTEM_ROLES = ("ACCOUNTADMIN", "SECURITYADMIN", "USERADMIN", "SYSADMIN", "ORGADMIN", "PUBLIC")
ACCOUNT: Name = ("ACCOUNT",)
SHARED: Name = ("SNOWFLAKE",)
_BETWEEN = "\0"

ACCOUNT_OBJECTS = ("WAREHOUSE", "DATABASE", "ROLE", "USER", "RESOURCE MONITOR", "NETWORK POLICY", "INTEGRATION")
DATABASE_OBJECTS = ("SCHEMA", "DATABASE ROLE")
SCHEMA_OBJECTS = (
    "TABLE", "VIEW", "STAGE", "SEQUENCE", "FILE FORMAT", "NETWORK RULE", "AUTHENTICATION POLICY", "TAG",
)  # fmt: skip

PRIVILEGES: dict[str, tuple[str, ...]] = {
    "ACCOUNT": (
        "APPLY AGGREGATION POLICY", "APPLY AUTHENTICATION POLICY", "APPLY MASKING POLICY", "APPLY PACKAGES POLICY",
        "APPLY PASSWORD POLICY", "APPLY PROJECTION POLICY", "APPLY ROW ACCESS POLICY", "APPLY SESSION POLICY",
        "APPLY TAG", "ATTACH POLICY", "AUDIT", "BIND SERVICE ENDPOINT", "CREATE ACCOUNT", "CREATE API INTEGRATION",
        "CREATE APPLICATION", "CREATE APPLICATION PACKAGE", "CREATE COMPUTE POOL", "CREATE DATA EXCHANGE LISTING",
        "CREATE DATABASE", "CREATE EXTERNAL VOLUME", "CREATE FAILOVER GROUP", "CREATE INTEGRATION",
        "CREATE LISTING", "CREATE NETWORK POLICY", "CREATE ORGANIZATION LISTING", "CREATE REPLICATION GROUP",
        "CREATE ROLE", "CREATE SHARE", "CREATE USER", "CREATE WAREHOUSE", "EXECUTE ALERT",
        "EXECUTE DATA METRIC FUNCTION", "EXECUTE MANAGED ALERT", "EXECUTE MANAGED TASK", "EXECUTE TASK",
        "IMPORT ORGANIZATION LISTING", "IMPORT SHARE", "MANAGE ACCOUNT SUPPORT CASES", "MANAGE EVENT SHARING",
        "MANAGE GRANTS", "MANAGE LISTING AUTO FULFILLMENT", "MANAGE ORGANIZATION SUPPORT CASES",
        "MANAGE POLICY TAGS", "MANAGE USER SUPPORT CASES", "MANAGE WAREHOUSES", "MODIFY LOG LEVEL",
        "MODIFY METRIC LEVEL", "MODIFY SESSION LOG LEVEL", "MODIFY SESSION METRIC LEVEL",
        "MODIFY SESSION TRACE LEVEL", "MODIFY TRACE LEVEL", "MONITOR", "MONITOR EXECUTION", "MONITOR SECURITY",
        "MONITOR USAGE", "OVERRIDE SHARE RESTRICTIONS", "PURCHASE DATA EXCHANGE LISTING", "READ SESSION",
        "RESOLVE ALL", "VIEW LINEAGE",
    ),
    "WAREHOUSE": ("APPLYBUDGET", "MODIFY", "MONITOR", "OPERATE", "USAGE"),
    "DATABASE": ("APPLYBUDGET", "CREATE DATABASE ROLE", "CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"),
    "SCHEMA": (
        "ADD SEARCH OPTIMIZATION", "APPLYBUDGET", "CREATE AGGREGATION POLICY", "CREATE ALERT",
        "CREATE AUTHENTICATION POLICY", "CREATE CORTEX SEARCH SERVICE", "CREATE DATA METRIC FUNCTION",
        "CREATE DATASET", "CREATE DYNAMIC TABLE", "CREATE EVENT TABLE", "CREATE EXTERNAL TABLE",
        "CREATE FILE FORMAT", "CREATE FUNCTION", "CREATE GIT REPOSITORY", "CREATE ICEBERG TABLE",
        "CREATE IMAGE REPOSITORY", "CREATE MASKING POLICY", "CREATE MATERIALIZED VIEW", "CREATE MODEL",
        "CREATE NETWORK RULE", "CREATE NOTEBOOK", "CREATE PACKAGES POLICY", "CREATE PASSWORD POLICY", "CREATE PIPE",
        "CREATE PRIVACY POLICY", "CREATE PROCEDURE", "CREATE PROJECTION POLICY", "CREATE ROW ACCESS POLICY",
        "CREATE SECRET", "CREATE SEMANTIC VIEW", "CREATE SEQUENCE", "CREATE SERVICE", "CREATE SESSION POLICY",
        "CREATE STAGE", "CREATE STREAM", "CREATE STREAMLIT", "CREATE TABLE", "CREATE TAG", "CREATE TASK",
        "CREATE TEMPORARY TABLE", "CREATE VIEW", "MODIFY", "MONITOR", "USAGE",
    ),
    "TABLE": ("APPLYBUDGET", "DELETE", "EVOLVE SCHEMA", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE"),
    "VIEW": ("REFERENCES", "SELECT"),
    "STAGE": ("READ", "USAGE", "WRITE"),
    "SEQUENCE": ("USAGE",),
    "FILE FORMAT": ("USAGE",),
    "NETWORK RULE": ("USAGE",),
    "AUTHENTICATION POLICY": ("APPLY",),
    "TAG": ("APPLY", "READ"),
    "USER": ("MODIFY PROGRAMMATIC AUTHENTICATION METHODS", "MONITOR"),
    "RESOURCE MONITOR": ("MODIFY", "MONITOR"),
    "NETWORK POLICY": ("USAGE",),
    "INTEGRATION": ("USAGE", "USE_ANY_ROLE"),
    "ROLE": (),
    "DATABASE ROLE": (),
}  # fmt: skip
"""What can be granted on each kind, as the page "Access control privileges" lists it; OWNERSHIP is on all."""

PROMISED_PRIVILEGES: dict[str, tuple[str, ...]] = {
    "AGGREGATION POLICY": ("APPLY",),
    "ALERT": ("MONITOR", "OPERATE"),
    "DYNAMIC TABLE": ("MONITOR", "OPERATE", "SELECT"),
    "EVENT TABLE": ("DELETE", "REFERENCES", "SELECT", "TRUNCATE"),
    "EXTERNAL TABLE": ("REFERENCES", "SELECT"),
    "FUNCTION": ("USAGE",),
    "GIT REPOSITORY": ("READ", "WRITE"),
    "ICEBERG TABLE": ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRUNCATE", "UPDATE"),
    "IMAGE REPOSITORY": ("READ", "WRITE"),
    "MASKING POLICY": ("APPLY",),
    "MATERIALIZED VIEW": ("APPLYBUDGET", "REFERENCES", "SELECT"),
    "MODEL": ("READ", "USAGE"),
    "NOTEBOOK": ("USAGE",),
    "PACKAGES POLICY": ("APPLY", "USAGE"),
    "PASSWORD POLICY": ("APPLY",),
    "PIPE": ("APPLYBUDGET", "MONITOR", "OPERATE"),
    "PROCEDURE": ("USAGE",),
    "PROJECTION POLICY": ("APPLY",),
    "ROW ACCESS POLICY": ("APPLY",),
    "SECRET": ("READ", "USAGE"),
    "SERVICE": ("MONITOR", "OPERATE"),
    "SESSION POLICY": ("APPLY",),
    "STREAM": ("SELECT",),
    "STREAMLIT": ("USAGE",),
    "TASK": ("APPLYBUDGET", "MONITOR", "OPERATE"),
}
"""Kinds that cannot be created here; future grants on them are kept, and ALL of them in a scope are none."""


def plural(kind: str) -> str:
    """Write a kind in the plural, as SHOW and GRANT ... ON ALL have it."""
    return kind[:-1] + "IES" if kind.endswith("Y") else kind + "S"


PLURALS = {"STORAGE INTEGRATIONS": "INTEGRATION"} | {
    plural(kind): kind for kind in (*ACCOUNT_OBJECTS, *DATABASE_OBJECTS, *SCHEMA_OBJECTS)
}
PROMISED_PLURALS = {plural(kind): kind for kind in PROMISED_PRIVILEGES}


def role_key(name: Name) -> str:
    """Write a role's name as one text that catalogue entries refer to: a database role's has two parts."""
    return _BETWEEN.join(name)


def role_name(key: str) -> Name:
    """Read the name back: one part for an account role, two for a database role."""
    return tuple(key.split(_BETWEEN))


def role_kind(key: str) -> str:
    """Say whether a key is that of a ROLE or of a DATABASE ROLE."""
    return "DATABASE ROLE" if _BETWEEN in key else "ROLE"


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

    @property
    def owner_name(self) -> str:
        """The owning role's name without that of its database; empty for what Snowflake itself owns."""
        return role_name(self.owner)[-1]

    @property
    def owner_kind(self) -> str:
        """The kind of role that owns the object, as SHOW writes it."""
        return role_kind(self.owner).replace(" ", "_") if self.owner else ""


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

"""Errors in the shape Snowflake gives them: a number, an SQL state and a message."""

from __future__ import annotations


class SnowflakeError(Exception):
    """A statement or a login that is refused; `number` is Snowflake's error number."""

    def __init__(self, number: int, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.sqlstate = sqlstate
        self.message = message
        self.query_id: str | None = None
        self.next_action: str | None = None

    @property
    def code(self) -> str:
        """The number as the wire carries it: six digits."""
        return f"{self.number:06d}"


def syntax(unexpected: str, line: int = 1, position: int = 0) -> SnowflakeError:
    """Refuse text that the grammar does not allow."""
    return SnowflakeError(
        1003,
        "42000",
        f"SQL compilation error:\nsyntax error line {line} at position {position} unexpected '{unexpected}'.",
    )


def unsupported(feature: str) -> SnowflakeError:
    """Refuse what the emulated account cannot do."""
    return SnowflakeError(2, "0A000", f"Unsupported feature '{feature}' (in the emulated account).")


def missing(kind: str, name: str) -> SnowflakeError:
    """Say that an object is not there, or that the role may not know."""
    state = "42S02" if kind in ("TABLE", "VIEW", "OBJECT") else "02000"
    label = "Object" if kind in ("TABLE", "VIEW", "OBJECT") else label_of(kind)
    return SnowflakeError(2003, state, f"SQL compilation error:\n{label} '{name}' does not exist or not authorized.")


def unusable() -> SnowflakeError:
    """Refuse a USE of something that is not there or not granted."""
    return SnowflakeError(
        2043, "02000", "SQL compilation error:\nObject does not exist, or operation cannot be performed."
    )


def expansion(view: str, cause: SnowflakeError) -> SnowflakeError:
    """Refuse a view whose own text cannot be run any more with the rights of its owner."""
    return SnowflakeError(
        2037, "42601", f"SQL compilation error:\nFailure during expansion of view '{view}': {cause.message}"
    )


def exists(name: str) -> SnowflakeError:
    """Refuse to create what is there already."""
    return SnowflakeError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def insufficient(kind: str, name: str) -> SnowflakeError:
    """Refuse an action on an object that the role may see."""
    return SnowflakeError(
        3001, "42501", f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'."
    )


def dependent_grant(privilege: str, name: str, role: str) -> SnowflakeError:
    """Refuse to take a privilege or ownership away while others hold what was given by it."""
    return SnowflakeError(
        3036,
        "42501",
        f"SQL execution error: Dependent grant of privilege '{privilege}' on securable '{name}' to role '{role}' "
        "exists. It must be revoked first. More than one dependent grant may exist: use 'SHOW GRANTS' command to view "
        "them. To revoke all dependent grants while transferring object ownership, use convenience command 'GRANT "
        "OWNERSHIP ON <target_objects> TO <target_role> REVOKE CURRENT GRANTS'.",
    )


def policy_in_use(name: str) -> SnowflakeError:
    """Refuse to drop or replace a policy that is set on something."""
    return SnowflakeError(
        3531,
        "42601",
        f"SQL compilation error:\nPolicy {name} cannot be dropped/replaced as it is associated with one or more "
        "entities.",
    )


def role_not_assigned(role: str) -> SnowflakeError:
    """Refuse a role that was not granted to the user."""
    return SnowflakeError(
        3013,
        "42501",
        f"SQL access control error:\nRequested role '{role}' is not assigned to the executing user. "
        "Specify another role to activate.",
    )


def invalid_property(name: str, kind: str) -> SnowflakeError:
    """Refuse a property that the kind of object does not have."""
    return SnowflakeError(1420, "42601", f"SQL compilation error:\ninvalid property '{name}' for '{kind}'")


def invalid_value(value: object, name: str) -> SnowflakeError:
    """Refuse a property's value."""
    return SnowflakeError(1008, "22023", f"SQL compilation error:\ninvalid value [{value}] for parameter '{name}'")


def no_warehouse() -> SnowflakeError:
    """Refuse a statement that computes while the session has no warehouse."""
    return SnowflakeError(
        606,
        "57P03",
        "No active warehouse selected in the current session.  "
        "Select an active warehouse with the 'use warehouse' command.",
    )


def over_quota(warehouse: str, monitor: str) -> SnowflakeError:
    """Refuse a statement whose warehouse a resource monitor has suspended."""
    return SnowflakeError(
        90073,
        "22000",
        f"Warehouse '{warehouse}' cannot be resumed because resource monitor '{monitor}' has exceeded its quota.",
    )


def cancelled() -> SnowflakeError:
    """Say that a statement was stopped before its end."""
    return SnowflakeError(604, "57014", "SQL execution canceled")


def no_database(command: str) -> SnowflakeError:
    """Refuse an unqualified name while the session has no database."""
    return SnowflakeError(
        90105,
        "22000",
        f"Cannot perform {command}. This session does not have a current database. "
        "Call 'USE DATABASE', or use a qualified name.",
    )


def no_schema(command: str) -> SnowflakeError:
    """Refuse an unqualified name while the session has no schema."""
    return SnowflakeError(
        90106,
        "22000",
        f"Cannot perform {command}. This session does not have a current schema. "
        "Call 'USE SCHEMA', or use a qualified name.",
    )


def label_of(kind: str) -> str:
    """Write a kind the way messages do: `Resource monitor`, `Warehouse`."""
    return kind.capitalize()

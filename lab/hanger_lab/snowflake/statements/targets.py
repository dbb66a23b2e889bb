"""Reads what a GRANT, a REVOKE or a SHOW GRANTS is about."""

from __future__ import annotations

from dataclasses import dataclass

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import (
    ACCOUNT,
    DATABASE_OBJECTS,
    PLURALS,
    PRIVILEGES,
    PROMISED_PLURALS,
    PROMISED_PRIVILEGES,
    SCHEMA_OBJECTS,
    Securable,
    role_key,
    role_kind,
    role_name,
)
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.session import Context

_SYNONYMS = {"ALL": "ALL PRIVILEGES"}


@dataclass(frozen=True)
class Scope:
    """A database or schema whose objects are meant."""

    kind: str
    name: Name


def depth_of(kind: str) -> int:
    """How many parts a full name of the kind has."""
    return 3 if kind in (*SCHEMA_OBJECTS, *PROMISED_PRIVILEGES) else 2 if kind in DATABASE_OBJECTS else 1


def read_kind(parser: Parser) -> str:
    """Read a kind of object in the singular."""
    kind = _optional_kind(parser)
    if kind is None:
        raise parser.fail()
    return kind


def _optional_kind(parser: Parser) -> str | None:
    return parser.accept_any([kind for kind in PRIVILEGES if kind != "ACCOUNT"])


def read_plural(parser: Parser) -> str:
    """Read a kind of object in the plural, also one that cannot be created here."""
    known = {**PLURALS, **PROMISED_PLURALS}
    plural = parser.accept_any(known)
    if plural is None:
        raise parser.fail()
    return known[plural]


def read_scope(parser: Parser, context: Context) -> Scope:
    """Read `IN DATABASE d` or `IN SCHEMA s`; the object must be visible."""
    parser.expect("IN")
    kind = parser.accept_any(("DATABASE", "SCHEMA"))
    if kind is None:
        raise parser.fail()
    name = context.session.qualify(parser.name(), depth_of(kind), "GRANT")
    context.access.require_visible(kind, name)
    return Scope(kind, name)


def read_object(parser: Parser, context: Context) -> tuple[str, Name]:
    """Read `ACCOUNT`, `WAREHOUSE w`, `TABLE d.s.t` and the like; without a kind it is a table or a view, as dbt writes.

    The object must be visible.
    """
    if parser.accept("ACCOUNT"):
        return "ACCOUNT", ACCOUNT
    kind = _optional_kind(parser) or "TABLE"
    name = context.session.qualify(parser.name(), depth_of(kind), "GRANT")
    if kind in ("TABLE", "VIEW"):
        found = context.catalog.relation(name)
        kind = found.kind if found is not None else kind
    context.access.require_visible(kind, name)
    return kind, name


def read_role(parser: Parser, context: Context) -> str:
    """Read `[ROLE] r`; the role must exist."""
    parser.accept("ROLE")
    role = parser.name()
    if len(role) != 1 or context.catalog.find("ROLE", role) is None:
        raise errors.missing("ROLE", names.show(role))
    return role[0]


def read_grantee(parser: Parser, context: Context) -> str:
    """Read `[ROLE] r` or `DATABASE ROLE [d.]r`, and return the role's key; the role must exist."""
    if not parser.accept("DATABASE", "ROLE"):
        return read_role(parser, context)
    name = context.session.qualify(parser.name(), 2, "GRANT")
    context.access.require_visible("DATABASE ROLE", name)
    return role_key(name)


def require_within(grantee: str, name: Name, shown: str) -> None:
    """Refuse to give a database role anything outside its database."""
    if role_kind(grantee) == "DATABASE ROLE" and role_name(grantee)[:1] != name[:1]:
        role = names.show(role_name(grantee))
        raise errors.SnowflakeError(
            3008,
            "42501",
            f"SQL compilation error:\nDatabase role '{role}' cannot hold a privilege on {shown}: it is not in the "
            "role's database.",
        )


def read_privileges(parser: Parser) -> list[str]:
    """Read privileges up to ON."""
    privileges: list[str] = []
    while not parser.peek("ON"):
        words = [parser.word()]
        while not parser.peek("ON") and not parser.symbol(","):
            words.append(parser.word())
        phrase = " ".join(words)
        privileges.append(_SYNONYMS.get(phrase, phrase))
    if not privileges:
        raise parser.fail()
    return privileges


def expand(privileges: list[str], kind: str) -> list[str]:
    """Spell out ALL PRIVILEGES and refuse what the kind of object does not have."""
    known = PRIVILEGES.get(kind) or PROMISED_PRIVILEGES.get(kind, ())
    if privileges == ["ALL PRIVILEGES"]:
        return list(known)
    for privilege in privileges:
        if privilege not in known and privilege != "OWNERSHIP":
            raise errors.SnowflakeError(
                3008, "42501", f"SQL compilation error:\nInvalid privilege '{privilege}' for object type '{kind}'."
            )
    return privileges


def objects_in(context: Context, kind: str, scope: Scope) -> list[Securable]:
    """List the objects of a kind inside a database or schema."""
    return [found for found in context.catalog.all(kind, within=scope.name) if found.name != scope.name]

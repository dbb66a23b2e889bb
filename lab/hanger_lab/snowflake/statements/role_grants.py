"""GRANT and REVOKE of roles and database roles."""

from __future__ import annotations

from hanger_lab.snowflake import access, errors, names
from hanger_lab.snowflake.model import RoleGrant, role_key, role_kind, role_name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import targets


def begins(parser: Parser) -> bool:
    """Whether the statement is about a role itself, not about a privilege."""
    return (parser.peek("ROLE") and not parser.peek("ROLE", "ON")) or parser.peek("DATABASE", "ROLE")


def change(parser: Parser, context: Context, *, give: bool) -> Result:
    """Run GRANT or REVOKE of a role to or from a role or user."""
    role = targets.read_grantee(parser, context)
    parser.expect("TO" if give else "FROM")
    kind, receiver = _read_receiver(parser, context)
    parser.end()
    _authorize(context, role)
    if not give:
        context.catalog.revoke_role(role, kind, receiver)
        return status()
    if kind == "ROLE":
        _require_order(context, role, receiver)
    context.catalog.grant_role(RoleGrant(role, kind, receiver, context.session.role))
    return status()


def _read_receiver(parser: Parser, context: Context) -> tuple[str, str]:
    """Read `ROLE r`, `DATABASE ROLE d.r` or `USER u`; it must exist."""
    if parser.peek("ROLE") or parser.peek("DATABASE", "ROLE"):
        return "ROLE", targets.read_grantee(parser, context)
    parser.expect("USER")
    user = parser.name()
    if context.catalog.find("USER", user) is None:
        raise errors.missing("USER", names.show(user))
    return "USER", role_key(user)


def _require_order(context: Context, role: str, receiver: str) -> None:
    """Refuse circles, and database roles that would hold something outside their database."""
    shown, into = names.show(role_name(role)), names.show(role_name(receiver))
    if receiver in access.inherited(context.catalog, [role]) - {"PUBLIC"}:
        raise errors.SnowflakeError(
            3028, "42P16", f"SQL compilation error:\nGranting role '{shown}' to '{into}' makes a circle."
        )
    if role_kind(receiver) == "DATABASE ROLE" and role_kind(role) == "ROLE":
        raise errors.unsupported(f"GRANT ROLE {shown} TO DATABASE ROLE {into}")
    targets.require_within(receiver, role_name(role), f"database role {shown}")


def _authorize(context: Context, role: str) -> None:
    """A role is given by its owner or with MANAGE GRANTS; ACCOUNTADMIN only by ACCOUNTADMIN."""
    permitted, kind = context.access, role_kind(role)
    if role in ("ACCOUNTADMIN", "ORGADMIN"):
        allowed = "ACCOUNTADMIN" in permitted.all
    else:
        allowed = permitted.owns(kind, role_name(role)) or permitted.manages_grants
    if not allowed:
        raise errors.insufficient(kind, names.show(role_name(role)))

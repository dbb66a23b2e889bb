"""SHOW GRANTS and SHOW FUTURE GRANTS."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Grant, RoleGrant, Securable, role_key, role_kind, role_name
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import targets

_GRANT = (
    "created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by",
    "granted_by_role_type",
)  # fmt: skip
_TO_USER = (
    "created_on", "role", "granted_to", "grantee_name", "granted_by", "privilege", "granted_on", "name",
    "grant_option",
)  # fmt: skip
_OF_ROLE = ("created_on", "role", "granted_to", "grantee_name", "granted_by")
_FUTURE = ("created_on", "privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option")


def grants(parser: Parser, context: Context) -> Result:
    """Run SHOW GRANTS [ON | TO | OF]."""
    if parser.accept("ON"):
        kind, name = targets.read_object(parser, context)
        parser.end()
        return table(_GRANT, _on(context, kind, name))
    if parser.accept("OF"):
        if not parser.peek("ROLE") and not parser.peek("DATABASE", "ROLE"):
            raise parser.fail()
        role = targets.read_grantee(parser, context)
        parser.end()
        return table(_OF_ROLE, [_role_row(g) for g in context.catalog.role_grants() if g.role == role])
    if not parser.accept("TO"):
        parser.end()
        return table(_TO_USER, _to_user(context, context.session.user))
    if parser.accept("USER"):
        user = parser.name()
        parser.end()
        if context.catalog.find("USER", user) is None:
            raise errors.missing("USER", names.show(user))
        return table(_TO_USER, _to_user(context, user[0]))
    role = targets.read_grantee(parser, context)
    parser.end()
    return table(_GRANT, _to_role(context, role))


def future(parser: Parser, context: Context) -> Result:
    """Run SHOW FUTURE GRANTS IN <scope> | TO ROLE <role>."""
    if parser.accept("TO"):
        role = targets.read_grantee(parser, context)
        chosen = [f for f in context.catalog.futures() if f.role == role]
    else:
        scope = targets.read_scope(parser, context)
        chosen = [f for f in context.catalog.futures() if f.scope == scope.name]
    parser.end()
    rows: list[dict[str, Cell]] = [
        {
            "created_on": f.created,
            "privilege": f.privilege,
            "grant_on": f.kind.replace(" ", "_"),
            "name": f"{names.show(f.scope)}.<{f.kind}>",
            "grant_to": _kind(f.role),
            "grantee_name": role_name(f.role)[-1],
            "grant_option": str(f.with_option).lower(),
        }
        for f in chosen
    ]
    return table(_FUTURE, rows)


def _on(context: Context, kind: str, name: Name) -> list[dict[str, Cell]]:
    rows = [_row(context, grant) for grant in context.catalog.grants_on(kind, name)]
    found = context.catalog.find(kind, name)
    if kind in ("ROLE", "DATABASE ROLE"):
        rows += [_usage(g) for g in context.catalog.role_grants() if g.role == role_key(name)]
    return ([_ownership(found)] if found is not None and found.owner else []) + rows


def _to_role(context: Context, role: str) -> list[dict[str, Cell]]:
    owned = [_ownership(found) for found in context.catalog.owned_by(role)]
    held = [_row(context, grant) for grant in context.catalog.grants_to(role)]
    roles = [_usage(g) for g in context.catalog.role_grants() if (g.to_kind, g.to_name) == ("ROLE", role)]
    return owned + held + roles


def _to_user(context: Context, user: str) -> list[dict[str, Cell]]:
    given = [g for g in context.catalog.role_grants() if (g.to_kind, g.to_name) == ("USER", user)]
    return [{**_usage(g), **_role_row(g)} for g in given]


def _row(context: Context, grant: Grant) -> dict[str, Cell]:
    shown = context.account if grant.kind == "ACCOUNT" else names.show(grant.name)
    return {
        "created_on": grant.created,
        "privilege": grant.privilege,
        "granted_on": grant.kind.replace(" ", "_"),
        "name": shown,
        "granted_to": _kind(grant.role),
        "grantee_name": role_name(grant.role)[-1],
        "grant_option": str(grant.with_option).lower(),
        "granted_by": role_name(grant.granted_by)[-1],
        "granted_by_role_type": _kind(grant.granted_by) if grant.granted_by else "",
    }


def _ownership(found: Securable) -> dict[str, Cell]:
    return {
        "created_on": found.created,
        "privilege": "OWNERSHIP",
        "granted_on": found.kind.replace(" ", "_"),
        "name": names.show(found.name),
        "granted_to": found.owner_kind,
        "grantee_name": found.owner_name,
        "grant_option": "true",
        "granted_by": found.owner_name,
        "granted_by_role_type": found.owner_kind,
    }


def _usage(grant: RoleGrant) -> dict[str, Cell]:
    return {
        "created_on": grant.created,
        "privilege": "USAGE",
        "granted_on": _kind(grant.role),
        "name": names.show(role_name(grant.role)),
        "granted_to": grant.to_kind if grant.to_kind == "USER" else _kind(grant.to_name),
        "grantee_name": role_name(grant.to_name)[-1],
        "grant_option": "false",
        "granted_by": grant.granted_by,
        "granted_by_role_type": "ROLE",
    }


def _role_row(grant: RoleGrant) -> dict[str, Cell]:
    """Fill a row of SHOW GRANTS OF, which names database roles in full."""
    role, receiver = role_name(grant.role), role_name(grant.to_name)
    return {
        "created_on": grant.created,
        "role": role[0] if len(role) == 1 else names.show(role),
        "granted_to": grant.to_kind if grant.to_kind == "USER" else _kind(grant.to_name),
        "grantee_name": receiver[0] if len(receiver) == 1 else names.show(receiver),
        "granted_by": role_name(grant.granted_by)[-1],
    }


def _kind(role: str) -> str:
    return role_kind(role).replace(" ", "_")

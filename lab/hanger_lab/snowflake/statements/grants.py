"""GRANT and REVOKE of privileges."""

from __future__ import annotations

from dataclasses import replace

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import ACCOUNT, SHARED, Grant
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import future_grants, ownership, role_grants, targets

_IMPORTED = ["IMPORTED PRIVILEGES"]
_Object = tuple[str, Name]


def grant(parser: Parser, context: Context) -> Result:
    """Run GRANT after its first word."""
    if role_grants.begins(parser):
        return role_grants.change(parser, context, give=True)
    privileges = targets.read_privileges(parser)
    parser.expect("ON")
    if parser.accept("FUTURE"):
        return future_grants.change(parser, context, privileges, give=True)
    objects = _objects(parser, context)
    parser.expect("TO")
    grantee = targets.read_grantee(parser, context)
    for kind, name in objects:
        targets.require_within(grantee, name, f"{kind.lower()} {names.show(name)}")
    if "OWNERSHIP" in privileges:
        return ownership.transfer(parser, context, objects, grantee, privileges)
    option = parser.accept("WITH", "GRANT", "OPTION")
    parser.end()
    for kind, name in objects:
        for privilege, by in _grantable(context, privileges, kind, name):
            context.catalog.grant(Grant(privilege, kind, name, grantee, by, option))
    return status()


def revoke(parser: Parser, context: Context) -> Result:
    """Run REVOKE after its first word."""
    if role_grants.begins(parser):
        return role_grants.change(parser, context, give=False)
    option_only = parser.accept("GRANT", "OPTION", "FOR")
    privileges = targets.read_privileges(parser)
    parser.expect("ON")
    if parser.accept("FUTURE"):
        return future_grants.change(parser, context, privileges, give=False, option_only=option_only)
    objects = _objects(parser, context)
    parser.expect("FROM")
    grantee = targets.read_grantee(parser, context)
    cascade = parser.accept("CASCADE")
    if not cascade:
        parser.accept("RESTRICT")
    parser.end()
    if "OWNERSHIP" in privileges:
        raise errors.SnowflakeError(
            3937, "0A000", "SQL compilation error:\nOwnership cannot be revoked; grant it to another role instead."
        )
    for kind, name in objects:
        wanted = _expand(context, privileges, kind, name)
        for held in context.catalog.grants_on(kind, name):
            if held.role == grantee and held.privilege in wanted:
                _require_revoker(context, held)
                _withdraw(context, held, cascade=cascade, option_only=option_only)
    return status()


def _objects(parser: Parser, context: Context) -> list[_Object]:
    """Read what the privileges are on: one object, or ALL <kind> IN a scope."""
    if not parser.accept("ALL"):
        return [targets.read_object(parser, context)]
    kind = targets.read_plural(parser)
    scope = targets.read_scope(parser, context)
    found = [(o.kind, o.name) for o in targets.objects_in(context, kind, scope)]
    permitted = context.access
    return [(k, n) for k, n in found if permitted.manages_grants or permitted.sees(k, n)]


def _expand(context: Context, privileges: list[str], kind: str, name: Name) -> list[str]:
    """Spell the privileges out; an imported database only has all or none of them, which are shown as USAGE."""
    shared = kind == "DATABASE" and name == SHARED
    if shared and privileges == _IMPORTED:
        return ["USAGE"]
    if shared:
        raise errors.SnowflakeError(
            3011,
            "42501",
            "SQL compilation error:\nGranting individual privileges on imported databases is not allowed. Use 'GRANT "
            "IMPORTED PRIVILEGES' instead.",
        )
    return targets.expand(privileges, kind)


def _grantable(context: Context, privileges: list[str], kind: str, name: Name) -> list[tuple[str, str]]:
    """List the privileges with the role that grants each; ALL means those that may be granted, at least one."""
    wanted = _expand(context, privileges, kind, name)
    if privileges != ["ALL PRIVILEGES"]:
        return [(privilege, _grantor(context, privilege, kind, name)) for privilege in wanted]
    found: list[tuple[str, str]] = []
    refusal: errors.SnowflakeError | None = None
    for privilege in wanted:
        try:
            found.append((privilege, _grantor(context, privilege, kind, name)))
        except errors.SnowflakeError as problem:
            refusal = problem
    if refusal is not None and not found:
        raise refusal
    return found


def _grantor(context: Context, privilege: str, kind: str, name: Name) -> str:
    """Name the role that grants, or refuse: it takes ownership, the grant option, or MANAGE GRANTS."""
    if kind == "ACCOUNT":
        return _account_grantor(context, privilege)
    permitted = context.access
    giver = _giver(context, kind, name)
    if giver in permitted.all or permitted.manages_grants:
        return giver
    if not _is_managed(context, name):
        for held in context.catalog.grants_on(kind, name):
            if held.privilege == privilege and held.with_option and held.role in permitted.all:
                return held.role
    raise errors.insufficient(kind, names.show(name))


def _giver(context: Context, kind: str, name: Name) -> str:
    """Name the role that gives by right: the owner, or in a schema with managed access the schema's owner."""
    if _is_managed(context, name):
        return context.catalog.get("SCHEMA", name[:2]).owner
    return context.catalog.get(kind, name).owner


def _is_managed(context: Context, name: Name) -> bool:
    return len(name) > 2 and context.catalog.get("SCHEMA", name[:2]).properties.get("MANAGED_ACCESS") is True


def _account_grantor(context: Context, privilege: str) -> str:
    permitted = context.access
    if "ACCOUNTADMIN" in permitted.all:
        return "ACCOUNTADMIN"
    for held in context.catalog.grants_on("ACCOUNT", ACCOUNT):
        if held.privilege == privilege and held.with_option and held.role in permitted.all:
            return held.role
    if permitted.manages_grants and privilege != "MANAGE GRANTS":
        return context.session.role
    raise errors.insufficient("ACCOUNT", context.account)


def _require_revoker(context: Context, held: Grant) -> None:
    """A privilege is taken back by the role that gave it, by the owner, or with MANAGE GRANTS."""
    permitted = context.access
    if held.granted_by in permitted.all or permitted.manages_grants:
        return
    if held.kind == "ACCOUNT":
        _account_grantor(context, held.privilege)
    elif _giver(context, held.kind, held.name) not in permitted.all:
        raise errors.insufficient(held.kind, names.show(held.name))


def _withdraw(context: Context, held: Grant, *, cascade: bool, option_only: bool) -> None:
    """Take a grant or its option back; what its holder gave by that option goes as well, or stands in the way."""
    catalog = context.catalog
    target = catalog.find(held.kind, held.name)
    by_right = target is not None and target.owner == held.role
    given = [
        other
        for other in catalog.grants_on(held.kind, held.name)
        if other.privilege == held.privilege and other.granted_by == held.role and other.role != held.role
    ]
    dependents = given if held.with_option and not by_right else []
    if dependents and not cascade:
        raise errors.dependent_grant(held.privilege, names.show(held.name), dependents[0].role)
    if option_only:
        catalog.replace(replace(held, with_option=False))
    else:
        catalog.revoke(held)
    for other in dependents:
        _withdraw(context, other, cascade=True, option_only=False)

"""GRANT and REVOKE."""

from __future__ import annotations

from dataclasses import replace

from hanger_lab.snowflake import access, errors, names
from hanger_lab.snowflake.model import ACCOUNT, FutureGrant, Grant, RoleGrant
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import targets


def grant(parser: Parser, context: Context) -> Result:
    """Run GRANT after its first word."""
    if parser.peek("ROLE") and not parser.peek("ROLE", "ON"):
        return _role(parser, context, give=True)
    privileges = targets.read_privileges(parser)
    parser.expect("ON")
    if parser.accept("FUTURE"):
        return _future(parser, context, privileges, give=True)
    objects = _objects(parser, context)
    parser.expect("TO")
    role = targets.read_role(parser, context)
    if "OWNERSHIP" in privileges:
        return _ownership(parser, context, objects, role, privileges)
    option = parser.accept("WITH", "GRANT", "OPTION")
    parser.end()
    for kind, name in objects:
        for privilege in targets.expand(privileges, kind):
            by = _grantor(context, privilege, kind, name)
            context.catalog.grant(Grant(privilege, kind, name, role, by, option))
    return status()


def revoke(parser: Parser, context: Context) -> Result:
    """Run REVOKE after its first word."""
    if parser.peek("ROLE") and not parser.peek("ROLE", "ON"):
        return _role(parser, context, give=False)
    option_only = parser.accept("GRANT", "OPTION", "FOR")
    privileges = targets.read_privileges(parser)
    parser.expect("ON")
    if parser.accept("FUTURE"):
        return _future(parser, context, privileges, give=False)
    objects = _objects(parser, context)
    parser.expect("FROM")
    role = targets.read_role(parser, context)
    if not parser.accept("CASCADE"):
        parser.accept("RESTRICT")
    parser.end()
    if "OWNERSHIP" in privileges:
        raise errors.SnowflakeError(
            3937, "0A000", "SQL compilation error:\nOwnership cannot be revoked; grant it to another role instead."
        )
    for kind, name in objects:
        wanted = targets.expand(privileges, kind)
        for held in context.catalog.grants_on(kind, name):
            if held.role == role and held.privilege in wanted:
                _grantor(context, held.privilege, kind, name)
                if option_only:
                    context.catalog.replace(replace(held, with_option=False))
                else:
                    context.catalog.revoke(held)
    return status()


def _objects(parser: Parser, context: Context) -> list[tuple[str, Name]]:
    """Read what the privileges are on: one object, or ALL <kind> IN a scope."""
    if not parser.accept("ALL"):
        return [targets.read_object(parser, context)]
    kind = targets.read_plural(parser)
    scope = targets.read_scope(parser, context)
    found = [(o.kind, o.name) for o in targets.objects_in(context, kind, scope)]
    permitted = context.access
    return [(k, n) for k, n in found if permitted.manages_grants or permitted.sees(k, n)]


def _grantor(context: Context, privilege: str, kind: str, name: Name) -> str:
    """Name the role that grants, or refuse: it takes ownership, the grant option, or MANAGE GRANTS."""
    permitted = context.access
    if kind == "ACCOUNT":
        return _account_grantor(context, privilege)
    target = context.catalog.get(kind, name)
    managed = len(name) > 2 and context.catalog.get("SCHEMA", name[:2]).properties.get("MANAGED_ACCESS") is True
    owner = context.catalog.get("SCHEMA", name[:2]).owner if managed else target.owner
    if owner in permitted.all or permitted.manages_grants:
        return owner
    for held in context.catalog.grants_on(kind, name):
        if held.privilege == privilege and held.with_option and held.role in permitted.all and not managed:
            return held.role
    raise errors.insufficient(kind, names.show(name))


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


def _ownership(
    parser: Parser, context: Context, objects: list[tuple[str, Name]], role: str, privileges: list[str]
) -> Result:
    if privileges != ["OWNERSHIP"]:
        raise errors.syntax("OWNERSHIP")
    copy = parser.accept("COPY", "CURRENT", "GRANTS")
    drop = parser.accept("REVOKE", "CURRENT", "GRANTS")
    parser.end()
    for kind, name in objects:
        if kind == "ACCOUNT":
            raise errors.insufficient("ACCOUNT", context.account)
        target = context.catalog.get(kind, name)
        if not (context.access.owns(kind, name) or context.access.manages_grants):
            raise errors.insufficient(kind, names.show(name))
        held = context.catalog.grants_on(kind, name)
        if held and not copy and not drop:
            raise _dependent(held[0])
        for grant_held in held:
            context.catalog.revoke(grant_held)
            if copy:
                context.catalog.grant(replace(grant_held, granted_by=role))
        target.owner = role
        context.catalog.save(target)
    return status()


def _dependent(held: Grant) -> errors.SnowflakeError:
    return errors.SnowflakeError(
        3036,
        "42501",
        f"SQL execution error: Dependent grant of privilege '{held.privilege}' on securable "
        f"'{names.show(held.name)}' to role '{held.role}' exists. It must be revoked first. More than one dependent "
        "grant may exist: use 'SHOW GRANTS' command to view them. To revoke all dependent grants while transferring "
        "object ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> TO <target_role> "
        "REVOKE CURRENT GRANTS'.",
    )


def _future(parser: Parser, context: Context, privileges: list[str], *, give: bool) -> Result:
    kind = targets.read_plural(parser)
    scope = targets.read_scope(parser, context)
    parser.expect("TO" if give else "FROM")
    role = targets.read_role(parser, context)
    option = give and parser.accept("WITH", "GRANT", "OPTION")
    parser.end()
    if targets.depth_of(kind) <= len(scope.name):
        raise errors.unsupported(f"future grants on {kind} in {scope.kind}")
    _authorize_future(context, scope)
    for privilege in targets.expand(privileges, kind):
        future = FutureGrant(privilege, kind, scope.name, role, option)
        if give:
            context.catalog.grant_future(future)
        else:
            context.catalog.revoke_future(future)
    return status()


def _authorize_future(context: Context, scope: targets.Scope) -> None:
    """Future grants take MANAGE GRANTS; in a schema with managed access its owner may give them too."""
    if context.access.manages_grants:
        return
    target = context.catalog.get(scope.kind, scope.name)
    if target.properties.get("MANAGED_ACCESS") is True and target.owner in context.access.all:
        return
    raise errors.insufficient(scope.kind, names.show(scope.name))


def _role(parser: Parser, context: Context, *, give: bool) -> Result:
    role = targets.read_role(parser, context)
    parser.expect("TO" if give else "FROM")
    kind = parser.accept_any(("ROLE", "USER"))
    if kind is None:
        raise parser.fail()
    receiver = parser.name()
    parser.end()
    if context.catalog.find(kind, receiver) is None:
        raise errors.missing(kind, names.show(receiver))
    _authorize_role(context, role)
    if not give:
        context.catalog.revoke_role(role, kind, receiver[0])
        return status()
    if kind == "ROLE" and receiver[0] in access.inherited(context.catalog, [role]) - {"PUBLIC"}:
        raise errors.SnowflakeError(
            3028, "42P16", f"SQL compilation error:\nGranting role '{role}' to '{receiver[0]}' makes a circle."
        )
    context.catalog.grant_role(RoleGrant(role, kind, receiver[0], context.session.role))
    return status()


def _authorize_role(context: Context, role: str) -> None:
    """A role is given by its owner or with MANAGE GRANTS; ACCOUNTADMIN only by ACCOUNTADMIN."""
    permitted = context.access
    if role in ("ACCOUNTADMIN", "ORGADMIN"):
        allowed = "ACCOUNTADMIN" in permitted.all
    else:
        allowed = permitted.owns("ROLE", (role,)) or permitted.manages_grants
    if not allowed:
        raise errors.insufficient("ROLE", names.show((role,)))

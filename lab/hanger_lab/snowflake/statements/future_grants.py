"""GRANT and REVOKE ... ON FUTURE: what roles will be given on objects that do not exist yet."""

from __future__ import annotations

from dataclasses import replace

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import FutureGrant
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import ownership, targets


def change(parser: Parser, context: Context, privileges: list[str], *, give: bool, option_only: bool = False) -> Result:
    """Run the statement after FUTURE was read."""
    kind = targets.read_plural(parser)
    scope = targets.read_scope(parser, context)
    parser.expect("TO" if give else "FROM")
    grantee = targets.read_grantee(parser, context)
    targets.require_within(grantee, scope.name, f"{scope.kind.lower()} {names.show(scope.name)}")
    option = give and parser.accept("WITH", "GRANT", "OPTION")
    if give and privileges == ["OWNERSHIP"]:
        ownership.read_current_grants(parser)
    if not give and not parser.accept("CASCADE"):
        parser.accept("RESTRICT")
    parser.end()
    if targets.depth_of(kind) <= len(scope.name) or kind == "DATABASE ROLE":
        raise errors.unsupported(f"future grants on {kind} in {scope.kind}")
    _authorize(context, scope)
    for privilege in targets.expand(privileges, kind):
        future = FutureGrant(privilege, kind, scope.name, grantee, option)
        if give:
            _require_one_owner(context, future)
            context.catalog.grant_future(future)
        else:
            _revoke(context, future, option_only=option_only)
    return status()


def _revoke(context: Context, future: FutureGrant, *, option_only: bool) -> None:
    if not option_only:
        context.catalog.revoke_future(future)
        return
    for held in context.catalog.futures():
        if replace(held, with_option=False) == replace(future, with_option=False):
            context.catalog.grant_future(replace(held, with_option=False))


def _require_one_owner(context: Context, future: FutureGrant) -> None:
    """New objects have one owner: a second role cannot be promised it."""
    for other in context.catalog.futures():
        same = (other.privilege, other.kind, other.scope) == ("OWNERSHIP", future.kind, future.scope)
        if future.privilege == "OWNERSHIP" and same and other.role != future.role:
            raise errors.SnowflakeError(
                2002,
                "42710",
                f"SQL compilation error:\nFuture grant on object type '{future.kind}' of privilege 'OWNERSHIP' already "
                "exists.",
            )


def _authorize(context: Context, scope: targets.Scope) -> None:
    """Future grants take MANAGE GRANTS; in a schema with managed access its owner may give them too."""
    if context.access.manages_grants:
        return
    target = context.catalog.get(scope.kind, scope.name)
    if target.properties.get("MANAGED_ACCESS") is True and target.owner in context.access.all:
        return
    raise errors.insufficient(scope.kind, names.show(scope.name))

"""GRANT OWNERSHIP: an object goes to another role, with the grants on it or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import SYSTEM_ROLES
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context


def transfer(
    parser: Parser, context: Context, objects: Sequence[tuple[str, Name]], grantee: str, privileges: list[str]
) -> Result:
    """Run GRANT OWNERSHIP on objects after the grantee was read."""
    if privileges != ["OWNERSHIP"]:
        raise errors.syntax("OWNERSHIP")
    copy, drop = read_current_grants(parser)
    parser.end()
    for kind, name in objects:
        _transfer(context, kind, name, grantee, copy=copy, drop=drop)
    return status()


def read_current_grants(parser: Parser) -> tuple[bool, bool]:
    """Read COPY CURRENT GRANTS or REVOKE CURRENT GRANTS; return which of the two was said."""
    copy = parser.accept("COPY", "CURRENT", "GRANTS")
    return copy, not copy and parser.accept("REVOKE", "CURRENT", "GRANTS")


def _transfer(context: Context, kind: str, name: Name, grantee: str, *, copy: bool, drop: bool) -> None:
    if kind == "ACCOUNT":
        raise errors.insufficient("ACCOUNT", context.account)
    catalog = context.catalog
    target = catalog.get(kind, name)
    built_in = not target.owner or (kind == "ROLE" and name[0] in SYSTEM_ROLES)
    if built_in or not (context.access.owns(kind, name) or context.access.manages_grants):
        raise errors.insufficient(kind, names.show(name))
    held = catalog.grants_on(kind, name)
    if held and not copy and not drop:
        raise errors.dependent_grant(held[0].privilege, names.show(held[0].name), held[0].role)
    for found in held:
        catalog.revoke(found)
        if copy:
            catalog.grant(replace(found, granted_by=grantee))
    target.owner = grantee
    catalog.save(target)

"""Roles."""

from __future__ import annotations

from dataclasses import replace

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import SYSTEM_ROLES, Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition


def _dropped(context: Context, role: Securable) -> None:
    """What the role owned goes to the role that drops it, as Snowflake does."""
    if role.name[0] in SYSTEM_ROLES:
        raise errors.insufficient("ROLE", names.show(role.name))
    for owned in context.catalog.owned_by(role.name[0]):
        owned.owner = context.session.role
        context.catalog.save(owned)


def _renamed(context: Context, old: Name, new: Name) -> None:
    catalog = context.catalog
    for owned in catalog.owned_by(old[0]):
        owned.owner = new[0]
        catalog.save(owned)
    for grant in catalog.grants_to(old[0]):
        catalog.revoke(grant)
        catalog.grant(replace(grant, role=new[0]))
    for future in [f for f in catalog.futures() if f.role == old[0]]:
        catalog.revoke_future(future)
        catalog.grant_future(replace(future, role=new[0]))
    for given in catalog.role_grants():
        if given.role == old[0] or (given.to_kind, given.to_name) == ("ROLE", old[0]):
            catalog.revoke_role(given.role, given.to_kind, given.to_name)
            role = new[0] if given.role == old[0] else given.role
            receiver = new[0] if (given.to_kind, given.to_name) == ("ROLE", old[0]) else given.to_name
            catalog.grant_role(replace(given, role=role, to_name=receiver))
    if context.session.role == old[0]:
        context.session.role = new[0]


DEFINITION = Definition(
    kind="ROLE",
    known={"COMMENT": p.text},
    authorize_create=lambda context, name: context.access.require_account("CREATE ROLE"),
    dropped=_dropped,
    renamed=_renamed,
)

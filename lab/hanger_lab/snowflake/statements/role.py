"""Roles."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import SYSTEM_ROLES, Securable, role_key
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition


def _dropped(context: Context, role: Securable) -> None:
    if role.name[0] in SYSTEM_ROLES:
        raise errors.insufficient("ROLE", names.show(role.name))
    leave_property(context, role)


def leave_property(context: Context, role: Securable) -> None:
    """What a role owned goes to the role that drops it, as Snowflake does."""
    for owned in context.catalog.owned_by(role_key(role.name)):
        owned.owner = context.session.role
        context.catalog.save(owned)


def renamed(context: Context, old: Name, new: Name) -> None:
    """The session keeps its role under the new name."""
    if context.session.role == old[0]:
        context.session.role = new[0]


DEFINITION = Definition(
    kind="ROLE",
    known={"COMMENT": p.text},
    authorize_create=lambda context, name: context.access.require_account("CREATE ROLE"),
    dropped=_dropped,
    renamed=renamed,
)

"""Database roles: they hold privileges inside their database, and other roles hold them."""

from __future__ import annotations

from collections.abc import Sequence

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Grant, Securable, role_key, role_kind
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition, stay
from hanger_lab.snowflake.statements.role import leave_property
from hanger_lab.snowflake.statements.views import Row, View, basic, columns


def _authorize(context: Context, name: Name) -> None:
    access = context.access
    access.require_parents("DATABASE ROLE", name)
    if not access.holds("CREATE DATABASE ROLE", "DATABASE", name[:1], primary_only=True):
        raise errors.insufficient("database", names.show(name[:1]))


def _created(context: Context, role: Securable) -> None:
    """A new database role may use its database."""
    owner = context.catalog.get("DATABASE", role.name[:1]).owner
    context.catalog.grant(Grant("USAGE", "DATABASE", role.name[:1], role_key(role.name), owner))


def _rows(context: Context, objects: Sequence[Securable]) -> list[Row]:
    given = context.catalog.role_grants()
    inherited = context.access.primary
    rows: list[Row] = []
    for shown in objects:
        key = role_key(shown.name)
        receivers = [role_kind(g.to_name) for g in given if g.role == key and g.to_kind == "ROLE"]
        row: Row = {
            "is_inherited": "Y" if key in inherited else "N",
            "granted_to_roles": receivers.count("ROLE"),
            "granted_to_database_roles": receivers.count("DATABASE ROLE"),
            "granted_database_roles": sum((g.to_kind, g.to_name) == ("ROLE", key) for g in given),
        }
        rows.append({**basic(shown), **row})
    return rows


DEFINITION = Definition(
    kind="DATABASE ROLE",
    known={"COMMENT": p.text},
    depth=2,
    authorize_create=_authorize,
    created=_created,
    dropped=leave_property,
    renamed=stay,
)
VIEWS = {
    "DATABASE ROLE": View(
        columns(
            "created_on name is_default is_current is_inherited granted_to_roles granted_to_database_roles "
            "granted_database_roles owner comment owner_role_type"
        ),
        _rows,
    )
}

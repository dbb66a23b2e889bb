"""USE and ALTER SESSION."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hanger_lab.snowflake import access, errors, names
from hanger_lab.snowflake.model import SHARED
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import SET, USE, Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import parameters
from hanger_lab.snowflake.statements import properties as p


def use(parser: Parser, context: Context) -> Result:
    """Run USE after its first word."""
    session = context.session
    if parser.accept("SECONDARY", "ROLES"):
        word = parser.word()
        if word not in ("ALL", "NONE"):
            raise errors.unsupported("USE SECONDARY ROLES with a list")
        parser.end()
        if word == "ALL" and session.restricted:
            raise errors.role_not_assigned("ALL")
        session.secondary = word == "ALL"
        return status(statement_type=USE)
    kind = parser.accept_any(("ROLE", "WAREHOUSE", "DATABASE", "SCHEMA"))
    name = parser.name()
    parser.end()
    if kind == "ROLE":
        if len(name) != 1:
            raise errors.unusable()
        _use_role(context, name[0])
    elif kind == "WAREHOUSE":
        if context.catalog.find("WAREHOUSE", name) is None or not context.access.holds("USAGE", "WAREHOUSE", name):
            raise errors.unusable()
        session.warehouse = name[0]
    elif kind == "DATABASE" or (kind is None and len(name) == 1):
        use_database(context, name[0])
    else:
        database, schema = session.qualify(name, 2, "USE SCHEMA")
        use_schema(context, database, schema)
    return status(statement_type=USE)


def use_database(context: Context, database: str) -> None:
    """Make a database current, with its PUBLIC schema where that may be used."""
    if not _usable(context, "DATABASE", (database,)):
        raise errors.unusable()
    if (database,) == SHARED:
        raise errors.unsupported(f"USE DATABASE {database}")
    public = _usable(context, "SCHEMA", (database, "PUBLIC"))
    context.session.database, context.session.schema = database, "PUBLIC" if public else None


def use_schema(context: Context, database: str, schema: str) -> None:
    """Make a schema current."""
    information = schema == "INFORMATION_SCHEMA"
    if not _usable(context, "DATABASE", (database,)):
        raise errors.unusable()
    if not information and not _usable(context, "SCHEMA", (database, schema)):
        raise errors.unusable()
    context.session.database, context.session.schema = database, schema


def at_login(given: Mapping[str, Any]) -> Properties:
    """Read the session parameters of a login; drivers send others that only concern themselves.

    AUTOCOMMIT may be off from the beginning: drivers have an option for it.
    """
    known = parameters.checks("SESSION")
    return {name.upper(): known[name.upper()](name, value) for name, value in given.items() if name.upper() in known}


def alter_session(parser: Parser, context: Context) -> Result:
    """Run ALTER SESSION after these words."""
    if parser.accept("UNSET"):
        removed = parser.names_list()
        parser.end()
        parameters.require_known(removed, "SESSION")
        for name in removed:
            context.session.unset_parameter(name)
        return status(statement_type=SET)
    parser.expect("SET")
    changes = p.checked("SESSION", parser.properties(), parameters.checks("SESSION"))
    parser.end()
    if changes.get("AUTOCOMMIT") is False:
        raise errors.unsupported("ALTER SESSION SET AUTOCOMMIT = FALSE")
    context.session.set_parameters(changes)
    return status(statement_type=SET)


def _use_role(context: Context, role: str) -> None:
    if context.catalog.find("ROLE", (role,)) is None:
        raise errors.unusable()
    other = context.session.restricted and role != context.session.role
    if other or role not in access.assumable(context.catalog, context.session.user):
        raise errors.role_not_assigned(names.show((role,)))
    context.session.role = role


def _usable(context: Context, kind: str, name: tuple[str, ...]) -> bool:
    """USE works with any privilege on the object."""
    if context.catalog.find(kind, name) is None:
        return False
    permitted = context.access
    return permitted.owns(kind, name) or any(g.role in permitted.all for g in context.catalog.grants_on(kind, name))

"""USE, ALTER SESSION and ALTER ACCOUNT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hanger_lab.snowflake import access, errors, names
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import SET, USE, Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p

SESSION_PARAMETERS = {
    "ABORT_DETACHED_QUERY": p.boolean,
    "AUTOCOMMIT": p.boolean,
    "BINARY_INPUT_FORMAT": p.text,
    "BINARY_OUTPUT_FORMAT": p.text,
    "CLIENT_SESSION_KEEP_ALIVE": p.boolean,
    "DATE_INPUT_FORMAT": p.text,
    "DATE_OUTPUT_FORMAT": p.text,
    "ERROR_ON_NONDETERMINISTIC_MERGE": p.boolean,
    "LOCK_TIMEOUT": p.integer(0, 2**31),
    "MULTI_STATEMENT_COUNT": p.integer(0, 2**31),
    "QUERY_TAG": p.text,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": p.boolean,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": p.integer(0, 604_800),
    "STATEMENT_TIMEOUT_IN_SECONDS": p.integer(0, 604_800),
    "TIMESTAMP_INPUT_FORMAT": p.text,
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": p.text,
    "TIMESTAMP_OUTPUT_FORMAT": p.text,
    "TIMESTAMP_TYPE_MAPPING": p.text,
    "TIMESTAMP_TZ_OUTPUT_FORMAT": p.text,
    "TIMEZONE": p.text,
    "TIME_INPUT_FORMAT": p.text,
    "TIME_OUTPUT_FORMAT": p.text,
    "TRANSACTION_ABORT_ON_ERROR": p.boolean,
    "USE_CACHED_RESULT": p.boolean,
    "WEEK_START": p.integer(0, 7),
}
_FIXED = {
    "AUTOCOMMIT": (True,),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": (False,),
    "TIMEZONE": ("UTC", "Etc/UTC"),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ",),
    "TRANSACTION_ABORT_ON_ERROR": (False, True),
}
_ACCOUNT_PARAMETERS = {
    **SESSION_PARAMETERS,
    "NETWORK_POLICY": p.identifier,
    "RESOURCE_MONITOR": p.identifier,
    "DATA_RETENTION_TIME_IN_DAYS": p.integer(0, 90),
}


def use(parser: Parser, context: Context) -> Result:
    """Run USE after its first word."""
    session = context.session
    if parser.accept("SECONDARY", "ROLES"):
        word = parser.word()
        if word not in ("ALL", "NONE"):
            raise errors.unsupported("USE SECONDARY ROLES with a list")
        parser.end()
        session.secondary = word == "ALL"
        return status(statement_type=USE)
    kind = parser.accept_any(("ROLE", "WAREHOUSE", "DATABASE", "SCHEMA"))
    name = parser.name()
    parser.end()
    if kind == "ROLE":
        _use_role(context, name[-1])
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


def require_known_values(parameters: Properties) -> None:
    """Refuse values of session parameters that would have to change what statements mean and do not."""
    for name, value in parameters.items():
        if name in _FIXED and value not in _FIXED[name]:
            raise errors.unsupported(f"ALTER SESSION SET {name} = {value}")


def at_login(given: Mapping[str, Any]) -> Properties:
    """Read the session parameters of a login; drivers send others that only concern themselves.

    AUTOCOMMIT may be off from the beginning: drivers have an option for it.
    """
    known = {name.upper(): value for name, value in given.items() if name.upper() in SESSION_PARAMETERS}
    found = {name: SESSION_PARAMETERS[name](name, value) for name, value in known.items()}
    require_known_values({name: value for name, value in found.items() if name != "AUTOCOMMIT"})
    return found


def alter_session(parser: Parser, context: Context) -> Result:
    """Run ALTER SESSION after these words."""
    if parser.accept("UNSET"):
        for name in parser.names_list():
            context.session.parameters.pop(name, None)
        parser.end()
        return status(statement_type=SET)
    parser.expect("SET")
    changes = p.checked("SESSION", parser.properties(), SESSION_PARAMETERS)
    parser.end()
    require_known_values(changes)
    context.session.parameters.update(changes)
    return status(statement_type=SET)


def alter_account(parser: Parser, context: Context) -> Result:
    """Run ALTER ACCOUNT after these words."""
    if "ACCOUNTADMIN" not in context.access.primary:
        raise errors.insufficient("account", context.account)
    current = dict(context.catalog.parameters)
    if parser.accept("UNSET"):
        for name in parser.names_list():
            current.pop(name, None)
    else:
        parser.expect("SET")
        current.update(p.checked("ACCOUNT", parser.properties(), _ACCOUNT_PARAMETERS))
    parser.end()
    if "NETWORK_POLICY" in current:
        raise errors.unsupported("ALTER ACCOUNT SET NETWORK_POLICY")
    monitor = current.get("RESOURCE_MONITOR")
    if isinstance(monitor, str) and context.catalog.find("RESOURCE MONITOR", names.split(monitor)) is None:
        raise errors.missing("RESOURCE MONITOR", monitor)
    context.catalog.set_parameters(current)
    return status()


def _use_role(context: Context, role: str) -> None:
    if context.catalog.find("ROLE", (role,)) is None:
        raise errors.unusable()
    if role not in access.assumable(context.catalog, context.session.user):
        raise errors.role_not_assigned(names.show((role,)))
    context.session.role = role


def _usable(context: Context, kind: str, name: tuple[str, ...]) -> bool:
    """USE works with any privilege on the object."""
    if context.catalog.find(kind, name) is None:
        return False
    permitted = context.access
    return permitted.owns(kind, name) or any(g.role in permitted.all for g in context.catalog.grants_on(kind, name))

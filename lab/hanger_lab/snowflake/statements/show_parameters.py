"""SHOW PARAMETERS: the values in force, and on what they were set."""

from __future__ import annotations

from collections.abc import Callable

from hanger_lab.snowflake import names
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Value
from hanger_lab.snowflake.results import Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import parameters as registry
from hanger_lab.snowflake.statements import targets
from hanger_lab.snowflake.statements.parameters import Setting

_COLUMNS = ("key", "value", "default", "level", "description", "type")
_KINDS = ("USER", "WAREHOUSE", "DATABASE", "SCHEMA", "TABLE")


def parameters(parser: Parser, context: Context) -> Result:
    """Run SHOW PARAMETERS [LIKE p] [IN | FOR SESSION | ACCOUNT | USER | WAREHOUSE | DATABASE | SCHEMA | TABLE [x]]."""
    pattern = parser.string() if parser.accept("LIKE") else "%"
    level = "SESSION"
    if parser.accept("IN") or parser.accept("FOR"):
        found = parser.accept_any(("SESSION", "ACCOUNT", *_KINDS))
        if found is None:
            raise parser.fail()
        level = found
    look = _reader(level, parser, context)
    parser.end()
    shown = registry.PARAMETERS if level == "ACCOUNT" else registry.at(level)
    chosen = [shown[name] for name in sorted(shown) if names.like(pattern, name)]
    rows: list[dict[str, Cell]] = [
        {
            "key": parameter.name,
            "value": _written(look(parameter.name).value),
            "default": _written(parameter.default),
            "level": look(parameter.name).level,
            "description": parameter.description,
            "type": parameter.type,
        }
        for parameter in chosen
    ]
    return table(_COLUMNS, rows)


def _reader(level: str, parser: Parser, context: Context) -> Callable[[str], Setting]:
    """Read whose parameters are meant; without a name it is the current user, warehouse, database or schema."""
    if level == "SESSION":
        return lambda name: registry.in_session(context.session, name)
    if level == "ACCOUNT":
        return lambda name: registry.in_account(context.catalog, name)
    session = context.session
    name = _current(level, parser, context) if parser.done else None
    if name is None:
        name = session.qualify(parser.name(), targets.depth_of(level), "SHOW PARAMETERS")
    kind = level
    if level == "TABLE":
        relation = context.catalog.relation(name)
        kind = relation.kind if relation is not None else level
    context.access.require_parents(kind, name)
    own = kind == "USER" and name[0] == session.user
    target = context.catalog.get(kind, name) if own else context.access.require_visible(kind, name)
    return lambda key: registry.effective(context.catalog, target, key)


def _current(level: str, parser: Parser, context: Context) -> Name:
    """Name what is meant where no name follows the kind."""
    session = context.session
    if level in ("DATABASE", "SCHEMA"):
        return session.qualify((), targets.depth_of(level) + 1, "SHOW PARAMETERS")
    current = {"USER": session.user, "WAREHOUSE": session.warehouse}.get(level)
    if current is None:
        raise parser.fail()
    return (current,)


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

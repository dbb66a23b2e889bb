"""SHOW: which objects, filtered by LIKE, IN, STARTS WITH and LIMIT."""

from __future__ import annotations

from dataclasses import dataclass

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import ACCOUNT_OBJECTS, DATABASE_OBJECTS, PLURALS, SCHEMA_OBJECTS, Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import (
    authentication_policy,
    database_role,
    file_format,
    integration,
    network,
    show_empty,
    show_grants,
    show_keys,
    show_parameters,
    show_rows,
    stage,
    tag,
    targets,
    tokens,
)
from hanger_lab.snowflake.statements.views import View

_TERSE = ("created_on", "name", "kind", "database_name", "schema_name")
_VIEWS = {
    **show_rows.VIEWS,
    **network.VIEWS,
    **authentication_policy.VIEWS,
    **tag.VIEWS,
    **integration.VIEWS,
    **stage.VIEWS,
    **file_format.VIEWS,
    **database_role.VIEWS,
}


@dataclass
class Filter:
    """What follows SHOW <objects>."""

    pattern: str | None = None
    scope: Name | None = None
    prefix: str = ""
    limit: int | None = None
    after: str | None = None

    def accepts(self, found: Securable) -> bool:
        """Whether an object passes the filter."""
        name = found.name[-1]
        if self.pattern is not None and not names.like(self.pattern, name):
            return False
        if not name.startswith(self.prefix) or (self.after is not None and name <= self.after):
            return False
        return self.scope is None or found.name[: len(self.scope)] == self.scope


def show(parser: Parser, context: Context) -> Result | None:
    """Run SHOW after its first word; None for the kinds that the data plane answers itself."""
    if parser.accept("FUTURE", "GRANTS"):
        return show_grants.future(parser, context)
    if parser.accept("GRANTS"):
        return show_grants.grants(parser, context)
    if parser.accept("PARAMETERS"):
        return show_parameters.parameters(parser, context)
    if parser.accept_any(tokens.LISTINGS):
        return tokens.show(parser, context)
    terse = parser.accept("TERSE")
    if parser.accept("OBJECTS"):
        return _show(parser, context, ("TABLE", "VIEW"), show_rows.OBJECT, terse=terse)
    if parser.accept("COLUMNS"):
        return _columns(parser, context)
    plural = parser.accept_any(PLURALS)
    if plural is None:
        return _others(parser, context)
    kind = PLURALS[plural]
    if kind == authentication_policy.KIND and parser.accept("ON"):
        return authentication_policy.show_in_force(parser, context)
    if kind not in _VIEWS:
        raise errors.unsupported(f"SHOW {plural}")
    return _show(parser, context, (kind,), _VIEWS[kind], terse=terse)


def read_filter(parser: Parser, context: Context, kind: str) -> Filter:
    """Read LIKE, IN, STARTS WITH and LIMIT."""
    found = Filter()
    parser.accept("HISTORY")
    if parser.accept("LIKE"):
        found.pattern = parser.string()
    found.scope = _read_scope(parser, context, kind)
    if parser.accept("STARTS", "WITH"):
        found.prefix = parser.string()
    if parser.accept("LIMIT"):
        found.limit = parser.integer()
        if parser.accept("FROM"):
            found.after = parser.string()
    parser.end()
    return found


def _show(parser: Parser, context: Context, kinds: tuple[str, ...], view: View, *, terse: bool) -> Result:
    chosen = read_filter(parser, context, kinds[0])
    permitted = context.access
    objects = [o for kind in kinds for o in context.catalog.all(kind) if chosen.accepts(o)]
    objects = sorted((o for o in objects if permitted.lists(o.kind, o.name)), key=lambda o: o.name)
    objects = objects[: chosen.limit] if chosen.limit is not None else objects
    rows = view.rows(context, objects)
    if terse:
        for row, shown in zip(rows, objects, strict=True):
            row.update(_place(shown), kind=row.get("kind") or shown.kind)
    return table(_TERSE if terse else view.columns, rows)


def _place(shown: Securable) -> dict[str, Cell]:
    database = shown.name[0] if len(shown.name) > 1 else None
    schema = shown.name[1] if len(shown.name) > 2 else None
    return {"created_on": shown.created, "database_name": database, "schema_name": schema}


def _read_scope(parser: Parser, context: Context, kind: str) -> Name | None:
    """Read IN; without it the session's database (and schema) is meant, as Snowflake does."""
    session = context.session
    if not parser.accept("IN"):
        if kind in ACCOUNT_OBJECTS or session.database is None:
            return None
        if kind in SCHEMA_OBJECTS and session.schema is not None:
            return (session.database, session.schema)
        return (session.database,)
    if parser.accept("ACCOUNT"):
        return None
    word = parser.accept_any(("DATABASE", "SCHEMA"))
    if parser.done or parser.peek("STARTS") or parser.peek("LIMIT"):
        return session.qualify((), 2 if word == "DATABASE" else 3, "SHOW")
    name = parser.name()
    if word is None:
        word = "DATABASE" if len(name) == 1 and kind in DATABASE_OBJECTS else "SCHEMA"
    name = session.qualify(name, targets.depth_of(word), "SHOW")
    if not context.access.sees(word, name):
        raise errors.unusable()  # not 002003: dbt takes only this number to mean that a schema is not there yet
    return name


def _read_relation(parser: Parser, context: Context) -> Name:
    name = context.session.qualify(parser.name(), 3, "SHOW")
    found = context.catalog.relation(name)
    if found is None or not context.access.sees(found.kind, name):
        raise errors.missing("TABLE", names.show(name))
    return name


def _others(parser: Parser, context: Context) -> Result:
    """Run SHOW for the keys of tables, and for the kinds of which there can be none."""
    kind = parser.accept_any((*show_keys.KINDS, *show_empty.KINDS))
    if kind is None:
        raise errors.unsupported("SHOW " + parser.text.split(None, 1)[-1][:40])
    keys = kind in show_keys.KINDS
    scope: Name | None
    if parser.accept("IN", "TABLE"):
        scope = _read_relation(parser, context)
        parser.end()
    else:
        scope = read_filter(parser, context, "TABLE" if keys or show_empty.is_placed(kind) else "WAREHOUSE").scope
    return show_keys.rows(kind, scope or (), context) if keys else show_empty.nothing(kind)


def _columns(parser: Parser, context: Context) -> Result:
    pattern = parser.string() if parser.accept("LIKE") else None
    scope: Name | None
    if parser.accept("IN", "TABLE") or parser.accept("IN", "VIEW"):
        scope = _read_relation(parser, context)
    else:
        scope = _read_scope(parser, context, "TABLE")
    parser.end()
    relations = [o for kind in ("TABLE", "VIEW") for o in context.catalog.all(kind, within=scope or ())]
    visible = {o.name for o in relations if context.access.lists(o.kind, o.name)}
    rows = [
        row
        for row in context.engine.columns(scope or ())
        if (row["database_name"], row["schema_name"], row["table_name"]) in visible
        and (pattern is None or names.like(pattern, str(row["column_name"])))
    ]
    return table(show_rows.COLUMN_COLUMNS, rows)

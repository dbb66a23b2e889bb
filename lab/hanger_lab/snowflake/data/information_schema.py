"""INFORMATION_SCHEMA: only the views that are filled, and in them only what the roles in force may know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data import tables
from hanger_lab.snowflake.names import Name, quote
from hanger_lab.snowflake.session import Context

SCHEMA = "_fs_information_schema"


@dataclass(frozen=True)
class _View:
    source: str
    key: tuple[str, ...]


_VIEWS = {
    "TABLES": _View("_hanger_tables", ("TABLE_SCHEMA", "TABLE_NAME")),
    "COLUMNS": _View("_fs_columns", ("TABLE_SCHEMA", "TABLE_NAME")),
    "VIEWS": _View("_fs_views", ("TABLE_SCHEMA", "TABLE_NAME")),
    "SCHEMATA": _View("_fs_schemata", ("SCHEMA_NAME",)),
    "DATABASES": _View("databases", ("DATABASE_NAME",)),
}


def extension(database: str) -> str:
    """Write the SQL that completes fakesnow's views of a database: TABLES has views among its rows."""
    place, literal = f"{quote(database)}.{SCHEMA}", database.replace("'", "''")
    return (
        f"CREATE VIEW IF NOT EXISTS {place}._hanger_tables AS SELECT * FROM {place}._fs_tables UNION ALL BY NAME "  # noqa: S608
        'SELECT database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", view_name AS "TABLE_NAME", '
        "'VIEW' AS \"TABLE_TYPE\" FROM duckdb_views() "
        f"WHERE database_name = '{literal}' AND NOT internal AND schema_name <> '{SCHEMA}'"
    )


def confine(expression: exp.Expr, context: Context) -> None:
    """Replace every view of INFORMATION_SCHEMA by its rows about visible objects."""
    for table in list(tables.sources(expression)):
        written = tables.written(table)
        if tables.INFORMATION_SCHEMA not in (written[-2:-1] or (context.session.schema,)):
            continue
        name = tables.resolve(table, context.session, "SELECT")
        view = _VIEWS.get(name[2])
        if view is None:
            raise errors.missing("TABLE", names.show(name))
        table.replace(_rows(name, view, table.alias or table.name, context))


def _rows(name: Name, view: _View, alias: str, context: Context) -> exp.Subquery:
    parts = [exp.to_identifier(part, quoted=True) for part in (view.source, SCHEMA, name[0])]
    query = exp.select("*").from_(exp.Table(this=parts[0], db=parts[1], catalog=parts[2]))
    if not context.access.manages_grants:
        columns = [exp.column(exp.to_identifier(column, quoted=True)) for column in view.key]
        known = [
            exp.Tuple(expressions=[exp.Literal.string(p) for p in key]) for key in _visible(name[0], view, context)
        ]
        if not known:
            query = query.where(exp.false())
        else:
            query = query.where(exp.In(this=exp.Tuple(expressions=columns), expressions=known))
    return query.subquery(exp.to_identifier(alias.upper() if alias.islower() else alias, quoted=True))


def _visible(database: str, view: _View, context: Context) -> Iterable[Name]:
    access, catalog = context.access, context.catalog
    if view.key == ("DATABASE_NAME",):
        return [o.name for o in catalog.all("DATABASE") if access.lists("DATABASE", o.name)]
    if view.key == ("SCHEMA_NAME",):
        found = [o.name[1:] for o in catalog.all("SCHEMA", (database,)) if access.lists("SCHEMA", o.name)]
        return [*found, ("INFORMATION_SCHEMA",)]
    return [
        o.name[1:] for kind in ("TABLE", "VIEW") for o in catalog.all(kind, (database,)) if access.lists(kind, o.name)
    ]

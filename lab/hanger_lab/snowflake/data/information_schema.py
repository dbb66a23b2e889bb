"""INFORMATION_SCHEMA: only the views that are filled, and in them only what the roles in force may know."""

from __future__ import annotations

from sqlglot import exp

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data import account_usage, catalog_tables, tables
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context

SCHEMA = "_fs_information_schema"


ACCOUNT_USAGE: Name = ("SNOWFLAKE", "ACCOUNT_USAGE")


def covers(name: Name) -> bool:
    """Whether a full name belongs to one of the two schemas of views about the account."""
    return name[1] == tables.INFORMATION_SCHEMA or name[:2] == ACCOUNT_USAGE


def require(name: Name, context: Context) -> None:
    """Require the right to read the schema's views.

    INFORMATION_SCHEMA is for whoever knows the database; ACCOUNT_USAGE for ACCOUNTADMIN and holders of the privileges
    of the shared database.
    """
    access = context.access
    if name[:2] == ACCOUNT_USAGE:
        if "ACCOUNTADMIN" not in access.all and not access.holds("USAGE", "DATABASE", name[:1]):
            raise errors.missing("DATABASE", names.show(name[:1]))
    elif not access.sees("DATABASE", name[:1]):
        raise errors.missing("DATABASE", names.show(name[:1]))


def confine(expression: exp.Expr, context: Context) -> None:
    """Replace every such view by its rows, in INFORMATION_SCHEMA those about visible objects."""
    for table in list(tables.sources(expression)):
        written = tables.written(table)
        if len(written) < 3 and tables.INFORMATION_SCHEMA not in (*written[-2:-1], context.session.schema):
            continue
        name = tables.resolve(table, context.session, "SELECT")
        if covers(name):
            table.replace(_rows(name, table.alias or table.name, context))


def _rows(name: Name, alias: str, context: Context) -> exp.Subquery:
    known = account_usage.TABLES if name[:2] == ACCOUNT_USAGE else catalog_tables.INFORMATION_SCHEMA
    if name[1:] == (tables.INFORMATION_SCHEMA, "COLUMNS"):
        query = _columns(name[0], context)
    elif name[2] in known:
        place = f"_hanger_{name[1]}_{name[2]}_{len(name[0])}_{name[0]}".lower()
        context.session.connection.duck.register(place, catalog_tables.table(known, name[2], context, name[0]))
        query = _from(place, "main", "temp")
    else:
        raise errors.missing("TABLE", names.show(name))
    return query.subquery(exp.to_identifier(alias.upper() if alias.islower() else alias, quoted=True))


def _columns(database: str, context: Context) -> exp.Select:
    """COLUMNS is DuckDB's, without the rows about what the roles in force may not know."""
    query = _from("_fs_columns", SCHEMA, database)
    if context.access.manages_grants:
        return query
    known = [
        exp.Tuple(expressions=[exp.Literal.string(part) for part in found.name[1:]])
        for kind in ("TABLE", "VIEW")
        for found in context.catalog.all(kind, (database,))
        if context.access.lists(kind, found.name)
    ]
    if not known:
        return query.where(exp.false())
    key = [exp.column(exp.to_identifier(column, quoted=True)) for column in ("TABLE_SCHEMA", "TABLE_NAME")]
    return query.where(exp.In(this=exp.Tuple(expressions=key), expressions=known))


def _from(table: str, schema: str, database: str) -> exp.Select:
    parts = [exp.to_identifier(part, quoted=True) for part in (table, schema, database)]
    return exp.select("*").from_(exp.Table(this=parts[0], db=parts[1], catalog=parts[2]))

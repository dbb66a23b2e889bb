"""Completes DESCRIBE TABLE with what fakesnow leaves out: keys, and comments on columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlglot import exp

from hanger_lab.snowflake.data import keys, tables
from hanger_lab.snowflake.names import Name, quote
from hanger_lab.snowflake.session import Context


def complete(described: pa.Table, name: Name, context: Context) -> pa.Table:
    """Return the rows of DESCRIBE with `primary key`, `unique key` and `comment` filled in."""
    found = context.catalog.find("TABLE", name)
    kept = keys.of(found) if found is not None else []
    marks: dict[str, list[Any]] = {
        label: [
            "Y" if any(k.kind == kind and column in k.columns for k in kept) else "N" for column in _names(described)
        ]
        for label, kind in (("primary key", "PRIMARY KEY"), ("unique key", "UNIQUE"))
    }
    comments = context.session.connection.duck.execute(
        "SELECT column_name, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        list(name),
    ).fetchall()
    known = dict(comments)
    marks["comment"] = [known.get(column) for column in _names(described)]
    for label, values in marks.items():
        index = described.column_names.index(label)
        described = described.set_column(index, label, pa.array(values, pa.string()))
    return described


def column_comments(statement: exp.Expr) -> dict[str, str]:
    """Read the comments that a CREATE gives to columns; fakesnow would drop them."""
    schema = statement.this if isinstance(statement, exp.Create) else None
    found: dict[str, str] = {}
    for column in schema.expressions if isinstance(schema, exp.Schema) else []:
        comment = column.find(exp.CommentColumnConstraint) if isinstance(column, exp.ColumnDef) else None
        if comment is not None:
            found[tables.fold(column.this) or ""] = comment.this.name
    return found


def keep_comments(comments: dict[str, str], name: Name, context: Context) -> None:
    """Write comments on the columns of a table or view."""
    path = ".".join(quote(part) for part in name)
    for column, comment in comments.items():
        literal = comment.replace("'", "''")
        context.session.connection.duck.execute(f"COMMENT ON COLUMN {path}.{quote(column)} IS '{literal}'")


def _names(described: pa.Table) -> list[str]:
    return [str(name) for name in described.column("name").to_pylist()]

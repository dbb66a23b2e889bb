"""Parquet files on a stage: what COPY INTO selects from them, and INFER_SCHEMA.

docs.snowflake.com/en/sql-reference/functions/infer_schema
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot.errors
from sqlglot import exp

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.data import stages
from hanger_lab.snowflake.lexer import Kind
from hanger_lab.snowflake.names import quote
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.session import Context

_REAL = ("FLOAT", "DOUBLE", "REAL")


@dataclass(frozen=True)
class Field:
    """`$1:name[::type]` of a COPY's query."""

    name: str
    type: str | None

    def expression(self, target: str) -> str:
        """Write the field in DuckDB's SQL, for a column of a type."""
        own = quote(self.name)
        inner = f"CAST({own} AS {self.type})" if self.type else own
        return f"CAST({inner} AS {target})"


def read_fields(parser: Parser) -> list[Field]:
    """Read `SELECT $1:a::T, $1:b ...` up to FROM."""
    parser.expect("SELECT")
    found = [_field(parser)]
    while parser.symbol(","):
        found.append(_field(parser))
    return found


def reader(path: Path) -> str:
    """Write the file as a source in DuckDB's SQL."""
    literal = str(path).replace("'", "''")
    return f"read_parquet('{literal}')"


def replace_inferences(expression: exp.Expr, context: Context) -> None:
    """Replace TABLE(INFER_SCHEMA(LOCATION => '@stage', FILE_FORMAT => '...')) by the columns of the stage's files."""
    for source in list(expression.find_all(exp.TableFromRows)):
        call = source.this
        if not isinstance(call, exp.Anonymous) or call.name.upper() != "INFER_SCHEMA":
            continue
        given = {a.this.name.upper(): a.expression.name for a in call.expressions if isinstance(a, exp.Kwarg)}
        if set(given) != {"LOCATION", "FILE_FORMAT"}:
            raise errors.unsupported(f"INFER_SCHEMA with {', '.join(sorted(given))}")
        location = stages.read_location(given["LOCATION"], context.session)
        stages.require(location, "READ", context)
        duck = context.session.connection.duck
        place = "_hanger_infer_schema"
        duck.register(place, _infer([path for _, path in stages.files(location, context.engine)], duck))
        parts = [exp.to_identifier(part, quoted=True) for part in (place, "main", "temp")]
        table = exp.Table(this=parts[0], db=parts[1], catalog=parts[2])
        table.set("alias", source.args.get("alias") or exp.TableAlias(this=exp.to_identifier("INFER_SCHEMA")))
        source.replace(table)


def _infer(paths: list[Path], duck: duckdb.DuckDBPyConnection) -> pa.Table:
    columns: dict[str, str] = {}
    for path in paths:
        try:
            rows: list[Any] = duck.execute(f"DESCRIBE SELECT * FROM {reader(path)}").fetchall()  # noqa: S608
        except duckdb.Error:
            raise errors.unsupported(f"INFER_SCHEMA of {path.name}, which is not Parquet") from None
        for row in rows:
            columns.setdefault(row[0], _snowflake(row[1]))
    rows = [
        {
            "COLUMN_NAME": name,
            "TYPE": kind,
            "NULLABLE": True,
            "EXPRESSION": f"$1:{name}::{kind}",
            "FILENAMES": ", ".join(path.name for path in paths),
            "ORDER_ID": order,
        }
        for order, (name, kind) in enumerate(columns.items())
    ]
    texts = [(name, pa.string()) for name in ("COLUMN_NAME", "TYPE", "EXPRESSION", "FILENAMES")]
    return pa.Table.from_pylist(rows, schema=pa.schema([*texts, ("NULLABLE", pa.bool_()), ("ORDER_ID", pa.int64())]))


def _snowflake(kind: str) -> str:
    known = {
        "BOOLEAN": "BOOLEAN",
        "DATE": "DATE",
        "DOUBLE": "REAL",
        "FLOAT": "REAL",
        "TIME": "TIME",
        "VARCHAR": "TEXT",
        "BLOB": "BINARY",
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ",
    }
    if kind in known:
        return known[kind]
    if kind.startswith("TIMESTAMP"):
        return "TIMESTAMP_NTZ"
    if kind.startswith("DECIMAL"):
        return kind.replace("DECIMAL", "NUMBER")
    return "NUMBER(38, 0)" if kind.rstrip("INT") in ("", "BIG", "SMALL", "TINY", "U", "UBIG", "HUGE") else "VARIANT"


def _field(parser: Parser) -> Field:
    parser.expect_symbol("$")
    if parser.integer() != 1:
        raise errors.unsupported("a column of a file other than $1")
    parser.expect_symbol(":")
    token = parser.current
    plain = token is not None and token.kind is Kind.WORD
    name = token.value if token is not None and plain else parser.identifier()
    if plain:
        parser.position += 1
    kind = _cast(parser) if parser.symbol(":") else None
    if parser.accept("AS"):
        parser.identifier()
    return Field(name, kind)


def _cast(parser: Parser) -> str:
    parser.expect_symbol(":")
    start = parser.current
    parser.word()
    if parser.symbol("("):
        while not parser.symbol(")"):
            parser.integer()
            parser.symbol(",")
    text = parser.text[start.start : parser.tokens[parser.position - 1].end] if start is not None else ""
    return _duckdb(text)


def _duckdb(text: str) -> str:
    if text.upper() in _REAL:
        return "DOUBLE"
    try:
        return exp.DataType.build(text, dialect="snowflake").sql(dialect="duckdb")
    except (ValueError, sqlglot.errors.SqlglotError):
        raise errors.syntax(text) from None

"""COPY INTO <table> from CSV files on an internal stage."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data import authorize, parquet, stages, transactions
from hanger_lab.snowflake.data.csv_format import CsvFormat
from hanger_lab.snowflake.data.engine import LOADS
from hanger_lab.snowflake.data.patience import Patient
from hanger_lab.snowflake.names import Name, quote
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import COPY, Cell, Result, status, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import file_format as formats

_COLUMNS = (
    "file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen", "first_error", "first_error_line",
    "first_error_character", "first_error_column_name",
)  # fmt: skip


@dataclass
class Copy:
    """One COPY INTO, read."""

    target: Name
    columns: list[str]
    location: stages.Location
    files: list[str] | None
    pattern: str | None
    format: CsvFormat
    purge: bool
    force: bool
    fields: list[parquet.Field] | None = None


def copy_into(text: str, context: Context) -> Result:
    """Run COPY INTO a table."""
    parser = Parser(text)
    parser.expect("COPY", "INTO")
    if not parser.done and text[parser.tokens[parser.position].start] in "@'":
        raise errors.unsupported("COPY INTO <location>")
    copy = _read(parser, context)
    with context.catalog.read():
        authorize.require_relation(copy.target, "INSERT", context)
        stages.require(copy.location, "READ", context)
        authorize.require_warehouse(context)
    found = _chosen(copy, context)
    if not found:
        return status("Copy executed with 0 files processed.", COPY)
    connection = context.session.connection
    transactions.require_healthy(connection)
    transactions.before_change(context.session)
    own = not connection.in_transaction
    if own:
        connection.duck.begin()
    rows = [_load(copy, inside, path, connection.duck) for inside, path in found]
    if own:
        connection.duck.commit()
    if copy.purge:
        for _, path in found:
            path.unlink(missing_ok=True)
    return table(_COLUMNS, rows, COPY)


def forget_loads(name: Name, context: Context) -> None:
    """A table that was created anew has loaded nothing."""
    duck = Patient(context.session.connection)
    duck.execute(f"DELETE FROM {quote(name[0])}.{LOADS} WHERE schema_name = ? AND table_name = ?", list(name[1:]))  # noqa: S608


def _read(parser: Parser, context: Context) -> Copy:
    target = context.session.qualify(parser.name(), 3, "COPY")
    columns: list[str] = []
    if parser.symbol("("):
        columns.append(parser.identifier())
        while parser.symbol(","):
            columns.append(parser.identifier())
        parser.expect_symbol(")")
    fields: list[parquet.Field] | None = None
    location = stages.Location("TABLE", target)
    if parser.accept("FROM"):
        if parser.symbol("("):
            fields = parquet.read_fields(parser)
            parser.expect("FROM")
            location = _location(parser, context)
            parser.expect_symbol(")")
        else:
            location = _location(parser, context)
    options, file_format = _options(parser)
    stage = context.catalog.find("STAGE", location.name) if location.kind == "STAGE" else None
    file_format = formats.chosen(file_format, stage, context)
    kind = str(file_format.get("TYPE", "CSV")).upper()
    parquet_file = kind == "PARQUET" and fields is not None and len(fields) == len(columns)
    if not ((kind == "CSV" and fields is None) or parquet_file) or "FORMAT_NAME" in file_format:
        raise errors.unsupported(f"COPY INTO with FILE_FORMAT = ({next(iter(file_format.items()))})")
    on_error = str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper()
    if on_error != "ABORT_STATEMENT":
        raise errors.unsupported(f"ON_ERROR = {on_error}")
    files = options.get("FILES")
    return Copy(
        target,
        columns,
        location,
        [str(file) for file in files] if isinstance(files, list) else None,
        str(options["PATTERN"]) if "PATTERN" in options else None,
        CsvFormat.read({} if parquet_file else file_format),
        options.get("PURGE") is True,
        options.get("FORCE") is True,
        fields,
    )


def _location(parser: Parser, context: Context) -> stages.Location:
    """Read the location as text: it ends at the first blank outside quotes."""
    token = parser.current
    if token is None:
        raise parser.fail()
    match = re.compile(r"""'(?:[^']|'')*'|@(?:"(?:[^"]|"")*"|[^\s"'(),;])+""").match(parser.text, token.start)
    if match is None:
        raise parser.fail()
    while (token := parser.current) is not None and token.start < match.end():
        parser.position += 1
    text = match.group()
    if not text.lstrip("'").startswith("@"):
        raise errors.unsupported("COPY INTO from an external location")
    return stages.read_location(text, context.session)


def _options(parser: Parser) -> tuple[Properties, Properties]:
    options: Properties = {}
    file_format: Properties = {}
    known = ("FILES", "PATTERN", "ON_ERROR", "PURGE", "FORCE", "SIZE_LIMIT", "RETURN_FAILED_ONLY", "ENFORCE_LENGTH")
    while not parser.done:
        if parser.accept("FILE_FORMAT"):
            parser.expect_symbol("=")
            parser.expect_symbol("(")
            file_format = parser.properties()
            parser.expect_symbol(")")
            continue
        name = parser.word()
        if name not in known:
            raise errors.unsupported(f"COPY INTO with {name}")
        parser.expect_symbol("=")
        options[name] = parser.value()
    return options, file_format


def _chosen(copy: Copy, context: Context) -> list[tuple[str, Path]]:
    available = list(stages.files(copy.location, context.engine))
    if copy.files is not None:
        prefix = (
            copy.location.path
            if not copy.location.path or copy.location.path.endswith("/")
            else copy.location.path + "/"
        )
        wanted = {prefix + file for file in copy.files}
        absent = wanted - {inside for inside, _ in available}
        if absent:
            raise errors.SnowflakeError(
                91016,
                "22000",
                f"Remote file '{min(absent)}' was not found. If you are running a copy command, "
                "please make sure files are not deleted when they are being loaded.",
            )
        available = [(inside, path) for inside, path in available if inside in wanted]
    if copy.pattern is not None:
        expression = re.compile(copy.pattern)
        available = [(inside, path) for inside, path in available if expression.fullmatch(inside)]
    return available


def _load(copy: Copy, inside: str, path: Path, duck: duckdb.DuckDBPyConnection) -> dict[str, Cell]:
    """Load one file, unless the same content was loaded into the table before."""
    shown = f"{copy.location.name[2].lower()}/{inside}" if copy.location.kind == "STAGE" else inside
    row: dict[str, Cell] = {"file": shown, "first_error": None, "error_limit": 1, "errors_seen": 0}
    loads = f"{quote(copy.target[0])}.{LOADS}"
    key = [*copy.target[1:], shown, _digest(path)]
    seen = duck.execute(
        f"SELECT 1 FROM {loads} WHERE schema_name = ? AND table_name = ? AND file_name = ? AND digest = ?",  # noqa: S608
        key,
    ).fetchone()
    if seen and not copy.force:
        return {
            **row,
            "status": "LOAD_SKIPPED",
            "rows_parsed": 0,
            "rows_loaded": 0,
            "first_error": "File was loaded before.",
        }
    loaded = _insert(copy, path, duck)
    duck.execute(f"INSERT INTO {loads} VALUES (?, ?, ?, ?)", key)  # noqa: S608
    return {**row, "status": "LOADED", "rows_parsed": loaded, "rows_loaded": loaded}


def _insert(copy: Copy, path: Path, duck: duckdb.DuckDBPyConnection) -> int:
    if path.stat().st_size == 0:
        return 0
    columns = _target_columns(copy, duck)
    if copy.fields is None:
        fields = [copy.format.expression(index, kind) for index, (_, kind) in enumerate(columns)]
        source = copy.format.reader(str(path), len(columns))
    else:
        fields = [field.expression(kind) for field, (_, kind) in zip(copy.fields, columns, strict=True)]
        source = parquet.reader(path)
    written = ", ".join(quote(column) for column, _ in columns)
    target = ".".join(quote(part) for part in copy.target)
    text = f"INSERT INTO {target} ({written}) SELECT {', '.join(fields)} FROM {source}"  # noqa: S608
    try:
        found = duck.execute(text).fetchone()
    except duckdb.ConversionException as problem:
        raise errors.SnowflakeError(100038, "22018", str(problem).splitlines()[0]) from problem
    except duckdb.InvalidInputException as problem:
        raise errors.SnowflakeError(100080, "22000", _explain(str(problem), path)) from problem
    return int(found[0]) if found else 0


def _target_columns(copy: Copy, duck: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows: list[Any] = duck.execute(f"DESCRIBE {'.'.join(quote(part) for part in copy.target)}").fetchall()
    types = {row[0]: row[1] for row in rows}
    if not copy.columns:
        return list(types.items())
    for column in copy.columns:
        if column not in types:
            raise errors.SnowflakeError(
                904, "42000", f"SQL compilation error:\ninvalid identifier '{names.show((column,))}'"
            )
    return [(column, types[column]) for column in copy.columns]


def _explain(problem: str, path: Path) -> str:
    lines = [line for line in problem.splitlines() if line.strip()]
    return f"{' '.join(lines[:3])[:400]}\n  File '{path.name}'"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

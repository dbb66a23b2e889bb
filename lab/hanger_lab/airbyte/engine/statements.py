# ruff: noqa: S608  (every name and value is quoted by this module)
"""Snowflake's statements, made by pure functions: names in capitals and quoted, as Airbyte's direct load has them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from hanger_lab.airbyte.engine.model import Column, Stream

META_COLUMNS = (
    ("_AIRBYTE_RAW_ID", "VARCHAR NOT NULL"),
    ("_AIRBYTE_EXTRACTED_AT", "TIMESTAMP_TZ NOT NULL"),
    ("_AIRBYTE_META", "VARIANT NOT NULL"),
    ("_AIRBYTE_GENERATION_ID", "NUMBER"),
)
FILE_FORMAT = (
    "FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP FIELD_DELIMITER = ',' FIELD_OPTIONALLY_ENCLOSED_BY = '\"' "
    "ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = () EMPTY_FIELD_AS_NULL = TRUE)"
)
PLAIN = re.compile(r"[^A-Z0-9_]")


def name(text: str) -> str:
    """Return an identifier in capitals, quoted."""
    return '"' + text.upper().replace('"', '""') + '"'


def exact(text: str) -> str:
    """Return an identifier as it is, quoted."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def qualified(*parts: str) -> str:
    """Return a name of several parts."""
    return ".".join(name(part) for part in parts)


def temporary_name(connection_id: str, stream: Stream) -> str:
    """Return the name of the table that a stream is loaded into first, a plain identifier.

    It is always the same, so that the next run replaces what a crash left.
    """
    digest = hashlib.sha256(f"{connection_id}/{stream.label}".encode()).hexdigest()[:12].upper()
    return f"_AIRBYTE_TMP_{PLAIN.sub('_', stream.target[1].upper())[:60]}_{digest}"


def table_stage(database: str, schema: str, table: str) -> str:
    """Return the stage that every table has, for a table whose name is a plain identifier."""
    return literal(f"@{qualified(database, schema)}.%{table}")


def column_names(columns: Sequence[Column]) -> list[str]:
    """Return the names of a table's columns, Airbyte's own first."""
    return [meta for meta, _ in META_COLUMNS] + [column.name.upper() for column in columns]


def create_table(table: str, columns: Sequence[Column], retention_days: int | None = None) -> str:
    """Return the statement that creates a table, or replaces it, with Airbyte's columns in front."""
    parts = [f"{exact(meta)} {kind}" for meta, kind in META_COLUMNS]
    parts += [f"{name(column.name)} {column.target_type}" for column in columns]
    suffix = "" if retention_days is None else f" DATA_RETENTION_TIME_IN_DAYS = {retention_days}"
    return f"CREATE OR REPLACE TABLE {table} ({', '.join(parts)}){suffix}"


def add_column(table: str, column: Column) -> str:
    """Return the statement that adds a column."""
    return f"ALTER TABLE {table} ADD COLUMN {name(column.name)} {column.target_type}"


def put(file: Path, stage: str) -> str:
    """Return the statement that uploads a compressed file to a stage."""
    source = literal(f"file://{file}")
    return f"PUT {source} {stage} AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = GZIP OVERWRITE = TRUE"


def copy(table: str, stage: str, columns: Sequence[Column]) -> str:
    """Return the statement that loads the files of a stage and removes them."""
    names = ", ".join(exact(column) for column in column_names(columns))
    return f"COPY INTO {table} ({names}) FROM {stage} {FILE_FORMAT} ON_ERROR = ABORT_STATEMENT PURGE = TRUE"


def insert(target: str, source: str, columns: Sequence[Column]) -> str:
    """Return the statement that appends all rows of a table to another."""
    names = ", ".join(exact(column) for column in column_names(columns))
    return f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}"


def insert_deduplicated(target: str, source: str, columns: Sequence[Column], stream: Stream) -> str:
    """Return the statement that appends the newest row of each key."""
    names = ", ".join(exact(column) for column in column_names(columns))
    return f"INSERT INTO {target} ({names}) SELECT {names} FROM ({_newest(source, names, stream)})"


def merge(target: str, source: str, columns: Sequence[Column], stream: Stream) -> str:
    """Return the statement that updates rows by key where the new one is newer, and inserts the others."""
    names = column_names(columns)
    listed = ", ".join(exact(column) for column in names)
    on = " AND ".join(_same_key(name(key)) for key in stream.primary_key)
    changes = ", ".join(f"{exact(column)} = new_record.{exact(column)}" for column in names)
    values = ", ".join(f"new_record.{exact(column)}" for column in names)
    return (
        f"MERGE INTO {target} AS target_table USING ({_newest(source, listed, stream)}) AS new_record ON {on} "
        f"WHEN MATCHED AND ({_is_newer(stream)}) THEN UPDATE SET {changes} "
        f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({values})"
    )


def _same_key(key: str) -> str:
    return f"(target_table.{key} = new_record.{key} OR (target_table.{key} IS NULL AND new_record.{key} IS NULL))"


def _newest(source: str, names: str, stream: Stream) -> str:
    keys = ", ".join(name(key) for key in stream.primary_key)
    order = f"{name(stream.cursor)} DESC NULLS LAST, " if stream.cursor else ""
    numbered = (
        f'ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {order}"_AIRBYTE_EXTRACTED_AT" DESC) AS "_AIRBYTE_ROW_NUMBER"'
    )
    return f'SELECT {names} FROM (SELECT {names}, {numbered} FROM {source}) WHERE "_AIRBYTE_ROW_NUMBER" = 1'


def _is_newer(stream: Stream) -> str:
    later = 'target_table."_AIRBYTE_EXTRACTED_AT" < new_record."_AIRBYTE_EXTRACTED_AT"'
    if not stream.cursor:
        return later
    cursor = name(stream.cursor)
    old, new = f"target_table.{cursor}", f"new_record.{cursor}"
    return (
        f"{old} < {new} OR ({old} = {new} AND {later}) OR ({old} IS NULL AND {new} IS NULL AND {later}) "
        f"OR ({old} IS NULL AND {new} IS NOT NULL)"
    )

"""The DuckDB process behind the account: files, databases, schemas, and what they contain."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from fakesnow import info_schema, macros
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show as fakesnow_show
from fakesnow.transforms import stage as fakesnow_stage

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data import folders, patches
from hanger_lab.snowflake.data.kept import Kept
from hanger_lab.snowflake.names import Name, quote

_INTERNAL_SCHEMAS = ("main", "_fs_information_schema", "information_schema", "pg_catalog")
LOADS = "_fs_information_schema._hanger_loads"
_PLACEHOLDER = "hanger_catalog_placeholder"


class _Results(dict[str, Any]):
    """Keeps nothing: what a session may ask for again is in Connection.kept."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Forget the result."""


class _Instance(FakeSnow):
    """A fakesnow instance whose account-wide metadata lives in a file."""

    def __init__(self, metadata: Path) -> None:
        self.create_database_on_connect = False
        self.create_schema_on_connect = False
        self.db_path = None
        self.nop_regexes = None
        self.results_cache = _Results()
        self.duck_conn = duckdb.connect(":memory:", config={"lambda_syntax": "ENABLE_SINGLE_ARROW"})
        self.duck_conn.execute(f"ATTACH '{_literal(str(metadata))}' AS {GLOBAL_DATABASE_NAME}")
        self.duck_conn.execute(info_schema.fs_global_creation_sql())
        self.duck_conn.execute(fakesnow_show.fs_global_creation_sql())
        self.duck_conn.execute(macros.creation_sql("memory"))  # for sessions without a database
        self.duck_conn.execute("SET GLOBAL TimeZone = 'UTC'")


class Connection:
    """One session's connection; it carries out one statement at a time."""

    def __init__(self, fake: FakeSnowflakeConnection) -> None:
        self.fake = fake
        self.duck: duckdb.DuckDBPyConnection = fake._duck_conn
        self.in_transaction = False
        self.aborted = False
        fake.results_cache = _Results()
        self.kept = Kept()
        self.temporary: list[tuple[str, Name]] = []
        self._place: tuple[str | None, str | None] = (None, None)

    def use(self, database: str | None, schema: str | None) -> None:
        """Make unqualified names mean this database and schema."""
        if (database, schema) == self._place:
            return
        fake_schema = "_FS_INFORMATION_SCHEMA" if schema == "INFORMATION_SCHEMA" else schema
        self.fake.database, self.fake._schema = database, fake_schema
        self.fake.database_set, self.fake.schema_set = database is not None, schema is not None
        inner = "main" if schema is None else "_fs_information_schema" if schema == "INFORMATION_SCHEMA" else schema
        target = f"{quote(database)}.{quote(inner)}" if database is not None else "memory.main"
        self.duck.execute(f"SET schema = '{_literal(target)}'")
        self._place = (database, schema)

    def forget_temporary(self, name: Name) -> None:
        """Note that a temporary object is gone."""
        self.temporary = [(kind, kept) for kind, kept in self.temporary if kept != name]

    def close(self) -> None:
        """Give the connection back; an open transaction is rolled back."""
        self.duck.close()


class Engine:
    """All databases of the account."""

    def __init__(self, directory: Path) -> None:
        patches.apply()
        directory = directory.resolve()
        self._databases = directory / "databases"
        self.stages = directory / "stages"
        for folder in (self._databases, self.stages):
            folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            Path(fakesnow_stage.LOCAL_BUCKET_PATH).rmdir()  # importing fakesnow makes one in /tmp and leaves it there
        fakesnow_stage.LOCAL_BUCKET_PATH = str(directory / "nothing")  # it removes directories named like stages
        self._instance = _Instance(directory / "metadata.duckdb")
        self._confine(directory)
        self._lock = threading.Lock()
        self.definitions = threading.Lock()
        words = self._rows("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'")
        self.reserved_words = frozenset(row[0] for row in words)

    def connect(self) -> Connection:
        """Open a connection for a session."""
        with self._lock:
            return Connection(self._instance.connect())

    def attach(self, database: str) -> None:
        """Open a database that the catalogue knows."""
        self._open(database)
        self._complete(database)

    def create_database(self, database: str) -> None:
        """Create an empty database; names that differ only in case share a file in DuckDB and are refused."""
        taken = {row[0].lower() for row in self._rows("SELECT database_name FROM duckdb_databases()")}
        if database.lower() in taken:
            raise errors.unsupported(f"a database named {names.show((database,))} beside one that differs only by case")
        self._remove_files(database)
        self._open(database)
        try:
            for script in (info_schema.per_db_creation_sql(_PLACEHOLDER), macros.creation_sql(_PLACEHOLDER)):
                text = script.replace(f"'{_PLACEHOLDER}'", f"'{_literal(database)}'")
                self._run(text.replace(_PLACEHOLDER, quote(database)))
            self._complete(database)
        except Exception:
            self.drop_database(database)
            raise

    def drop_database(self, database: str) -> None:
        """Remove a database and its files."""
        self._run("USE memory")
        self._run(f"DETACH DATABASE IF EXISTS {quote(database)}")
        self._remove_files(database)
        self._forget(f"database_name = '{_literal(database)}'")
        folders.remove(self.stages, self.stages / folders.folder(database))

    def create_schema(self, schema: Name) -> None:
        """Create a schema."""
        try:
            self._run(f"CREATE SCHEMA {_path(schema)}")
        except duckdb.CatalogException:
            raise errors.unsupported(
                f"a schema named {names.show(schema)} beside one that differs only by case"
            ) from None

    def drop_schema(self, schema: Name) -> None:
        """Remove a schema and everything in it."""
        self._run(f"DROP SCHEMA IF EXISTS {_path(schema)} CASCADE")
        self._forget(f"database_name = '{_literal(schema[0])}' AND schema_name = '{_literal(schema[1])}'")
        folders.remove(self.stages, self.stages / folders.folder(schema[0]) / folders.folder(schema[1]))

    def drop_relation(self, kind: str, name: Name) -> None:
        """Remove a table or view."""
        self._run(f"DROP {kind} IF EXISTS {_path(name)}")

    def databases(self) -> list[str]:
        """List the attached databases."""
        found = self._rows("SELECT database_name FROM duckdb_databases() WHERE NOT internal")
        return [row[0] for row in found if row[0] not in ("memory", GLOBAL_DATABASE_NAME)]

    def contents(self) -> dict[Name, str]:
        """Map every schema, table and view that exists to its kind."""
        found: dict[Name, str] = {}
        for kind, query in (
            ("SCHEMA", "SELECT database_name, schema_name, NULL FROM duckdb_schemas()"),
            ("TABLE", "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT temporary"),
            ("VIEW", "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal"),
        ):
            for database, schema, name in self._rows(query):
                if (
                    database not in ("memory", "system", "temp", GLOBAL_DATABASE_NAME)
                    and schema not in _INTERNAL_SCHEMAS
                ):
                    found[(database, schema) if name is None else (database, schema, name)] = kind
        return found

    def row_counts(self) -> dict[Name, int]:
        """Map every table to DuckDB's count of its rows."""
        rows = self._rows("SELECT database_name, schema_name, table_name, estimated_size FROM duckdb_tables()")
        return {(row[0], row[1], row[2]): int(row[3]) for row in rows}

    def comments(self) -> dict[Name, str]:
        """Map tables to their comments."""
        rows = self._rows(f"SELECT * FROM {GLOBAL_DATABASE_NAME}._fs_information_schema._fs_tables_ext")  # noqa: S608
        return {(row[0], row[1], row[2]): row[3] for row in rows if row[3]}

    def view_text(self, name: Name) -> str | None:
        """Return the text of a view as DuckDB keeps it."""
        rows = self._rows(
            "SELECT sql FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?", name
        )
        return rows[0][0] if rows else None

    def columns(self, scope: Name) -> list[dict[str, Any]]:
        """Return SHOW COLUMNS rows of the tables and views inside a scope, column by column."""
        where = " AND ".join(
            f"{column} = ?" for column, _ in zip(("database_name", "schema_name", "table_name"), scope, strict=False)
        )
        query = f"SELECT * FROM {GLOBAL_DATABASE_NAME}._fs_information_schema._fs_show_columns WHERE {where or 'true'}"  # noqa: S608
        with self._instance.duck_conn.cursor() as cursor:
            cursor.execute(query, list(scope))
            labels = [d[0] for d in cursor.description or []]
            return [dict(zip(labels, row, strict=True)) for row in cursor.fetchall()]

    def checkpoint(self) -> None:
        """Write everything that is only in logs to the database files."""
        for database in self.databases():
            self._run(f"CHECKPOINT {quote(database)}")

    def close(self) -> None:
        """Close every file."""
        self._instance.duck_conn.close()

    def _file(self, database: str) -> Path:
        return self._databases / f"{folders.folder(database)}.duckdb"

    def _confine(self, directory: Path) -> None:
        """Keep DuckDB inside the account's directory: no SQL reads or writes files elsewhere."""
        inside = _literal(str(directory))
        self._run(f"SET GLOBAL temp_directory = '{inside}/temporary'")
        self._run(f"SET GLOBAL allowed_directories = ['{inside}/']")
        self._run("SET GLOBAL enable_external_access = false")

    def _open(self, database: str) -> None:
        self._run(f"ATTACH IF NOT EXISTS '{_literal(str(self._file(database)))}' AS {quote(database)}")

    def _complete(self, database: str) -> None:
        """Add to a database what fakesnow does not have: which files COPY INTO has loaded."""
        columns = "schema_name VARCHAR, table_name VARCHAR, file_name VARCHAR, digest VARCHAR"
        self._run(f"CREATE TABLE IF NOT EXISTS {quote(database)}.{LOADS} ({columns})")

    def _remove_files(self, database: str) -> None:
        path = self._file(database)
        for leftover in (path, path.with_name(path.name + ".wal")):
            leftover.unlink(missing_ok=True)

    def _forget(self, condition: str) -> None:
        for table in ("_fs_stages", "_fs_file_formats"):
            self._run(f"DELETE FROM {GLOBAL_DATABASE_NAME}._fs_information_schema.{table} WHERE {condition}")  # noqa: S608

    def _run(self, text: str) -> None:
        with self._instance.duck_conn.cursor() as cursor:
            cursor.execute(text)

    def _rows(self, text: str, parameters: Name = ()) -> list[tuple[Any, ...]]:
        with self._instance.duck_conn.cursor() as cursor:
            return cursor.execute(text, list(parameters)).fetchall()


def _literal(text: str) -> str:
    return text.replace("'", "''")


def _path(name: Name) -> str:
    return ".".join(quote(part) for part in name)

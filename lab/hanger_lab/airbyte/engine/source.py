"""PostgreSQL: discovery, one consistent snapshot, and COPY as compressed CSV files."""

from __future__ import annotations

import gzip
import select
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, pq, sql

from hanger_lab.airbyte.connectors.postgres import PostgresConfig, Verified
from hanger_lab.airbyte.engine import types
from hanger_lab.airbyte.engine.model import Cancellation, Column, Stream, Table
from hanger_lab.airbyte.errors import ConnectorError

CONNECT_SECONDS = 10
BUFFER_BYTES = 1 << 20
POLL_SECONDS = 0.5
DISCOVERY = """
SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::bigint,
       array_agg(a.attname::text ORDER BY a.attnum), array_agg(coalesce(b.typname, t.typname)::text ORDER BY a.attnum),
       (SELECT array_agg(k.attname::text ORDER BY array_position(i.indkey::int2[], k.attnum))
          FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey::int2[])
         WHERE i.indrelid = c.oid AND i.indisprimary)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_internal', 'catalog_history')
  AND n.nspname NOT LIKE 'pg\\_toast%%' AND n.nspname NOT LIKE 'pg\\_temp%%'
  AND (%(schemas)s::text[] = '{}' OR n.nspname = ANY (%(schemas)s))
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
GROUP BY c.oid, n.nspname, c.relname, c.reltuples
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Extract:
    """What was read of a stream: the files, and the state to keep once the rows are committed."""

    files: tuple[Path, ...]
    rows: int
    bytes: int
    state: dict[str, Any] | None


@dataclass(frozen=True)
class Stamp:
    """What marks the rows of one job: Airbyte's columns."""

    sync_id: int
    generation: int
    extracted_at: str


@contextmanager
def connect(config: PostgresConfig) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection in UTC; raise ConnectorError with the server's reason."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hanger-airbyte-")))
        try:
            connection = psycopg.connect(
                host=config.host,
                port=config.port,
                dbname=config.database,
                user=config.username,
                password=config.password,
                connect_timeout=CONNECT_SECONDS,
                application_name="airbyte",
                client_encoding="UTF8",
                keepalives_idle=30,
                options="-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1",
                **_tls(config, directory),
            )
        except psycopg.Error as error:
            raise failure(error) from None
        with connection:
            yield connection


def failure(error: psycopg.Error) -> ConnectorError:
    """Return PostgreSQL's error as ours."""
    message = error.diag.message_primary or " ".join(str(error).split())
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    kind = "config_error" if error.sqlstate is None or error.sqlstate[:2] in ("28", "3D", "42") else "system_error"
    return ConnectorError("source", f"PostgreSQL: {message}{hint}", kind=kind)


def discover(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> list[Table]:
    """Return all tables and views that may be read."""
    try:
        rows = connection.execute(DISCOVERY, {"schemas": list(schemas)}).fetchall()
    except psycopg.Error as error:
        raise failure(error) from None
    return [
        Table(
            namespace,
            name,
            tuple(types.column(column, kind) for column, kind in zip(columns, kinds, strict=True)),
            tuple(key or ()),
            estimate,
        )
        for namespace, name, estimate, columns, kinds, key in rows
    ]


class Snapshot:
    """One moment of the database, which several connections can read."""

    def __init__(self, config: PostgresConfig, cancellation: Cancellation) -> None:
        self._config = config
        self._cancellation = cancellation
        self._id: str | None = None

    @contextmanager
    def open(self) -> Iterator[psycopg.Connection[Any]]:
        """Open the connection that holds the moment as long as it is open."""
        with connect(self._config) as connection:
            try:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            except psycopg.Error as error:
                raise failure(error) from None
            self._id = str(row[0]) if row else None
            with self._cancellation.interrupting(lambda: _interrupt(connection)):
                yield connection

    @contextmanager
    def join(self) -> Iterator[psycopg.Connection[Any]]:
        """Open one more connection that sees the same."""
        with connect(self._config) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._id)))
            except psycopg.Error as error:
                raise failure(error) from None
            with self._cancellation.interrupting(lambda: _interrupt(connection)):
                yield connection


def extract(
    connection: psycopg.Connection[Any],
    stream: Stream,
    columns: Sequence[Column],
    stamp: Stamp,
    state: dict[str, Any] | None,
    target: Path,
    cancellation: Cancellation,
    progress: Callable[[int, int], None],
) -> Extract:
    """Read a stream into a file of compressed CSV; `progress` is told rows and bytes so far."""
    try:
        where, new_state = _window(connection, stream, state)
        query = select_rows(connection, stream, columns, stamp, where)
        rows, size = _copy(connection, query, target, cancellation, progress)
    except psycopg.Error as error:
        cancellation.check()
        raise failure(error) from None
    return Extract((target,) if rows else (), rows, size, new_state)


def select_rows(
    connection: psycopg.Connection[Any], stream: Stream, columns: Sequence[Column], stamp: Stamp, where: sql.Composable
) -> str:
    """Return the COPY statement of a stream."""
    meta = f'{{"sync_id":{stamp.sync_id},"changes":[]}}'
    fields = [
        sql.SQL("gen_random_uuid()"),
        sql.Literal(stamp.extracted_at),
        sql.Literal(meta),
        sql.Literal(stamp.generation),
        *(types.selected(column) for column in columns),
    ]
    query = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT (FORMAT csv)").format(
        sql.SQL(", ").join(fields), sql.Identifier(stream.namespace, stream.name), where
    )
    return query.as_string(connection)


def _window(
    connection: psycopg.Connection[Any], stream: Stream, state: dict[str, Any] | None
) -> tuple[sql.Composable, dict[str, Any] | None]:
    """Return the condition for the rows to read, and the state after them.

    Rows that share the old highest value and came later are noticed by their number, as Airbyte does; then all rows
    of that value are read again.
    """
    nothing: sql.Composable = sql.SQL("")
    if not stream.incremental or stream.cursor is None:
        return nothing, None
    table = sql.Identifier(stream.namespace, stream.name)
    field = sql.Identifier(stream.cursor)
    newest = sql.SQL("SELECT {0}::text, count(*) FROM {1} WHERE {0} = (SELECT max({0}) FROM {1}) GROUP BY {0}")
    found = connection.execute(newest.format(field, table)).fetchone()
    kept = state if state and state.get("cursor_field") == [stream.cursor] else None
    if found is None:
        return (nothing, kept) if kept is None else (sql.SQL(" WHERE false"), kept)
    after = {"cursor_field": [stream.cursor], "cursor": found[0], "cursor_record_count": found[1]}
    if kept is None:
        return nothing, after
    old = sql.Literal(kept["cursor"])
    count = connection.execute(sql.SQL("SELECT count(*) FROM {} WHERE {} = {}").format(table, field, old)).fetchone()
    again = count is not None and count[0] > kept["cursor_record_count"]
    return sql.SQL(" WHERE {} {} {}").format(field, sql.SQL(">=" if again else ">"), old), after


def _copy(
    connection: psycopg.Connection[Any],
    query: str,
    target: Path,
    cancellation: Cancellation,
    progress: Callable[[int, int], None],
) -> tuple[int, int]:
    """Run COPY and write what comes; the server sends one message a row, so messages are rows."""
    wire = connection.pgconn
    wire.send_query(query.encode())
    _await_copy(wire, cancellation)
    rows = size = pending = 0
    buffer: list[bytes] = []
    told = time.monotonic()
    with gzip.open(target, "wb", compresslevel=1) as file:
        while True:
            length, data = wire.get_copy_data(1)
            if length > 0:
                buffer.append(bytes(data))
                rows += 1
                pending += length
                if pending >= BUFFER_BYTES:
                    file.write(b"".join(buffer))
                    size, pending, buffer = size + pending, 0, []
                    cancellation.check()
                    if time.monotonic() - told > 1:
                        told = time.monotonic()
                        progress(rows, size)
            elif length == 0:
                _wait(wire, cancellation)
            else:
                break
        file.write(b"".join(buffer))
    _end(wire)
    progress(rows, size + pending)
    return rows, size + pending


def _await_copy(wire: pq.abc.PGconn, cancellation: Cancellation) -> None:
    """Wait until the server answers the COPY statement: it may wait for a lock."""
    while wire.flush() or wire.is_busy():
        _wait(wire, cancellation)
    result = wire.get_result()
    if result is None or result.status != pq.ExecStatus.COPY_OUT:
        _raise(result)


def _wait(wire: pq.abc.PGconn, cancellation: Cancellation) -> None:
    select.select([wire.socket], [], [], POLL_SECONDS)
    cancellation.check()
    wire.consume_input()


def _end(wire: pq.abc.PGconn) -> None:
    while (result := wire.get_result()) is not None:
        if result.status != pq.ExecStatus.COMMAND_OK:
            _raise(result)


def _raise(result: pq.abc.PGresult | None) -> None:
    if result is None:
        raise psycopg.OperationalError("the server closed the connection")
    raise errors.error_from_result(result)


def _interrupt(connection: psycopg.Connection[Any]) -> None:
    if not connection.closed:
        try:
            connection.cancel_safe(timeout=5)
        except psycopg.Error:
            connection.close()


def _tls(config: PostgresConfig, directory: Path) -> dict[str, Any]:
    mode = config.ssl_mode
    options: dict[str, Any] = {"sslmode": mode.mode}
    if isinstance(mode, Verified):
        files = {"sslrootcert": mode.ca_certificate, "sslcert": mode.client_certificate, "sslkey": mode.client_key}
        for option, content in files.items():
            if content:
                path = directory / option
                path.touch(mode=0o600)
                path.write_text(content)
                options[option] = str(path)
        if mode.client_key_password:
            options["sslpassword"] = mode.client_key_password
    return options

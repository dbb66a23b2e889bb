"""Snowflake: login, what is there, loading into a table of its own, and publishing it in one statement."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import snowflake.connector
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from snowflake.connector import SnowflakeConnection
from snowflake.connector.constants import ResultStatus
from snowflake.connector.cursor import DictCursor

from hanger_lab.airbyte.connectors.snowflake import KeyPair, Password, SnowflakeConfig
from hanger_lab.airbyte.engine import statements
from hanger_lab.airbyte.engine.model import Column, Stream
from hanger_lab.airbyte.errors import ConnectorError

LAB_ACCOUNT = "HANGERLAB"
LOGIN_SECONDS = 30
NETWORK_SECONDS = 600
UPLOADED = (ResultStatus.UPLOADED.value, ResultStatus.SKIPPED.value)
Existing = set[tuple[str, str]]


@dataclass(frozen=True)
class Load:
    """A stream's rows on their way: the table that they are loaded into first, and the final one."""

    stream: Stream
    columns: tuple[Column, ...]
    staging: tuple[str, str]

    @property
    def target(self) -> tuple[str, str]:
        """Schema and table, in capitals."""
        schema, table = self.stream.target
        return schema.upper(), table.upper()


class Destination:
    """One session of the account."""

    def __init__(self, connection: SnowflakeConnection, config: SnowflakeConfig) -> None:
        self._connection = connection
        self._config = config

    def existing(self, targets: Collection[tuple[str, str]]) -> Existing:
        """Create the schemas that are missing; return which of the tables exist."""
        wanted = {(schema.upper(), table.upper()) for schema, table in targets}
        present: Existing = set()
        for schema in sorted({schema for schema, _ in wanted}):
            path = statements.qualified(self._config.database, schema)
            try:
                present |= {(schema, str(table)) for table in self._named(f"SHOW TABLES IN SCHEMA {path}")}
            except ConnectorError:
                self.run(f"CREATE SCHEMA IF NOT EXISTS {path}")
        return present & wanted

    def stage(self, load: Load, files: Sequence[Path]) -> int:
        """Load files into the stream's staging table; return the rows loaded."""
        table = self._path(load.staging)
        self.run(statements.create_table(table, load.columns, self._config.retention_period_days))
        if not files:
            return 0
        stage = statements.table_stage(self._config.database, *load.staging)
        for file in files:
            self._upload(statements.put(file, stage))
        rows = self.run(statements.copy(table, stage, load.columns))
        return sum(int(row[3]) for row in rows)

    def publish(self, load: Load, existing: Existing, rows: int) -> None:
        """Make the staged rows visible: replace the table, append to it, or merge into it."""
        staging, target = self._path(load.staging), self._path(load.target)
        mode = load.stream.mode
        if mode.startswith("full_refresh_overwrite"):
            source = self._deduplicated(load, staging) if mode.endswith("deduped") and rows else staging
            if load.target in existing:
                self.run(f"ALTER TABLE {target} SWAP WITH {source}")
                self.discard(load)
            else:
                self.run(f"ALTER TABLE {source} RENAME TO {target}")
                self.discard(load, source != staging)
            return
        if load.target in existing:
            self._add_columns(load, target)
        elif mode != "incremental_deduped_history":
            self.run(f"ALTER TABLE {staging} RENAME TO {target}")
            return
        else:
            self.run(statements.create_table(target, load.columns, self._config.retention_period_days))
        if rows and mode == "incremental_deduped_history":
            self.run(statements.merge(target, staging, load.columns, load.stream))
        elif rows:
            self.run(statements.insert(target, staging, load.columns))
        self.discard(load)

    def clear(self, targets: Collection[tuple[str, str]]) -> None:
        """Empty tables; those that do not exist are left alone."""
        for schema, table in sorted(self.existing(targets)):
            self.run(f"TRUNCATE TABLE {self._path((schema, table))}")

    def discard(self, load: Load, staging: bool = True) -> None:
        """Drop what was made on the way, if it is still there."""
        schema, table = load.staging
        names = [table] if staging else []
        if load.stream.mode == "full_refresh_overwrite_deduped":
            names.append(_deduplicated_name(table))
        for name in names:
            self.run(f"DROP TABLE IF EXISTS {self._path((schema, name))}")

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; raise ConnectorError with Snowflake's reason."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                return [row for row in cursor.fetchall() if isinstance(row, tuple)]
        except snowflake.connector.Error as error:
            raise failure(error) from None

    def _upload(self, statement: str) -> None:
        for row in self.run(statement):
            if str(row[6]) not in UPLOADED:
                raise ConnectorError("destination", f"Snowflake: the upload of {row[0]} ended as {row[6]}: {row[7]}")

    def _deduplicated(self, load: Load, staging: str) -> str:
        schema, table = load.staging
        result = self._path((schema, _deduplicated_name(table)))
        self.run(statements.create_table(result, load.columns, self._config.retention_period_days))
        self.run(statements.insert_deduplicated(result, staging, load.columns, load.stream))
        return result

    def _add_columns(self, load: Load, target: str) -> None:
        present = set(self._named(f"DESCRIBE TABLE {target}"))
        for column in load.columns:
            if column.name.upper() not in present:
                self.run(statements.add_column(target, column))

    def _named(self, statement: str) -> list[Any]:
        """Run a statement that describes things and return their names."""
        try:
            with self._connection.cursor(DictCursor) as cursor:
                cursor.execute(statement)
                return [row["name"] for row in cursor.fetchall() if isinstance(row, dict)]
        except snowflake.connector.Error as error:
            raise failure(error) from None

    def _path(self, table: tuple[str, str]) -> str:
        return statements.qualified(self._config.database, *table)


@contextmanager
def connect(config: SnowflakeConfig, account: str = LAB_ACCOUNT) -> Iterator[Destination]:
    """Log in; raise ConnectorError when that is refused, or role, warehouse or database cannot be used."""
    host, port = config.address
    limits = config.parameters
    try:
        connection = snowflake.connector.connect(
            account=config.account(account),
            host=host,
            port=port,
            protocol=config.protocol,
            user=config.username,
            role=config.role,
            warehouse=config.warehouse,
            database=config.database,
            login_timeout=int(limits.get("loginTimeout", LOGIN_SECONDS)),
            network_timeout=int(limits.get("networkTimeout", NETWORK_SECONDS)),
            application="airbyte",
            session_parameters={"TIMEZONE": "UTC", "CLIENT_TELEMETRY_ENABLED": False},
            **_credentials(config),
        )
    except snowflake.connector.Error as error:
        raise failure(error, kind="config_error") from None
    try:
        for kind, wanted, got in (
            ("role", config.role, connection.role),
            ("warehouse", config.warehouse, connection.warehouse),
            ("database", config.database, connection.database),
        ):
            if not got:
                message = f"Snowflake: {kind} {wanted} does not exist or {config.username} may not use it"
                raise ConnectorError("destination", message, kind="config_error")
        yield Destination(connection, config)
    finally:
        with contextlib.suppress(snowflake.connector.Error):
            connection.close()


def check(config: SnowflakeConfig, account: str = LAB_ACCOUNT) -> None:
    """Log in, and create and drop a table in the configured schema; raise ConnectorError when that is refused."""
    with connect(config, account) as destination:
        destination.existing([(config.schema_, "_AIRBYTE_CONNECTION_TEST")])
        table = statements.qualified(config.database, config.schema_, "_AIRBYTE_CONNECTION_TEST")
        destination.run(f"CREATE OR REPLACE TABLE {table} (ID NUMBER)")
        destination.run(f"DROP TABLE IF EXISTS {table}")


def failure(error: snowflake.connector.Error, kind: str | None = None) -> ConnectorError:
    """Return Snowflake's error as ours, in one line."""
    message = " ".join(str(error.raw_msg or error.msg or error).split())
    known = kind or ("config_error" if error.errno in (2003, 2043, 3001) else "system_error")
    return ConnectorError("destination", f"Snowflake: {message}", kind=known)


def _credentials(config: SnowflakeConfig) -> dict[str, Any]:
    credentials = config.credentials
    if isinstance(credentials, Password):
        return {"password": credentials.password}
    if isinstance(credentials, KeyPair):
        return {"private_key": private_key(credentials)}
    raise ConnectorError("destination", "the configuration has no credentials", kind="config_error")


def private_key(credentials: KeyPair) -> bytes:
    """Return the key as DER; raise ConnectorError when it cannot be read, without showing it."""
    password = credentials.private_key_password
    try:
        key = load_pem_private_key(credentials.private_key.encode(), password.encode() if password else None)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = "is no private key in PEM, or its password is wrong or missing"
        raise ConnectorError("destination", f"$.credentials.private_key {reason}", kind="config_error") from None


def _deduplicated_name(table: str) -> str:
    return f"{table}_D"

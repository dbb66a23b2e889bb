"""BEGIN, COMMIT and ROLLBACK on DuckDB's transactions."""

from __future__ import annotations

import contextlib

import duckdb

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.data.engine import Connection
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import TRANSACTION, Result, status
from hanger_lab.snowflake.session import Context, Session


def control(text: str, context: Context) -> Result:
    """Run BEGIN [TRANSACTION | WORK] [NAME n], START TRANSACTION, COMMIT [WORK] or ROLLBACK [WORK]."""
    parser = Parser(text)
    verb = parser.word()
    if verb == "START":
        parser.expect("TRANSACTION")
    elif not parser.accept("WORK") and verb == "BEGIN":
        parser.accept("TRANSACTION")
    if verb in ("BEGIN", "START") and parser.accept("NAME"):
        parser.identifier()
    parser.end()
    connection = context.session.connection
    if verb in ("BEGIN", "START"):
        begin(connection)
    elif verb == "COMMIT":
        require_healthy(connection)
        commit(connection)
    else:
        rollback(connection)
    return status(statement_type=TRANSACTION)


def begin(connection: Connection) -> None:
    """Open a transaction; inside one, a second BEGIN changes nothing."""
    require_healthy(connection)
    if not connection.in_transaction:
        connection.duck.begin()
        connection.in_transaction = True


def before_change(session: Session) -> None:
    """Open a transaction by itself where AUTOCOMMIT is off."""
    if session.parameters.get("AUTOCOMMIT") is False:
        begin(session.connection)


def commit(connection: Connection) -> None:
    """Make the transaction's changes permanent; without one nothing happens."""
    if connection.in_transaction:
        connection.in_transaction = False
        connection.duck.commit()


def rollback(connection: Connection) -> None:
    """Undo the transaction's changes; without one nothing happens."""
    connection.aborted = False
    if connection.in_transaction:
        connection.in_transaction = False
        connection.duck.rollback()


def require_healthy(connection: Connection) -> None:
    """Refuse statements in a transaction that a failed statement ended.

    Snowflake would keep the transaction's earlier changes; DuckDB cannot, and says so rather than lose them silently.
    """
    if connection.aborted:
        raise errors.SnowflakeError(
            90232,
            "25000",
            "The emulated account ended this transaction when a statement in it failed: ROLLBACK and run it again.",
        )


def after_failure(connection: Connection) -> None:
    """Leave DuckDB usable after a statement failed; a transaction that DuckDB gave up is undone and marked."""
    if connection.in_transaction:
        try:
            connection.duck.execute("SELECT 1")
        except duckdb.Error:
            connection.duck.rollback()
            connection.in_transaction = False
            connection.aborted = True
    else:
        with contextlib.suppress(duckdb.Error):
            connection.duck.rollback()

"""Runs one data statement: authorise, rewrite, execute, record, answer."""

from __future__ import annotations

import logging
import time
import traceback
import uuid
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb
import snowflake.connector.errors
import sqlglot.errors
from fakesnow import rowtype, statement_type
from fakesnow.converter import from_binding
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse_one
from sqlglot import exp

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.data import (
    arrow,
    changes,
    column_comments,
    copy,
    effects,
    kept,
    keys,
    rewrite,
    stages,
    tables,
    transactions,
)
from hanger_lab.snowflake.data.authorize import authorize
from hanger_lab.snowflake.data.patience import SECONDS, Patient, is_conflict
from hanger_lab.snowflake.lexer import first_words, without_literals
from hanger_lab.snowflake.session import Context, Session

log = logging.getLogger(__name__)

Bindings = dict[str, dict[str, Any]]
_DEFINITIONS = (exp.Create, exp.Drop, exp.Alter, exp.Comment, exp.TruncateTable)


@dataclass
class Request:
    """A statement as the client sent it; drivers repeat one whose answer they miss under the same `id`."""

    text: str
    bindings: Bindings = field(default_factory=dict)
    describe_only: bool = False
    base_url: str = ""
    statements: int | None = None
    query_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    id: str = ""


def execute(request: Request, context: Context) -> dict[str, Any]:
    """Run a data statement and return the `data` of the answer; raises SnowflakeError when it fails."""
    session = context.session
    session.connection.use(session.database, session.schema)
    try:
        return _repeat_conflicts(request, context)
    except errors.SnowflakeError:
        transactions.after_failure(session.connection)
        raise
    except Exception as problem:
        transactions.after_failure(session.connection)
        raise translate(problem, request.text) from problem


def _repeat_conflicts(request: Request, context: Context) -> dict[str, Any]:
    """Repeat a statement that changed a row at the same time as another session; Snowflake would have waited."""
    deadline = time.monotonic() + SECONDS
    while True:
        alone = not context.session.connection.in_transaction
        try:
            return _execute(request, context)
        except duckdb.TransactionException as problem:
            if not alone or not is_conflict(problem) or time.monotonic() > deadline:
                raise
            transactions.after_failure(context.session.connection)
            time.sleep(0.02)


def end_transaction(session: Session) -> None:
    """Commit what is open before an account statement runs, as Snowflake does before every DDL statement."""
    transactions.require_healthy(session.connection)
    transactions.commit(session.connection)


def _execute(request: Request, context: Context) -> dict[str, Any]:
    words = first_words(request.text, 3)
    special = None if request.describe_only else _special(words, request, context)
    if special is not None:
        return special
    connection = context.session.connection
    cursor = FakeSnowflakeCursor(conn=connection.fake, duck_conn=cast("Any", Patient(connection)))
    expression = parse_one(cursor._inline_variables(request.text))
    if not request.text.strip() or expression is None:
        raise errors.SnowflakeError(900, "42601", "SQL compilation error:\nEmpty SQL statement.")
    transactions.require_healthy(connection)
    expression = rewrite.resolve_names(expression)
    with context.catalog.read():
        table_keys = keys.take_out(expression, context)
        authorize(expression, context)
        effect = effects.foresee(expression, context, table_keys)
    kind = statement_type.statement_type_id(expression)
    if request.describe_only:
        return _describe(cursor, expression, context)
    if isinstance(expression, _DEFINITIONS):
        transactions.commit(connection)
    elif kind in statement_type.DML_TYPE_IDS:
        transactions.before_change(context.session)
    with context.catalog.read():
        expression = rewrite.rewrite(expression, context)
    if isinstance(expression, exp.Describe):
        connection.use(*tables.resolve(tables.require_target(expression), context.session, "DESCRIBE")[:2])
    with _definitions(expression, context):
        if isinstance(expression, exp.Merge):
            answer = changes.merge(cursor, expression, _rows(request.bindings)[0]).wire()
        elif (special_change := changes.run(expression, effect, context)) is not None:
            answer = special_change.wire()
        else:
            with effects.undone_on_failure(effect, context):
                answer = _run(cursor, expression, request, kind)
                if effect is not None and effect.action == "create" and effect.kind == "TABLE":
                    copy.forget_loads(effect.name, context)
        if effect is not None:
            effects.record(effect, context)
    return answer


def _definitions(expression: exp.Expr, context: Context) -> AbstractContextManager[object]:
    """Let one definition after the other run: each writes to fakesnow's metadata, and a conflict there comes too late.

    The table would have been created by then, and repeating the statement would find it.
    """
    return context.engine.definitions if isinstance(expression, _DEFINITIONS) else nullcontext()


def _special(words: list[str], request: Request, context: Context) -> dict[str, Any] | None:
    """Answer what never reaches the SQL parser."""
    verb = words[0] if words else ""
    if verb in ("BEGIN", "START", "COMMIT", "ROLLBACK"):
        return transactions.control(request.text, context).wire()
    if verb == "PUT":
        return stages.put(request.text, context, request.base_url)
    handlers = {"LIST": stages.listing, "LS": stages.listing, "REMOVE": stages.remove, "RM": stages.remove}
    if verb in handlers:
        return handlers[verb](request.text, context).wire()
    if verb == "ALTER" and (commented := column_comments.alter(request.text, context)) is not None:
        return commented.wire()
    if words[:2] == ["COPY", "INTO"]:
        return copy.copy_into(request.text, context).wire()
    return None


def _run(cursor: Any, expression: exp.Expr, request: Request, kind: int) -> dict[str, Any]:
    rows = _rows(request.bindings)
    affected = 0
    for parameters in rows:
        cursor.check_db_and_schema(expression)
        for statement in cursor._transform_explode(expression.copy()):
            transformed = cursor._transform(statement, parameters)
            bound = parameters if transformed.find(exp.Placeholder) else None
            cursor._execute(transformed, bound)
        affected += cursor.rowcount or 0
    described = rowtype.describe_as_rowtype(cursor._describe_last_sql())
    table = cursor._arrow_table
    answer: dict[str, Any] = {"rowtype": described, "statementTypeId": kind, kept.TABLE: table}
    if kind in statement_type.DML_TYPE_IDS and table:
        if len(rows) > 1:
            rowset: list[list[str | None]] = [[str(affected)]]
        else:
            columns = [column.to_pylist() for column in table.columns]
            rowset = [[None if v is None else str(v) for v in row] for row in zip(*columns, strict=True)]
        return {**answer, "queryResultFormat": "json", "rowset": rowset, "total": len(rowset), "returned": len(rowset)}
    encoded = arrow.encode(table, described) if table is not None else ""
    total = table.num_rows if table is not None else 0
    return {**answer, "queryResultFormat": "arrow", "rowsetBase64": encoded, "total": total, "returned": total}


def _describe(cursor: Any, expression: exp.Expr, context: Context) -> dict[str, Any]:
    """Describe the result without running the statement."""
    kind = statement_type.statement_type_id(expression)
    binds = len(list(expression.find_all(exp.Placeholder)))
    with context.catalog.read():
        text = rewrite.rewrite(expression.copy(), context).sql(dialect="snowflake")
    described = cursor._describe_only(text)
    if described is None:
        raise errors.unsupported(f"describing {without_literals(text)}")
    query = kind == statement_type.SELECT
    body = {"queryResultFormat": "arrow", "rowsetBase64": ""} if query else {"queryResultFormat": "json", "rowset": []}
    return {
        "rowtype": rowtype.describe_as_rowtype(described),
        "total": 0,
        "returned": 0,
        "statementTypeId": kind,
        "numberOfBinds": binds,
        "arrayBindSupported": kind == statement_type.INSERT,
        **body,
    }


def _rows(bindings: Bindings) -> list[Any]:
    """Turn bindings into one set of parameters per row; a statement without any runs once."""
    if not bindings:
        return [None]
    if not all(key.isdigit() for key in bindings):
        return [{key: from_binding(value) for key, value in bindings.items()}]
    ordered = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if not any(isinstance(value["value"], list) for value in ordered):
        return [[from_binding(value) for value in ordered]]
    columns = [[from_binding({**value, "value": one}) for one in value["value"]] for value in ordered]
    return [list(row) for row in zip(*columns, strict=True)]


def translate(problem: Exception, text: str) -> errors.SnowflakeError:
    """Turn whatever went wrong below into an SQL error: connectors repeat anything else for minutes."""
    if isinstance(problem, snowflake.connector.errors.Error):
        message = str(problem.raw_msg or problem.msg)
        if problem.errno == 1003:
            message = without_literals(message, 200)
        return errors.SnowflakeError(problem.errno or 2, problem.sqlstate or "42000", message)
    if isinstance(problem, duckdb.InvalidInputException) and "more than once" in str(problem):
        return errors.SnowflakeError(100090, "42P18", "Duplicate row detected during DML action")
    if isinstance(problem, duckdb.Error):
        return errors.SnowflakeError(100132, "P0000", f"SQL execution error: {str(problem).splitlines()[0]}")
    if isinstance(problem, sqlglot.errors.SqlglotError):
        excerpt = without_literals(str(problem).splitlines()[0], 200)
        return errors.SnowflakeError(1003, "42000", f"SQL compilation error:\n{excerpt}")
    where = "".join(traceback.format_tb(problem.__traceback__))
    log.warning("%s not understood: %s\n%s", " ".join(first_words(text, 2)), type(problem).__name__, where)
    return errors.unsupported(without_literals(text, 80))

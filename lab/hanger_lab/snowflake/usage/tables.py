"""The rows of INFORMATION_SCHEMA's history functions and of ACCOUNT_USAGE's views, for the roles in force.

Columns are those of docs.snowflake.com/en/sql-reference/functions/query_history, .../functions/login_history,
.../functions/warehouse_metering_history and of the views of the same names and SESSIONS in .../account-usage; those
that the emulated account has nothing to say about (bytes, spilling) are left out or NULL.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from hanger_lab.snowflake.model import ACCOUNT
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.usage import billing
from hanger_lab.snowflake.usage.history import Statement

_TIME = pa.timestamp("us", tz="UTC")
_NUMBER = pa.int64()
_TEXT = pa.string()
_CREDITS = pa.decimal128(38, 9)
_DAY = 86_400

_QUERY = {
    "QUERY_ID": _TEXT, "QUERY_TEXT": _TEXT, "DATABASE_NAME": _TEXT, "SCHEMA_NAME": _TEXT, "QUERY_TYPE": _TEXT,
    "SESSION_ID": _NUMBER, "USER_NAME": _TEXT, "ROLE_NAME": _TEXT, "WAREHOUSE_NAME": _TEXT, "WAREHOUSE_SIZE": _TEXT,
    "WAREHOUSE_TYPE": _TEXT, "CLUSTER_NUMBER": _NUMBER, "QUERY_TAG": _TEXT, "EXECUTION_STATUS": _TEXT,
    "ERROR_CODE": _TEXT, "ERROR_MESSAGE": _TEXT, "START_TIME": _TIME, "END_TIME": _TIME, "TOTAL_ELAPSED_TIME": _NUMBER,
    "ROWS_PRODUCED": _NUMBER, "ROLE_TYPE": _TEXT,
}  # fmt: skip
_LOGIN = {
    "EVENT_TIMESTAMP": _TIME, "EVENT_ID": _NUMBER, "EVENT_TYPE": _TEXT, "USER_NAME": _TEXT, "CLIENT_IP": _TEXT,
    "REPORTED_CLIENT_TYPE": _TEXT, "REPORTED_CLIENT_VERSION": _TEXT, "FIRST_AUTHENTICATION_FACTOR": _TEXT,
    "SECOND_AUTHENTICATION_FACTOR": _TEXT, "IS_SUCCESS": _TEXT, "ERROR_CODE": _NUMBER, "ERROR_MESSAGE": _TEXT,
    "RELATED_EVENT_ID": _NUMBER, "CONNECTION": _TEXT,
}  # fmt: skip
_SESSION = {
    "SESSION_ID": _NUMBER, "CREATED_ON": _TIME, "USER_NAME": _TEXT, "AUTHENTICATION_METHOD": _TEXT,
    "LOGIN_EVENT_ID": _NUMBER, "CLIENT_APPLICATION_VERSION": _TEXT, "CLIENT_APPLICATION_ID": _TEXT,
    "CLIENT_ENVIRONMENT": _TEXT, "CLIENT_BUILD_ID": _TEXT, "CLIENT_VERSION": _TEXT, "CLOSED_REASON": _TEXT,
}  # fmt: skip
_METERING = {
    "START_TIME": _TIME, "END_TIME": _TIME, "WAREHOUSE_ID": _NUMBER, "WAREHOUSE_NAME": _TEXT, "CREDITS_USED": _CREDITS,
    "CREDITS_USED_COMPUTE": _CREDITS, "CREDITS_USED_CLOUD_SERVICES": _CREDITS,
}  # fmt: skip

Filler = Callable[[Context, bool], list[dict[str, Any]]]


def arrow(name: str, context: Context, *, everything: bool) -> pa.Table:
    """Return the rows of a view, `everything` for ACCOUNT_USAGE, else what the session may see."""
    schema, fill = TABLES[name]
    return pa.Table.from_pylist(fill(context, everything), schema=pa.schema(list(schema.items())))


def _queries(context: Context, everything: bool) -> list[dict[str, Any]]:
    allowed = _statements_of(context) if not everything else lambda statement: True
    oldest = context.clock() - (365 if everything else 7) * _DAY
    return [
        {
            "QUERY_ID": s.query_id,
            "QUERY_TEXT": s.text,
            "DATABASE_NAME": s.database,
            "SCHEMA_NAME": s.schema,
            "QUERY_TYPE": s.type,
            "SESSION_ID": s.session_id,
            "USER_NAME": s.user,
            "ROLE_NAME": s.role,
            "WAREHOUSE_NAME": s.warehouse,
            "WAREHOUSE_SIZE": s.size,
            "WAREHOUSE_TYPE": "STANDARD" if s.size else None,
            "CLUSTER_NUMBER": 1 if s.size else None,
            "QUERY_TAG": s.tag,
            "EXECUTION_STATUS": "FAIL" if everything and s.status == "FAILED_WITH_ERROR" else s.status,
            "ERROR_CODE": s.error_code,
            "ERROR_MESSAGE": s.error_message,
            "START_TIME": _time(s.start),
            "END_TIME": _time(s.end),
            "TOTAL_ELAPSED_TIME": round(((s.end or context.clock()) - s.start) * 1000),
            "ROWS_PRODUCED": s.rows,
            "ROLE_TYPE": "ROLE",
        }
        for s in context.history.statements()
        if s.start >= oldest and allowed(s) and not (everything and s.end is None)
    ]


def _statements_of(context: Context) -> Callable[[Statement], bool]:
    """One's own statements; those of users and warehouses that the roles in force monitor; all for ACCOUNTADMIN."""
    access = context.access
    if "ACCOUNTADMIN" in access.all:
        return lambda statement: True
    users = {u.name[0] for u in context.catalog.all("USER") if access.holds("MONITOR", "USER", u.name)}
    users.add(context.session.user)
    warehouses = {
        w.name[0]
        for w in context.catalog.all("WAREHOUSE")
        if access.holds("MONITOR", "WAREHOUSE", w.name) or access.holds("OPERATE", "WAREHOUSE", w.name)
    }
    return lambda statement: statement.user in users or statement.warehouse in warehouses


def _logins(context: Context, everything: bool) -> list[dict[str, Any]]:
    access = context.access
    oldest = context.clock() - (365 if everything else 7) * _DAY
    return [
        {
            "EVENT_TIMESTAMP": _time(row["started"]),
            "EVENT_ID": row["number"],
            "EVENT_TYPE": "LOGIN",
            "USER_NAME": row["user"],
            "CLIENT_IP": row["address"],
            "REPORTED_CLIENT_TYPE": row["client"],
            "REPORTED_CLIENT_VERSION": row["version"],
            "FIRST_AUTHENTICATION_FACTOR": row["factor"],
            "IS_SUCCESS": "NO" if row["error_code"] else "YES",
            "ERROR_CODE": row["error_code"],
            "ERROR_MESSAGE": row["error_message"],
            "RELATED_EVENT_ID": 0,
        }
        for row in context.history.logins()
        if row["started"] >= oldest
        and (
            everything
            or "ACCOUNTADMIN" in access.all
            or row["user"] == context.session.user
            or access.holds("MONITOR", "USER", (row["user"],))
        )
    ]


def _sessions(context: Context, _: bool) -> list[dict[str, Any]]:
    return [
        {
            "SESSION_ID": row["session_id"],
            "CREATED_ON": _time(row["started"]),
            "USER_NAME": row["user"],
            "AUTHENTICATION_METHOD": row["factor"],
            "LOGIN_EVENT_ID": row["login"],
            "CLIENT_APPLICATION_VERSION": row["version"],
            "CLIENT_APPLICATION_ID": f"{row['client']} {row['version']}".strip(),
            "CLIENT_ENVIRONMENT": "{}",
            "CLIENT_VERSION": row["version"],
            "CLOSED_REASON": row["closed_reason"],
        }
        for row in context.history.sessions()
    ]


def _metering(context: Context, everything: bool) -> list[dict[str, Any]]:
    access = context.access
    if not everything and "ACCOUNTADMIN" not in access.all and not access.holds("MONITOR USAGE", "ACCOUNT", ACCOUNT):
        return []
    since = context.clock() - (365 if everything else 180) * _DAY
    hours = billing.by_hour(context.meter.charges(since), since, float("inf"))
    return [
        {
            "START_TIME": _time(hour),
            "END_TIME": _time(hour + billing.HOUR),
            "WAREHOUSE_ID": number,
            "WAREHOUSE_NAME": name,
            "CREDITS_USED": _credits(used),
            "CREDITS_USED_COMPUTE": _credits(used),
            "CREDITS_USED_CLOUD_SERVICES": _credits(0.0),
        }
        for (hour, name, number), used in sorted(hours.items())
    ]


def _time(moment: float | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def _credits(amount: float) -> Decimal:
    return Decimal(f"{amount:.9f}")


TABLES: dict[str, tuple[dict[str, pa.DataType], Filler]] = {
    "QUERY_HISTORY": (_QUERY, _queries),
    "LOGIN_HISTORY": (_LOGIN, _logins),
    "SESSIONS": (_SESSION, _sessions),
    "WAREHOUSE_METERING_HISTORY": (_METERING, _metering),
}

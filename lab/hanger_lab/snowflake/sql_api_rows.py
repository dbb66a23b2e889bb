"""How the SQL API writes values: everything is a text, in the encodings of its format `jsonv2`.

docs.snowflake.com/en/developer-guide/sql-api/handling-responses
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

PARTITION_ROWS = 10_000
_EPOCH = datetime.date(1970, 1, 1)
_UTC_MARK = 1440


def encode(data: dict[str, Any], table: pa.Table | None, start: int, *, nullable: bool) -> list[list[str | None]]:
    """Write the rows of one partition; without `nullable` a NULL is the text `null`."""
    described = data.get("rowtype") or []
    if data.get("queryResultFormat") == "json" or table is None:
        rows = [
            [_as_it_travels(cell, column) for cell, column in zip(row, described, strict=True)]
            for row in (data.get("rowset") or [])[start : start + PARTITION_ROWS]
        ]
    else:
        part = table.slice(start, PARTITION_ROWS)
        columns = [
            [_text(value, about) for value in column.to_pylist()]
            for column, about in zip(part.columns, described, strict=True)
        ]
        rows = [list(row) for row in zip(*columns, strict=True)]
    if not nullable:
        return [["null" if cell is None else cell for cell in row] for row in rows]
    return rows


def _as_it_travels(cell: str | None, column: dict[str, Any]) -> str | None:
    if cell is not None and str(column["type"]).startswith("timestamp"):
        return f"{Decimal(cell):.9f}"
    return cell


def _text(value: Any, column: dict[str, Any]) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        moment = _seconds(value)
        return f"{moment} {_UTC_MARK}" if column["type"] == "timestamp_tz" else moment
    if isinstance(value, datetime.date):
        return str((value - _EPOCH).days)
    if isinstance(value, datetime.time):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        return f"{seconds}.{value.microsecond * 1000:09d}"
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex().upper()
    if column["type"] == "fixed":
        return f"{value:.{column.get('scale') or 0}f}"
    return repr(value) if isinstance(value, float) else str(value)


def _seconds(value: datetime.datetime) -> str:
    naive = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo is not None else value
    whole = (naive - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // 1_000_000}.{whole % 1_000_000 * 1000:09d}"

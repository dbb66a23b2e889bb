"""Chunks to bytes: CSV for people and for words, PostgreSQL's binary COPY format where every row has the same width."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain as flatten
from typing import Any

import numpy as np

from hanger_oltp.chain import DAY, NULL
from hanger_oltp.draw import Ints
from hanger_oltp.tables import Column, Table

BINARY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_TAIL = b"\xff\xff"
_CLOCK = [f" {hour:02}:{minute:02}:{second:02}" for hour in range(24) for minute in range(60) for second in range(60)]
_EPOCH = date(2000, 1, 1)
_MICROSECONDS = 1_000_000


def csv_head(table: Table) -> bytes:
    """Return the line with the columns' names."""
    return f"{','.join(table.names)}\n".encode()


def csv_rows(table: Table, columns: Sequence[Any]) -> bytes:
    """Return the lines of a chunk; no word of the generator needs quotes."""
    texts: list[Sequence[Any]] = [_texts(column, values) for column, values in zip(table.columns, columns, strict=True)]
    line = ",".join(["%s"] * len(texts)) + "\n"
    text: str = line * len(texts[0]) % tuple(flatten.from_iterable(zip(*texts, strict=True)))
    return text.encode()


def binary_rows(table: Table, columns: Sequence[Ints]) -> bytes:
    """Return the rows of a chunk of a table of fixed width."""
    wide = [column.kind == "timestamp" for column in table.columns]
    fields = [("count", ">i2")]
    for place, is_wide in enumerate(wide):
        fields += [(f"length{place}", ">i4"), (f"value{place}", ">i8" if is_wide else ">i4")]
    made = np.empty(len(columns[0]), np.dtype(fields))
    made["count"] = len(columns)
    for place, (is_wide, values) in enumerate(zip(wide, columns, strict=True)):
        made[f"length{place}"] = 8 if is_wide else 4
        made[f"value{place}"] = values * _MICROSECONDS if is_wide else values
    return made.tobytes()


def _texts(column: Column, values: Any) -> Sequence[Any]:
    if column.kind == "timestamp":
        days, seconds = np.divmod(values, DAY)
        names = {day: _day(day) for day in np.unique(days).tolist()}
        return [names[day] + _CLOCK[second] for day, second in zip(days.tolist(), seconds.tolist(), strict=True)]
    if column.kind == "date":
        names = {day: "" if day == NULL else _day(day) for day in np.unique(values).tolist()}
        return [names[day] for day in values.tolist()]
    if not isinstance(values, np.ndarray):
        return list(values)
    return ["" if value == NULL else value for value in values.tolist()]


def _day(number: int) -> str:
    return f"{_EPOCH + timedelta(days=number):%Y/%m/%d}"

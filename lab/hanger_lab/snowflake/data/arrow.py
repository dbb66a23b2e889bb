"""Arrow results as the connectors expect them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import fakesnow.arrow
import pyarrow as pa
import pyarrow.compute as pc

_UTC_OFFSET_MARK = 1440


def timestamps(column: Any) -> Any:
    """Write timestamps as structs of seconds, nanoseconds and, with a zone, its offset; NULLs stay NULL."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    zone = column.type.tz
    nulls = pc.is_null(column)
    nanoseconds = pc.fill_null(column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()), 0)
    seconds = pc.cast(pc.floor(pc.divide(pc.cast(nanoseconds, pa.float64()), 1e6)), pa.int64())
    fraction = pc.multiply(pc.subtract(nanoseconds, pc.multiply(seconds, 1_000_000)), 1000).cast(pa.int32())
    arrays = [seconds, fraction]
    fields = [pa.field("epoch", pa.int64(), nullable=False), pa.field("fraction", pa.int32(), nullable=False)]
    if zone:
        arrays.append(pa.array([_UTC_OFFSET_MARK] * len(column), pa.int32()))
        fields.append(pa.field("timezone", pa.int32(), nullable=False))
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=nulls)


def encode(table: Any, rowtype: list[Any]) -> str:
    """Write a table as one Arrow stream in base64."""
    converted = fakesnow.arrow.to_sf(table, rowtype)
    return b64encode(memoryview(fakesnow.arrow.to_ipc(converted))).decode()

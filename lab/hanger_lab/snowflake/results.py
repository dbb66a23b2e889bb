"""Results of account statements, and how they travel: column descriptions and rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | bool | None

SHOW = 0x4400
DESCRIBE = 0x4500
USE = 0x4300
SET = 0x4100
TRANSACTION = 0x5000
DEFINITION = 0x6000
COPY = 0x3600

_TEXT = {"type": "text", "length": 16777216, "byteLength": 16777216, "precision": None, "scale": None}
_TYPES: dict[str, dict[str, Any]] = {
    "text": _TEXT,
    "fixed": {"type": "fixed", "length": None, "byteLength": None, "precision": 38, "scale": 0},
    "timestamp_ltz": {"type": "timestamp_ltz", "length": None, "byteLength": None, "precision": 0, "scale": 3},
}


@dataclass(frozen=True)
class Column:
    """A column of a result; `type` is `text`, `fixed` or `timestamp_ltz` (seconds since 1970)."""

    name: str
    type: str = "text"

    def describe(self) -> dict[str, Any]:
        """Describe the column as drivers expect it."""
        place = {"database": "", "schema": "", "table": "", "nullable": True, "collation": None}
        return {"name": self.name, **place, **_TYPES[self.type]}

    def encode(self, cell: Cell) -> str | None:
        """Write a cell as text."""
        if cell is None:
            return None
        if self.type == "timestamp_ltz":
            return f"{float(cell):.3f}"
        if isinstance(cell, bool):
            return str(cell).lower()
        return str(cell)


@dataclass
class Result:
    """The answer to one statement."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]] = field(default_factory=list)
    statement_type: int = DEFINITION

    def wire(self) -> dict[str, Any]:
        """Write the answer the way the query route returns it."""
        rows = [[c.encode(cell) for c, cell in zip(self.columns, row, strict=True)] for row in self.rows]
        return {
            "rowtype": [column.describe() for column in self.columns],
            "rowset": rows,
            "total": len(rows),
            "returned": len(rows),
            "queryResultFormat": "json",
            "statementTypeId": self.statement_type,
        }


def status(message: str = "Statement executed successfully.", statement_type: int = DEFINITION) -> Result:
    """Answer a statement that returns no data."""
    return Result([Column("status")], [[message]], statement_type)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Cell]], statement_type: int = SHOW) -> Result:
    """Answer with named cells; `created_on` and the like are times, columns with integers are numbers."""
    made = [Column(name, _guess(name, [row.get(name) for row in rows])) for name in columns]
    return Result(made, [[row.get(name) for name in columns] for row in rows], statement_type)


_TIMES = (
    "created_on",
    "resumed_on",
    "updated_on",
    "start_time",
    "end_time",
    "last_success_login",
    "expires_at_time",
    "locked_until_time",
)


def _guess(name: str, cells: Sequence[Cell]) -> str:
    if name in _TIMES:
        return "timestamp_ltz"
    present = [cell for cell in cells if cell is not None]
    whole = bool(present) and all(isinstance(cell, int) and not isinstance(cell, bool) for cell in present)
    return "fixed" if whole else "text"

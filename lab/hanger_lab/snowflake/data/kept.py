"""Results that a session keeps for RESULT_SCAN, and the ids that LAST_QUERY_ID counts."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from hanger_lab.snowflake import errors

TABLE = "_table"
_MOST_RESULTS = 32
_MOST_BYTES = 64 * 2**20
_TYPES = {"fixed": pa.int64(), "timestamp_ltz": pa.timestamp("ms", tz="UTC")}


class Kept:
    """What one session asked lately."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._answers: OrderedDict[str, tuple[dict[str, Any], pa.Table | None]] = OrderedDict()

    def keep(self, query_id: str, answer: dict[str, Any]) -> None:
        """Remember a result; what it holds for here alone is taken out of the answer."""
        self.ids.append(query_id)
        self._answers[query_id] = (answer, answer.pop(TABLE, None))
        while len(self._answers) > _MOST_RESULTS or (len(self._answers) > 1 and self._size() > _MOST_BYTES):
            self._answers.popitem(last=False)

    def last(self, number: int) -> str | None:
        """Return the id of a statement: -1 is the latest one, 1 the first of the session; None when there is none."""
        try:
            return self.ids[number if number < 0 else number - 1] if number else None
        except IndexError:
            return None

    def table(self, query_id: str) -> pa.Table:
        """Return a result as a table; raises SnowflakeError when it is not kept."""
        if query_id not in self._answers:
            raise errors.SnowflakeError(709, "02000", f"Statement {query_id} not found")
        answer, table = self._answers[query_id]
        return as_table(answer) if table is None else table

    def find(self, query_id: str) -> pa.Table | None:
        """Return the table of a result that did not travel as text."""
        return self._answers[query_id][1] if query_id in self._answers else None

    def _size(self) -> int:
        return sum(table.nbytes for _, table in self._answers.values() if table is not None)


def as_table(answer: dict[str, Any]) -> pa.Table:
    """Turn rows of text, as they travel, into a table."""
    described, rows = answer.get("rowtype") or [], answer.get("rowset") or []
    columns, names = [], [column["name"] for column in described]
    for index, column in enumerate(described):
        cells = [row[index] for row in rows]
        if column["type"] == "timestamp_ltz":
            cells = [None if cell is None else datetime.fromtimestamp(float(cell), UTC) for cell in cells]
        elif column["type"] == "fixed":
            cells = [None if cell is None else int(cell) for cell in cells]
        columns.append(pa.array(cells, _TYPES.get(column["type"], pa.string())))
    return pa.Table.from_arrays(columns, names=names)


def replace_scans(expression: exp.Expr, kept: Kept, duck: Any) -> None:
    """Replace TABLE(RESULT_SCAN(id)) by the result."""
    for source in list(expression.find_all(exp.TableFromRows)):
        call = source.this
        if not isinstance(call, exp.Anonymous) or call.name.upper() != "RESULT_SCAN":
            continue
        query_id = _id(call.expressions[0] if call.expressions else None, kept)
        place = f"_hanger_result_{query_id}"
        duck.register(place, kept.table(query_id))
        parts = [exp.to_identifier(part, quoted=True) for part in (place, "main", "temp")]
        table = exp.Table(this=parts[0], db=parts[1], catalog=parts[2])
        table.set("alias", source.args.get("alias") or exp.TableAlias(this=exp.to_identifier("RESULT_SCAN")))
        source.replace(table)


def last_query_id(function: exp.Expr, kept: Kept) -> exp.Expr:
    """Write LAST_QUERY_ID([number]) as its value."""
    found = kept.last(_number(function))
    return exp.Null() if found is None else exp.Literal.string(found)


def _number(function: exp.Expr) -> int:
    given = function.expressions[0] if function.expressions else None
    if given is None:
        return -1
    try:
        return int(given.sql())
    except ValueError:
        raise errors.unsupported(f"LAST_QUERY_ID({given.sql(dialect='snowflake')[:40]})") from None


def _id(argument: exp.Expr | None, kept: Kept) -> str:
    if isinstance(argument, exp.Literal) and argument.is_string:
        return argument.name
    if isinstance(argument, exp.Anonymous) and argument.name.upper() == "LAST_QUERY_ID":
        return kept.last(_number(argument)) or ""
    raise errors.unsupported("RESULT_SCAN of something other than a statement's id")

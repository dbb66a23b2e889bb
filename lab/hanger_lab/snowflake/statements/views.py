"""How a kind of object is shown: the columns of SHOW, in the order Snowflake documents, and how a row is filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.parser import Value
from hanger_lab.snowflake.results import Cell
from hanger_lab.snowflake.session import Context

Row = dict[str, Cell]


@dataclass(frozen=True)
class View:
    """How one kind of object is shown."""

    columns: tuple[str, ...]
    rows: Callable[[Context, Sequence[Securable]], list[Row]]


def columns(text: str) -> tuple[str, ...]:
    """Read column names that are written with blanks between them."""
    return tuple(text.split())


def scalar(value: Value, default: Cell = None) -> Cell:
    """Take a property that is no list."""
    return default if value is None or isinstance(value, list) else value


def basic(shown: Securable) -> Row:
    """Fill what all kinds of objects have."""
    row: Row = {
        "created_on": shown.created,
        "name": shown.name[-1],
        "owner": shown.owner_name,
        "comment": shown.comment,
        "owner_role_type": shown.owner_kind,
        "is_default": "N",
        "is_current": "N",
    }
    if len(shown.name) > 1:
        row["database_name"] = shown.name[0]
    if len(shown.name) > 2:
        row["schema_name"] = shown.name[1]
    return row

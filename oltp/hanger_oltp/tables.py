"""The tables as the generator and the check of CSV files know them; oltp/migrations makes them in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["int", "text", "timestamp", "date"]


@dataclass(frozen=True)
class Column:
    """A column; `low` and `high` are included, `references` is a table whose key the value must be."""

    name: str
    kind: Kind = "int"
    length: int = 0
    required: bool = False
    low: int = -(2**31)
    high: int = 2**31 - 1
    references: str | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    `key` are the names of its primary key's columns; `original` tables are those of the guide; generated rows of tables
    with `gaps` have nulls.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    original: bool = True
    gaps: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def fixed_width(self) -> bool:
        """Whether every generated row takes the same number of bytes in PostgreSQL's binary format."""
        return not self.gaps and all(column.kind != "text" for column in self.columns)


def _key(name: str, references: str | None = None) -> Column:
    return Column(name, required=True, references=references)


def _word(name: str, length: int, required: bool = False) -> Column:
    return Column(name, "text", length, required)


def _lookup(table: str, key: str, name: str) -> Table:
    return Table(table, (_key(key), _word(name, 10, required=True)), (key,))


_TABLES = (
    _lookup("membertypes", "member_type_id", "member_type"),
    _lookup("memberstatustypes", "member_status_type_id", "member_status_type"),
    _lookup("addressstati", "address_status_id", "address_status"),
    _lookup("routecolors", "route_color_id", "route_color"),
    _lookup("climbinggrades", "climbing_grade_id", "climbing_grade"),
    Table(
        "members",
        (
            _key("member_id"),
            *(_word(f"member_{name}", 255) for name in ("first_name", "last_name", "gender", "email", "phone")),
            Column("member_age", low=0, high=130),
            Column("member_joined_datetime", "timestamp"),
            Column("member_type", references="membertypes"),
            Column("member_status", references="memberstatustypes"),
        ),
        ("member_id",),
    ),
    Table(
        "memberaddresses",
        (
            _key("member_id", "members"),
            _word("address", 255, required=True),
            _word("state", 2),
            Column("postal_code", low=0),
            _word("city", 30),
            _word("country", 30),
            Column("address_status", references="addressstati"),
        ),
        ("member_id", "address"),
    ),
    Table(
        "climbingsessions",
        (
            _key("climbing_session_id"),
            _key("member_id", "members"),
            Column("scan_in_datetime", "timestamp"),
            Column("scan_out_datetime", "timestamp"),
        ),
        ("climbing_session_id",),
    ),
    Table(
        "routes",
        (
            _key("route_id"),
            Column("gym_quadrant", low=1),
            Column("route_color", references="routecolors"),
            Column("route_grade_id", references="climbinggrades"),
        ),
        ("route_id",),
    ),
    Table(
        "routeclimbs",
        (
            _key("route_climb_id"),
            _key("route_id", "routes"),
            _key("member_id", "members"),
            Column("route_climb_start_datetime", "timestamp"),
            Column("route_climb_end_datetime", "timestamp"),
            Column("route_climb_rating", low=1, high=10),
        ),
        ("route_climb_id",),
    ),
    Table(
        "gyms",
        (
            _key("gym_id"),
            _word("gym_name", 60, required=True),
            _word("gym_city", 30, required=True),
            _word("gym_state", 2, required=True),
            Column("gym_opened_date", "date", required=True),
        ),
        ("gym_id",),
        original=False,
    ),
    Table(
        "membershipplans",
        (
            _key("membership_plan_id"),
            _key("member_type", "membertypes"),
            Column("plan_period_days", low=1),
            Column("plan_price_cents", required=True, low=0),
        ),
        ("membership_plan_id",),
        original=False,
        gaps=True,
    ),
    Table(
        "memberships",
        (
            _key("membership_id"),
            _key("member_id", "members"),
            _key("gym_id", "gyms"),
            _key("membership_plan_id", "membershipplans"),
            Column("membership_start_date", "date", required=True),
            Column("membership_end_date", "date"),
        ),
        ("membership_id",),
        original=False,
        gaps=True,
    ),
    Table(
        "payments",
        (
            _key("payment_id"),
            _key("membership_id", "memberships"),
            Column("payment_datetime", "timestamp", required=True),
            Column("payment_cents", required=True, low=0),
        ),
        ("payment_id",),
        original=False,
    ),
    Table(
        "routesettings",
        (
            _key("route_id", "routes"),
            _key("gym_id", "gyms"),
            Column("route_set_date", "date", required=True),
            Column("route_retired_date", "date"),
        ),
        ("route_id",),
        original=False,
        gaps=True,
    ),
    Table(
        "sessiongyms",
        (_key("climbing_session_id", "climbingsessions"), _key("gym_id", "gyms")),
        ("climbing_session_id",),
        original=False,
    ),
)
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}
"""Every table by its name; a parent stands before its children."""

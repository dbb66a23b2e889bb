"""One gym of a given size, as rows of the ten tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from hanger_oltp import pools
from hanger_oltp.climbing import Visit, make_routes, make_visits
from hanger_oltp.draw import Draw
from hanger_oltp.members import Member, make_addresses, make_members

Row = tuple[object, ...]

HISTORY_DAYS = 365
MEMBERS_PER_SCALE = 50
VISITS_PER_SCALE = 152
ROUTES_PER_SCALE = 12
ROUTES_AT_LEAST = 60

COLUMNS: dict[str, tuple[str, ...]] = {
    "membertypes": ("member_type_id", "member_type"),
    "memberstatustypes": ("member_status_type_id", "member_status_type"),
    "addressstati": ("address_status_id", "address_status"),
    "routecolors": ("route_color_id", "route_color"),
    "climbinggrades": ("climbing_grade_id", "climbing_grade"),
    "members": (
        "member_id",
        "member_first_name",
        "member_last_name",
        "member_gender",
        "member_email",
        "member_phone",
        "member_age",
        "member_joined_datetime",
        "member_type",
        "member_status",
    ),
    "memberaddresses": ("member_id", "address", "state", "postal_code", "city", "country", "address_status"),
    "climbingsessions": ("climbing_session_id", "member_id", "scan_in_datetime", "scan_out_datetime"),
    "routes": ("route_id", "gym_quadrant", "route_color", "route_grade_id"),
    "routeclimbs": (
        "route_climb_id",
        "route_id",
        "member_id",
        "route_climb_start_datetime",
        "route_climb_end_datetime",
        "route_climb_rating",
    ),
}
"""Columns of every table; a parent stands before its children."""


@dataclass(frozen=True)
class Gym:
    """A gym: `scale` 1 has 50 members and about 600 climbs, its last day is the one before `until`."""

    scale: int = 1
    seed: int = 42
    until: date = date(2026, 1, 1)

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError(f"The scale must be at least 1, not {self.scale}.")

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield (table, row), every row after the rows it refers to."""
        yield from _tagged("membertypes", _numbered(name for name, _ in pools.MEMBER_TYPES))
        yield from _tagged("memberstatustypes", _numbered(name for name, _ in pools.MEMBER_STATUSES))
        yield from _tagged("addressstati", _numbered(pools.ADDRESS_STATUSES))
        yield from _tagged("routecolors", _numbered(pools.ROUTE_COLORS))
        yield from _tagged("climbinggrades", _numbered(pools.GRADES))
        members = self._members()
        draw = Draw(self.seed, "contacts")
        for member in members:
            yield "members", member.row(draw)
            yield from _tagged("memberaddresses", make_addresses(member, self.seed))
        routes = make_routes(ROUTES_AT_LEAST + ROUTES_PER_SCALE * self.scale, self.seed)
        yield from _tagged("routes", (route.row() for route in routes))
        count = VISITS_PER_SCALE * self.scale
        yield from _visit_rows(make_visits(count, members, routes, self.seed, self._start, HISTORY_DAYS))

    @property
    def _start(self) -> date:
        return self.until - timedelta(days=HISTORY_DAYS)

    def _members(self) -> list[Member]:
        return list(make_members(MEMBERS_PER_SCALE * self.scale, self.seed, self._start, HISTORY_DAYS))


def _numbered(names: Iterable[str]) -> Iterator[Row]:
    return ((number, name) for number, name in enumerate(names, 1))


def _tagged(table: str, rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    return ((table, row) for row in rows)


def _visit_rows(visits: Iterable[Visit]) -> Iterator[tuple[str, Row]]:
    climb_id = 0
    for number, visit in enumerate(visits, 1):
        day = f"{visit.day:%Y/%m/%d} "
        member_id = visit.member.id
        yield "climbingsessions", (number, member_id, day + _clock(visit.scan_in), day + _clock(visit.scan_out))
        for climb in visit.climbs:
            climb_id += 1
            times = (day + _clock(climb.start), day + _clock(climb.end))
            yield "routeclimbs", (climb_id, climb.route.id, member_id, *times, climb.rating)


def _clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}"

"""Gyms and their walls: eight sections, one of which gets new routes every week."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hanger_oltp import pools
from hanger_oltp.chain import HISTORY_DAYS, NULL, Chain, Chunk, numbered
from hanger_oltp.draw import BELL, Ints, below, field

SECTIONS = 8
WEEK = 7
LIFE_DAYS = SECTIONS * WEEK
WEEKS = SECTIONS + HISTORY_DAYS // WEEK
"""Weeks in which routes were set: those of the history, and as many before as fill the walls."""
_GRADE_MEAN, _GRADE_SPREAD = 85, 42
_CITY_YEARS = 4


class Walls:
    """The routes of a chain: numbered by the week in which they were set, then the gym."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.per_section = chain.routes_per_section
        self.count = WEEKS * chain.gyms * self.per_section
        self._gyms, self._routes = chain.stream("gyms"), chain.stream("routes")

    def on_wall(self, gyms: Ints, day: int, sections: Ints, places: Ints) -> Ints:
        """Return the routes that are at the places of the sections on a day."""
        week = (day + self._phase(gyms)) // WEEK
        return self._first(week - (week - sections) % SECTIONS, gyms) + places

    def place(self, ids: Ints) -> tuple[Ints, Ints, Ints]:
        """Return gym, day of setting and section of routes."""
        weeks, rest = np.divmod(ids - 1, self.chain.gyms * self.per_section)
        weeks -= SECTIONS - 1
        gyms = rest // self.per_section
        return gyms, weeks * WEEK - self._phase(gyms), weeks % SECTIONS

    def grades(self, ids: Ints) -> Ints:
        """Return the grade, an index of pools.GRADES."""
        tenths = _GRADE_MEAN + _GRADE_SPREAD * BELL[field(self._routes.bits(ids), 0)] // 1000
        return np.clip((tenths + 5) // 10, 0, len(pools.GRADES) - 1)

    def appeal(self, ids: Ints) -> Ints:
        """Return how much better than others they are liked, in thousandths of a standard deviation."""
        return BELL[field(self._routes.bits(ids), 12)]

    def colors(self, ids: Ints) -> Ints:
        """Return the colour of the holds."""
        return 1 + below(self._routes.bits(ids), 24, len(pools.ROUTE_COLORS))

    def _phase(self, gyms: Ints) -> Ints:
        return field(self._gyms.bits(gyms), 0, 2)

    def _first(self, weeks: Ints, gyms: Ints) -> Ints:
        return ((weeks + SECTIONS - 1) * self.chain.gyms + gyms) * self.per_section + 1


def wall_rows(walls: Walls) -> Iterator[Chunk]:
    """Yield the gyms, the routes, and when those were on the wall."""
    chain = walls.chain
    opened = chain.epoch - 365 * _CITY_YEARS
    for ids in numbered(1, chain.gyms):
        rounds, places = np.divmod(ids - 1, len(pools.CITIES))
        cities = [pools.CITIES[place] for place in places.tolist()]
        names = [
            f"The Hanger {city[0]}" + (f" {turn + 1}" if turn else "")
            for city, turn in zip(cities, rounds.tolist(), strict=True)
        ]
        yield "gyms", (ids, names, [city[0] for city in cities], [city[1] for city in cities], opened - ids % 700)
    for ids in numbered(1, walls.count):
        gyms, days, sections = walls.place(ids)
        yield "routes", (ids, sections // 2 + 1, walls.colors(ids), walls.grades(ids) + 1)
        retired = days + LIFE_DAYS
        ends = np.where(retired < HISTORY_DAYS, retired + chain.epoch, NULL)
        yield "routesettings", (ids, gyms + 1, days + chain.epoch, ends)

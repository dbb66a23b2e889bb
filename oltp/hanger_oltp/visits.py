"""What happens in the gyms: members come, climb what is on the wall, and go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hanger_oltp.chain import CHUNK, DAY, FIRST_DAY, Chain, Chunk
from hanger_oltp.draw import BELL, Bits, Ints, below, field, weighted
from hanger_oltp.people import People
from hanger_oltp.walls import Walls

MINUTE, HOUR = 60, 3600
_WEEKDAY_HOURS = 6 + weighted((3, 4, 3, 2, 2, 3, 5, 3, 2, 3, 6, 11, 13, 9, 4))
_WEEKEND_HOURS = 9 + weighted((4, 8, 10, 9, 8, 9, 8, 6, 3, 1))
_CLIMBS = weighted((4, 5, 12, 19, 22, 17, 11, 6, 3, 1))
_MOST_CLIMBS = 10
_LAST_START = 22 * HOUR + 15 * MINUTE
_ROUNDS = 12
_AWAY_SHARE = 330
"""Of 4096 visits, those to another gym than the member's own."""
_CANDIDATES = 3
"""Routes at which a climber looks before the one nearest to the own grade is taken."""


@dataclass(frozen=True)
class _Climbs:
    visits: Ints
    routes: Ints
    starts: Ints
    ends: Ints
    ratings: Ints


class Days:
    """The visits of a chain, day by day."""

    def __init__(self, chain: Chain, people: People, walls: Walls) -> None:
        self.chain, self.people, self.walls = chain, people, walls
        self._guests, self._visits, self._climbs, self._tastes, self._leaving = (
            chain.stream(name) for name in ("guests", "visits", "climbs", "tastes", "leaving")
        )

    def rows(self, days: range) -> Iterator[Chunk]:
        """Yield climbingsessions, sessiongyms and routeclimbs of consecutive days in the order of their scans.

        Their numbers begin at 1 with the first of the days.
        """
        visit = climb = 1
        for day in days:
            members, arrivals = self._arrivals(day)
            for start in range(0, len(members), CHUNK):
                part = slice(start, start + CHUNK)
                ids = np.arange(visit, visit + len(members[part]))
                visit += len(ids)
                gyms = self._gyms(ids, members[part])
                climbs, departures = self._climbing(day, ids, members[part], gyms, arrivals[part])
                midnight = (day + self.chain.epoch) * DAY
                times = (arrivals[part] + midnight, departures + midnight)
                yield "climbingsessions", (ids, members[part], *times)
                yield "sessiongyms", (ids, gyms + 1)
                climb_ids = np.arange(climb, climb + len(climbs.routes))
                climb += len(climb_ids)
                climbers = members[part][climbs.visits]
                times = (climbs.starts + midnight, climbs.ends + midnight)
                yield "routeclimbs", (climb_ids, climbs.routes, climbers, *times, climbs.ratings)

    def _arrivals(self, day: int) -> tuple[Ints, Ints]:
        members = self._present(day, self.chain.visits[day])
        hours = _WEEKEND_HOURS if self.chain.is_weekend(day) else _WEEKDAY_HOURS
        bits = self._guests.bits(_counters(day, len(members)) + (1 << 36))
        times = hours[field(bits, 0)] * HOUR + below(bits, 12, HOUR, 16)
        order = np.argsort(times, kind="stable")
        return members[order], times[order]

    def _present(self, day: int, count: int) -> Ints:
        joined = int(self.chain.joined_before[day - FIRST_DAY])
        found = np.empty(0, np.int64)
        drawn = 0
        for _ in range(_ROUNDS):
            wanted = 2 * (count - len(found)) + 8
            ids = self.people.eager(self._guests.bits(_counters(day, wanted) + drawn), joined)
            drawn += wanted
            ids = ids[ids <= joined]
            found = np.concatenate((found, ids[self.people.away(ids) > day]))
            _, first = np.unique(found, return_index=True)
            found = found[np.sort(first)][:count]
            if len(found) == count:
                break
        return found

    def _gyms(self, ids: Ints, members: Ints) -> Ints:
        bits = self._visits.bits(ids)
        elsewhere = below(bits, 12, self.chain.gyms, 24)
        return np.where(field(bits, 0) < _AWAY_SHARE, elsewhere, self.people.gyms(members))

    def _climbing(self, day: int, ids: Ints, members: Ints, gyms: Ints, arrivals: Ints) -> tuple[_Climbs, Ints]:
        bits = self._visits.bits(ids)
        counts = _CLIMBS[field(bits, 36)]
        visits = np.repeat(np.arange(len(ids)), counts)
        places = np.arange(len(visits)) - np.repeat(np.cumsum(counts) - counts, counts)
        counters = ids[visits] * _MOST_CLIMBS + places
        routes, effort = self._routes(day, self._climbs.bits(counters), members, gyms, visits)
        tastes = self._tastes.bits(counters)
        lasting = 70 + below(tastes, 0, 260) + 2 * effort
        resting = 3 * MINUTE + below(tastes, 12, 10 * MINUTE)
        elapsed = np.cumsum(lasting + resting) - lasting - resting
        warm = arrivals + 6 * MINUTE + below(bits, 48, 12 * MINUTE)
        first = np.minimum(np.cumsum(counts) - counts, max(0, len(visits) - 1))
        begun = elapsed[first] if len(visits) else np.zeros_like(ids)
        starts = warm[visits] + elapsed - begun[visits]
        liking = 6800 + (1300 * self.walls.appeal(routes) + 1100 * BELL[field(tastes, 24)]) // 1000 - 15 * effort
        ratings = np.clip(liking // 1000, 1, 10)
        kept = starts <= _LAST_START
        ends = starts + lasting
        leaving = warm + 10 * MINUTE
        np.maximum.at(leaving, visits[kept], ends[kept])
        departures = leaving + 5 * MINUTE + below(self._leaving.bits(ids), 0, 20 * MINUTE)
        climbs = _Climbs(visits[kept], routes[kept], starts[kept], ends[kept], ratings[kept])
        return climbs, departures

    def _routes(self, day: int, bits: Bits, members: Ints, gyms: Ints, visits: Ints) -> tuple[Ints, Ints]:
        skill = self.people.skill(members, day)[visits]
        here = gyms[visits]
        best = effort = np.empty(0, np.int64)
        for number in range(_CANDIDATES):
            sections = field(bits, number * 16, 3)
            places = below(bits, number * 16 + 3, self.walls.per_section, 13)
            routes = self.walls.on_wall(here, day, sections, places)
            efforts = 10 * self.walls.grades(routes) - skill
            if not number:
                best, effort = routes, efforts
                continue
            nearer = np.abs(efforts) < np.abs(effort)
            best, effort = np.where(nearer, routes, best), np.where(nearer, efforts, effort)
        return best, np.maximum(0, effort)


def _counters(day: int, count: int) -> Ints:
    return np.arange(count) + (day << 40)

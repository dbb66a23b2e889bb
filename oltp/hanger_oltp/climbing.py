"""What happens in the gym: routes come and go, members visit and climb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hanger_oltp import pools
from hanger_oltp.draw import Draw, Weighted, apportion
from hanger_oltp.members import Member

WEEKDAY_WEIGHTS = (1.15, 1.2, 1.2, 1.05, 0.85, 1.1, 1.0)
MONTH_WEIGHTS = (1.35, 1.25, 1.15, 1.0, 0.85, 0.75, 0.7, 0.75, 0.95, 1.05, 1.2, 1.0)
MINUTE, HOUR = 60, 3600
_WEEKDAY_HOURS = Weighted(range(6, 21), (3, 4, 3, 2, 2, 3, 5, 3, 2, 3, 6, 11, 13, 9, 4))
_WEEKEND_HOURS = Weighted(range(9, 19), (4, 8, 10, 9, 8, 9, 8, 6, 3, 1))
_CLIMBS = Weighted((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (4, 5, 12, 19, 22, 17, 11, 6, 3, 1))
_LAST_START = 22 * HOUR + 15 * MINUTE
_ATTEMPTS_AT_A_MEMBER = 200


@dataclass(frozen=True, slots=True)
class Route:
    """A set route; `grade` is an index of pools.GRADES, `appeal` moves its ratings."""

    id: int
    quadrant: int
    color_id: int
    grade: int
    appeal: float

    def row(self) -> tuple[object, ...]:
        """Return the route's row of the table `routes`."""
        return self.id, self.quadrant, self.color_id, self.grade + 1


@dataclass(frozen=True, slots=True)
class Climb:
    """One climb; times are seconds after midnight of its day."""

    route: Route
    start: int
    end: int
    rating: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of a member; times are seconds after midnight of its day."""

    member: Member
    day: date
    scan_in: int
    scan_out: int
    climbs: Sequence[Climb]


def make_routes(count: int, seed: int) -> list[Route]:
    """Return the routes in the order they were set."""
    draw = Draw(seed, "routes")
    highest = len(pools.GRADES) - 1
    return [
        Route(
            id=number,
            quadrant=(number - 1) // 10 % pools.QUADRANTS + 1,
            color_id=draw.between(1, len(pools.ROUTE_COLORS)),
            grade=min(highest, max(0, round(8.5 + 4.2 * draw.bell()))),
            appeal=draw.bell(),
        )
        for number in range(1, count + 1)
    ]


def make_visits(
    count: int, members: Sequence[Member], routes: Sequence[Route], seed: int, start: date, days: int
) -> Iterator[Visit]:
    """Yield visits in the order of their scans, one per member and day at most.

    Routes are on the wall for a sixth of the history: a visit only meets those of its time.
    """
    weights = [day_weight(start + timedelta(days=number)) for number in range(days)]
    crowd = Weighted(members, [member.eagerness for member in members])
    on_wall = min(len(routes), max(40, len(routes) // 6))
    joined = 0
    for number, visits in enumerate(apportion(count, weights)):
        while joined < len(members) and members[joined].joined < number:
            joined += 1
        draw = Draw(seed, "day", number)
        first = round((len(routes) - on_wall) * number / days)
        wall = routes[first : first + on_wall]
        day = start + timedelta(days=number)
        guests = _guests(draw, crowd, joined, visits, number)
        hours = _WEEKEND_HOURS if day.weekday() >= 5 else _WEEKDAY_HOURS
        arrivals = sorted(hours.draw(draw) * HOUR + draw.between(0, HOUR - 1) for _ in guests)
        for member, arrival in zip(guests, arrivals, strict=True):
            yield _visit(draw, member, day, number, arrival, wall)


def day_weight(day: date) -> float:
    """Return how busy a day is: evenings in winter fill a gym, summer weekends empty it."""
    return WEEKDAY_WEIGHTS[day.weekday()] * MONTH_WEIGHTS[day.month - 1]


def _guests(draw: Draw, crowd: Weighted[Member], joined: int, count: int, day: int) -> list[Member]:
    guests: dict[int, Member] = {}
    attempts = count * _ATTEMPTS_AT_A_MEMBER
    while len(guests) < count and attempts:
        attempts -= 1
        member = crowd.draw(draw, joined)
        if member.left is None or member.left > day:
            guests.setdefault(member.id, member)
    return list(guests.values())


def _visit(draw: Draw, member: Member, day: date, number: int, scan_in: int, wall: Sequence[Route]) -> Visit:
    skill = member.skill + member.progress * (number - max(member.joined, 0))
    clock = scan_in + draw.between(6 * MINUTE, 18 * MINUTE)
    climbs: list[Climb] = []
    for _ in range(_CLIMBS.draw(draw)):
        if clock > _LAST_START:
            break
        route = min((draw.choice(wall) for _ in range(4)), key=lambda route: abs(route.grade - skill))
        effort = route.grade - skill
        end = clock + draw.between(70, 330) + int(max(0.0, effort) * 25)
        taste = 6.3 + 1.3 * route.appeal + 1.1 * draw.bell() - 0.15 * max(0.0, effort)
        climbs.append(Climb(route, clock, end, min(10, max(1, round(taste)))))
        clock = end + draw.between(3 * MINUTE, 13 * MINUTE)
    return Visit(member, day, scan_in, clock + draw.between(2 * MINUTE, 25 * MINUTE), climbs)

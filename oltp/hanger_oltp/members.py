"""People: who they are, where they live, how often and how hard they climb."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hanger_oltp import pools
from hanger_oltp.draw import Draw, Weighted

JOINED_BEFORE = 0.45
YEARS_BEFORE = 3

_TYPES = Weighted(range(len(pools.MEMBER_TYPES)), [share for _, share in pools.MEMBER_TYPES])
_STATUSES = Weighted(range(len(pools.MEMBER_STATUSES)), [share for _, share in pools.MEMBER_STATUSES])
_GENDERS = Weighted([name for name, _ in pools.GENDERS], [share for _, share in pools.GENDERS])
_CITIES = Weighted(pools.CITIES, [city[3] for city in pools.CITIES])
_CURRENT, _FORMER, _MAILING = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Member:
    """One person. `joined` and `left` are days since the history begins; `skill` is an index of pools.GRADES."""

    id: int
    joined: int
    left: int | None
    eagerness: float
    skill: float
    progress: float
    joined_at: datetime
    first_name: str
    last_name: str
    gender: str
    age: int
    type_id: int
    status_id: int

    def row(self, draw: Draw) -> tuple[object, ...]:
        """Return the member's row of the table `members`."""
        phone = f"({draw.between(201, 989)}) 555-{draw.between(100, 199):04}"
        email = f"{self.first_name}.{self.last_name}{self.id}@{draw.choice(pools.EMAIL_DOMAINS)}".lower()
        person = (self.first_name, self.last_name, self.gender, email, phone, self.age)
        return (self.id, *person, f"{self.joined_at:%Y/%m/%d %H:%M:%S}", self.type_id, self.status_id)


def make_members(count: int, seed: int, start: date, days: int) -> Iterator[Member]:
    """Yield members in the order they joined; the history begins at `start` and lasts `days`."""
    for number in range(1, count + 1):
        draw = Draw(seed, "member", number)
        share = (number - draw.unit()) / count
        joined = _joining_day(share, days)
        status = _STATUSES.draw(draw)
        gender = _GENDERS.draw(draw)
        names = pools.FIRST_NAMES.get(gender) or pools.FIRST_NAMES[draw.choice(("Female", "Male"))]
        leaves = pools.MEMBER_STATUSES[status][0] in pools.LEFT_STATUSES
        yield Member(
            id=number,
            joined=joined,
            left=draw.between(max(joined, 0), days - 1) if leaves else None,
            eagerness=0.15 + draw.unit() ** 3 * 3,
            skill=max(0.0, 7 + 3.2 * draw.bell()),
            progress=draw.unit() * 3 / 365,
            joined_at=datetime.combine(start, datetime.min.time())
            + timedelta(days=joined, seconds=draw.between(7 * 3600, 21 * 3600 - 1)),
            first_name=draw.choice(names),
            last_name=draw.choice(pools.LAST_NAMES),
            gender=gender,
            age=max(13, min(78, round(31 + 9 * draw.bell() + 6 * draw.unit()))),
            type_id=_TYPES.draw(draw) + 1,
            status_id=status + 1,
        )


def _joining_day(share: float, days: int) -> int:
    if share < JOINED_BEFORE:
        return -1 - int((1 - share / JOINED_BEFORE) * YEARS_BEFORE * 365)
    return int((share - JOINED_BEFORE) / (1 - JOINED_BEFORE) * days)


def make_addresses(member: Member, seed: int) -> Iterator[tuple[object, ...]]:
    """Yield the member's rows of `memberaddresses`: a current address, sometimes a former and a mailing one."""
    draw = Draw(seed, "addresses", member.id)
    statuses = [_CURRENT]
    if draw.unit() < 0.24:
        statuses.append(_FORMER)
    if draw.unit() < 0.06:
        statuses.append(_MAILING)
    seen: set[str] = set()
    for status in statuses:
        city, state, postal_code, _ = _CITIES.draw(draw)
        line = f"{draw.between(10, 9899)} {draw.choice(pools.STREETS)} {draw.choice(pools.STREET_KINDS)}"
        if line not in seen:
            seen.add(line)
            yield member.id, line, state, postal_code + draw.between(0, 4), city, pools.COUNTRY, status

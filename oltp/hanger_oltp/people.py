"""Members: who they are, when they come and go, how hard they climb. Each is a function of the chain and a number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hanger_oltp import pools
from hanger_oltp.chain import DAY, FIRST_DAY, HISTORY_DAYS, NULL, Chain, Chunk, numbered
from hanger_oltp.draw import BELL, DECAY, Bits, Ints, below, field, weighted

MONTHLY, ANNUAL, STUDENT, PUNCH_CARD, DAY_PASS = range(1, 6)
ACTIVE, FROZEN, INACTIVE, CANCELLED = range(1, 5)
PERIOD_DAYS = (0, 30, 365, 30, 90, NULL)
PRICE_CENTS = (0, 8900, 89000, 6400, 18000, 2200)
"""By the kind of membership, whose number is the index."""

BLOCK = 64
"""Members of a block differ in eagerness, each block has them in another order."""
_EAGERNESS = weighted([0.15 + 3 * ((rank + 0.5) / BLOCK) ** 3 for rank in range(BLOCK)])
_LIFETIME_DAYS = np.array([0, 900, 1600, 600, 600, 20])
_PERIODS = np.array([1, 30, 365, 30, 90, 1])
_TYPES = weighted([share for _, share in pools.MEMBER_TYPES]) + 1
_GENDERS = weighted([share for _, share in pools.GENDERS])
_FREEZABLE = np.array([False, True, True, True, False, False])
_GENDER_NAMES = [name for name, _ in pools.GENDERS]
_NAMES = [pools.FIRST_NAMES["Female"], pools.FIRST_NAMES["Male"]]
_FIRST_SHIFT, _SECOND_SHIFT, _THIRD_SHIFT, _FOURTH_SHIFT = 12, 24, 36, 48
_AGE_MEAN, _AGE_SPREAD, _YOUNGEST, _OLDEST = 31, 10, 13, 78
_CURRENT, _FORMER, _MAILING = 1, 2, 3
_FORMER_SHARE, _MAILING_SHARE = 980, 250
_FROZEN_SHARE, _CANCELLED_SHARE = 410, 1640


class People:
    """The members of a chain, asked for by their numbers."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._life, self._body, self._blocks = (chain.stream(name) for name in ("life", "body", "blocks"))

    def joined(self, ids: Ints) -> Ints:
        """Return the day on which they joined; a greater number never joined earlier."""
        days: Ints = np.searchsorted(self.chain.joined_before, ids - 1, side="right") - 1 + FIRST_DAY
        return days

    def joined_at(self, ids: Ints) -> Ints:
        """Return the moment at which they joined, during opening hours."""
        return self.joined(ids) * DAY + 7 * 3600 + below(self._body.bits(ids), 48, 14 * 3600, 16)

    def types(self, ids: Ints) -> Ints:
        """Return the kind of membership."""
        types: Ints = _TYPES[field(self._life.bits(ids), 0)]
        return types

    def left(self, ids: Ints) -> Ints:
        """Return the day on which the membership ended, after the history for who is still a member.

        Memberships last whole periods, their number drawn from an exponential distribution.
        """
        bits = self._life.bits(ids)
        types = _TYPES[field(bits, 0)]
        periods = 1 + DECAY[field(bits, _FIRST_SHIFT)] * _LIFETIME_DAYS[types] // (1000 * _PERIODS[types])
        days: Ints = self.joined(ids) + periods * _PERIODS[types]
        return days

    def away(self, ids: Ints) -> Ints:
        """Return the first day on which they no longer come: they left, or their membership is frozen."""
        bits = self._life.bits(ids)
        since = HISTORY_DAYS - 1 - below(bits, _FOURTH_SHIFT, 90)
        frozen = (field(bits, _SECOND_SHIFT) < _FROZEN_SHARE) & _FREEZABLE[_TYPES[field(bits, 0)]]
        return np.minimum(self.left(ids), np.where(frozen & (since > self.joined(ids)), since, HISTORY_DAYS))

    def statuses(self, ids: Ints) -> Ints:
        """Return the state of the membership at the end of the history."""
        gone = np.where(field(self._life.bits(ids), _THIRD_SHIFT) < _CANCELLED_SHARE, CANCELLED, INACTIVE)
        staying = np.where(self.away(ids) < HISTORY_DAYS, FROZEN, ACTIVE)
        return np.where(self.left(ids) < HISTORY_DAYS, gone, staying)

    def ranks(self, ids: Ints) -> Ints:
        """Return how eager they are, from 0 to BLOCK - 1."""
        blocks = (ids - 1) // BLOCK
        return ((ids - 1) % BLOCK) ^ field(self._blocks.bits(blocks), 0, 6)

    def eager(self, bits: Bits, count: int) -> Ints:
        """Draw from the first `count` members, the eager ones more often; numbers beyond `count` may come out."""
        blocks = below(bits, 12, -(-count // BLOCK), 32)
        return blocks * BLOCK + (_EAGERNESS[field(bits, 0)] ^ field(self._blocks.bits(blocks), 0, 6)) + 1

    def gyms(self, ids: Ints) -> Ints:
        """Return the home gym, from 0."""
        return below(self._body.bits(ids), 0, self.chain.gyms, 24)

    def skill(self, ids: Ints, day: int) -> Ints:
        """Return the grade that they climb well on a day, in tenths; it grows for two years, faster for the eager."""
        bits, ranks = self._body.bits(ids), self.ranks(ids)
        start = 65 + 30 * BELL[field(bits, 24)] // 1000 + ranks // 4
        yearly = 3 + below(bits, 36, 20) + ranks // 3
        grades: Ints = np.maximum(0, start) + yearly * np.minimum(day - self.joined(ids), 730) // 365
        return grades


def member_rows(people: People) -> Iterator[Chunk]:
    """Yield members, each chunk with its addresses and memberships behind it."""
    chain = people.chain
    looks, contacts = chain.stream("looks"), chain.stream("contacts")
    for ids in numbered(1, chain.members):
        bits, more = looks.bits(ids), contacts.bits(ids)
        genders = _GENDERS[field(bits, 0)]
        names = np.where(genders < len(_NAMES), genders, field(bits, 62, 1))
        first = [_NAMES[kind][place % len(_NAMES[kind])] for kind, place in _pairs(names, field(bits, 12, 16))]
        last = [pools.LAST_NAMES[place] for place in below(bits, 28, len(pools.LAST_NAMES)).tolist()]
        domains = [pools.EMAIL_DOMAINS[place] for place in below(more, 0, len(pools.EMAIL_DOMAINS)).tolist()]
        parts = zip(first, last, ids.tolist(), domains, strict=True)
        emails = [f"{given}.{family}{number}@{domain}".lower() for given, family, number, domain in parts]
        phones = [
            f"({area}) 555-{line:04}" for area, line in _pairs(201 + below(more, 12, 789), 100 + below(more, 24, 100))
        ]
        ages = np.clip(_AGE_MEAN + _AGE_SPREAD * BELL[field(bits, 40)] // 1000 + ids % 3, _YOUNGEST, _OLDEST)
        moments = people.joined_at(ids) + chain.epoch * DAY
        kinds = people.types(ids)
        gender_names = [_GENDER_NAMES[kind] for kind in genders.tolist()]
        status = people.statuses(ids)
        yield "members", (ids, first, last, gender_names, emails, phones, ages, moments, kinds, status)
        yield _addresses(people, ids)
        left = people.left(ids)
        ends = np.where(left < HISTORY_DAYS, left + chain.epoch, NULL)
        yield (
            "memberships",
            (ids, ids, people.gyms(ids) + 1, kinds, people.joined(ids) + chain.epoch, ends),
        )


def _addresses(people: People, ids: Ints) -> Chunk:
    homes = people.chain.stream("homes")
    have = homes.bits(ids * 4)
    statuses = np.array([_CURRENT, _FORMER, _MAILING])
    held = np.stack([np.ones_like(ids) > 0, field(have, 40) < _FORMER_SHARE, field(have, 52) < _MAILING_SHARE], axis=1)
    rows, kinds = np.nonzero(held)
    owners, kinds = ids[rows], statuses[kinds]
    bits = homes.bits(owners * 4 + kinds)
    # The number keeps a member's addresses apart: its remainder is the address's status.
    numbers = 10 + below(bits, 0, 3000) * 3 + kinds
    streets = zip(
        numbers.tolist(),
        below(bits, 12, len(pools.STREETS)).tolist(),
        below(bits, 24, len(pools.STREET_KINDS)).tolist(),
        strict=True,
    )
    lines = [f"{number} {pools.STREETS[street]} {pools.STREET_KINDS[kind]}" for number, street, kind in streets]
    cities = np.where(kinds == _FORMER, below(bits, 36, len(pools.CITIES)), people.gyms(owners) % len(pools.CITIES))
    places = [pools.CITIES[place] for place in cities.tolist()]
    codes = np.array([place[2] for place in places]) + below(bits, 48, 5)
    states, names = [place[1] for place in places], [place[0] for place in places]
    return "memberaddresses", (owners, lines, states, codes, names, [pools.COUNTRY] * len(owners), kinds)


def _pairs(first: Ints, second: Ints) -> Iterator[tuple[int, int]]:
    return zip(first.tolist(), second.tolist(), strict=True)

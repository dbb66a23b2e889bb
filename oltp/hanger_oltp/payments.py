"""What members pay: the price of a period on its first day, as long as they are members and not frozen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hanger_oltp.chain import CHUNK, DAY, FIRST_DAY, Chain, Chunk
from hanger_oltp.draw import Ints, below
from hanger_oltp.people import ANNUAL, DAY_PASS, MONTHLY, PERIOD_DAYS, PRICE_CENTS, PUNCH_CARD, STUDENT, People

_OPENS = 8 * 3600
_PRICES = np.array(PRICE_CENTS)
_KINDS = ((MONTHLY, STUDENT), (ANNUAL,), (PUNCH_CARD,), (DAY_PASS,))


def payment_rows(people: People, days: range) -> Iterator[Chunk]:
    """Yield the payments of consecutive days; their numbers begin at 1 with the first of the days."""
    chain = people.chain
    stream = chain.stream("payments")
    number = 1
    for day in days:
        for kinds in _KINDS:
            for ids in _due(chain, day, PERIOD_DAYS[kinds[0]]):
                types = people.types(ids)
                paying = ids[np.isin(types, kinds) & (people.away(ids) > day)]
                if not len(paying):
                    continue
                joined_at = people.joined_at(paying)
                later = day * DAY + _OPENS + below(stream.bits(paying * 4096 + (day - FIRST_DAY)), 0, 12 * 3600, 16)
                moments = np.where(joined_at >= day * DAY, joined_at, later) + chain.epoch * DAY
                numbers = np.arange(number, number + len(paying))
                number += len(paying)
                yield "payments", (numbers, paying, moments, _PRICES[people.types(paying)])


def _due(chain: Chain, day: int, period: int) -> Iterator[Ints]:
    """Yield members who joined a whole number of periods ago, some at a time."""
    last = FIRST_DAY if period > 0 else day
    days = np.arange(day, last - 1, -abs(period))
    starts = chain.joined_before[days - FIRST_DAY]
    counts = chain.joined_before[days - FIRST_DAY + 1] - starts
    ends = np.cumsum(counts)
    for low in range(0, int(ends[-1]), CHUNK):
        places = np.arange(low, min(low + CHUNK, int(ends[-1])))
        spans = np.searchsorted(ends, places, side="right")
        yield starts[spans] + places - (ends - counts)[spans] + 1


def plan_rows() -> Iterator[Chunk]:
    """Yield what each kind of membership costs."""
    ids = np.arange(1, len(PRICE_CENTS))
    yield "membershipplans", (ids, ids, np.array(PERIOD_DAYS[1:]), np.array(PRICE_CENTS[1:]))

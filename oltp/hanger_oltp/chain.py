"""A chain of gyms of a given size: how many of what, and when it all happens.

Days are numbered from the first day of the history, negative before it; moments are seconds on the same axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from hanger_oltp.draw import Ints, Stream, apportion

HISTORY_DAYS = 365
YEARS_BEFORE = 3
FIRST_DAY = -365 * YEARS_BEFORE
MEMBERS_PER_SCALE = 50
VISITS_PER_SCALE = 152
MEMBERS_PER_GYM = 1250
HIGHEST_SCALE = 1_000_000
CHUNK = 1 << 15
"""Rows that are made at a time."""
DAY = 86_400
NULL = -(2**31)
"""Stands for NULL in a column of numbers."""

WEEKDAY_WEIGHTS = (1.15, 1.2, 1.2, 1.05, 0.85, 1.1, 1.0)
MONTH_WEIGHTS = (1.35, 1.25, 1.15, 1.0, 0.85, 0.75, 0.7, 0.75, 0.95, 1.05, 1.2, 1.0)
JOINING_WEIGHTS = (1.6, 1.2, 1.0, 0.9, 0.8, 0.75, 0.75, 0.85, 1.3, 1.1, 1.0, 0.9)
YEARLY_GROWTH = 0.2
DAILY_LOSS = 1 / 900
_POSTGRES_EPOCH = date(2000, 1, 1)

Chunk = tuple[str, Sequence[Any]]
"""The name of a table and its columns: arrays of numbers, or lists of words. Dates count from 2000-01-01, in days;
timestamps in seconds."""


@dataclass(frozen=True)
class Chain:
    """A chain: `scale` 1 has 50 members and about 600 climbs, its last day is the one before `until`."""

    scale: int = 1
    seed: int = 42
    until: date = date(2026, 1, 1)

    def __post_init__(self) -> None:
        if not 1 <= self.scale <= HIGHEST_SCALE:
            raise ValueError(f"The scale must be from 1 to {HIGHEST_SCALE}, not {self.scale}.")

    @property
    def members(self) -> int:
        """Return the number of people who are or were members."""
        return MEMBERS_PER_SCALE * self.scale

    @property
    def gyms(self) -> int:
        """Return the number of gyms."""
        return max(1, round(self.members / MEMBERS_PER_GYM))

    @property
    def routes_per_section(self) -> int:
        """Return how many routes one section of a wall has; a small gym has a small wall."""
        return min(6, max(2, self.members // self.gyms // 200))

    @property
    def epoch(self) -> int:
        """Return the first day of the history, counted as PostgreSQL counts days."""
        return (self._date(0) - _POSTGRES_EPOCH).days

    def stream(self, name: str) -> Stream:
        """Return the draws of one purpose."""
        return Stream(self.seed, name)

    def is_weekend(self, day: int) -> bool:
        """Tell whether a day is a Saturday or a Sunday."""
        return self._date(day).weekday() >= 5

    @cached_property
    def joined_before(self) -> Ints:
        """Return how many members had joined before each day, from FIRST_DAY to the day after the history."""
        weights = [
            JOINING_WEIGHTS[self._date(day).month - 1] * (1 + YEARLY_GROWTH * (day - FIRST_DAY) / 365)
            for day in range(FIRST_DAY, HISTORY_DAYS)
        ]
        return np.array([0, *accumulate(apportion(self.members, weights))])

    @cached_property
    def visits(self) -> list[int]:
        """Return how many visits each day of the history is meant to have."""
        active, weights = 0.0, []
        for day, joined in zip(range(FIRST_DAY, HISTORY_DAYS), np.diff(self.joined_before).tolist(), strict=True):
            active = active * (1 - DAILY_LOSS) + joined
            when = self._date(day)
            weights.append(active * WEEKDAY_WEIGHTS[when.weekday()] * MONTH_WEIGHTS[when.month - 1])
        return apportion(VISITS_PER_SCALE * self.scale, weights[-HISTORY_DAYS:])

    def _date(self, day: int) -> date:
        return self.until + timedelta(days=day - HISTORY_DAYS)


def numbered(first: int, last: int, size: int = CHUNK) -> Iterator[Ints]:
    """Yield the numbers from first to last, the last included, some at a time."""
    for start in range(first, last + 1, size):
        yield np.arange(start, min(start + size, last + 1))

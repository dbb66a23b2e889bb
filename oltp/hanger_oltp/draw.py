"""Random draws that every Python version repeats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw:
    """A stream of draws. It uses Random.random() alone, the only method whose sequence Python promises to keep."""

    def __init__(self, *seed: int | str) -> None:
        self.unit = Random(":".join(map(str, seed))).random  # noqa: S311

    def between(self, low: int, high: int) -> int:
        """Return an integer, both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def choice(self, items: Sequence[T]) -> T:
        """Return one of the items, all equally likely."""
        return items[int(self.unit() * len(items))]

    def bell(self) -> float:
        """Return a number around 0 with standard deviation 1, never beyond ±3."""
        unit = self.unit
        return (unit() + unit() + unit() - 1.5) * 2


class Weighted(Generic[T]):
    """Items of unequal likelihood; the first `limit` of them can be drawn alone."""

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        self.items = items
        self._sums = list(accumulate(weights))

    def draw(self, draw: Draw, limit: int | None = None) -> T:
        """Return one of the items."""
        end = len(self.items) if limit is None else limit
        return self.items[min(bisect_right(self._sums, draw.unit() * self._sums[end - 1], 0, end), end - 1)]


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split a total into whole parts in proportion to the weights; the parts add up to the total."""
    sums = [0.0, *accumulate(weights)]
    marks = [round(total * mark / sums[-1]) for mark in sums]
    return [end - start for start, end in pairwise(marks)]

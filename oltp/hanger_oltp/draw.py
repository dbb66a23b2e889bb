"""Random draws that every machine repeats: integer arithmetic on a counter, so that any of them can be asked for alone.

The mixing function is the finalizer of SplitMix64 (Steele, Lea, Flood 2014). numpy does the arithmetic; none of its
generators is used, nor any function whose last bit depends on a processor.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]

WIDTH = 12
"""Bits that one draw from a table takes: a hash has five such fields."""
_SIZE = 1 << WIDTH
_STEP, _FIRST, _SECOND = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Stream:
    """64 random bits for each counter; a stream has its own for each seed and name."""

    def __init__(self, seed: int, name: str) -> None:
        self._key = np.uint64(int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big"))

    def bits(self, counters: Ints) -> Bits:
        """Return 64 bits for each counter."""
        mixed = counters.astype(np.uint64)
        mixed *= _STEP
        mixed += self._key
        mixed ^= mixed >> np.uint64(30)
        mixed *= _FIRST
        mixed ^= mixed >> np.uint64(27)
        mixed *= _SECOND
        mixed ^= mixed >> np.uint64(31)
        return mixed


def field(bits: Bits, shift: int, width: int = WIDTH) -> Ints:
    """Return some of the bits as a number."""
    return ((bits >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)


def below(bits: Bits, shift: int, limit: int | Ints, width: int = WIDTH) -> Ints:
    """Return a number from 0 to limit - 1, all equally likely as far as the width of the field allows."""
    return (field(bits, shift, width) * limit) >> width


def weighted(weights: Sequence[float]) -> Ints:
    """Return a table from which a field draws indexes of the weights."""
    return np.repeat(np.arange(len(weights)), apportion(_SIZE, weights))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split a total into whole parts in proportion to the weights; the parts add up to the total."""
    sums = [0.0, *accumulate(weights)]
    marks = [round(total * mark / sums[-1]) for mark in sums]
    return [end - start for start, end in pairwise(marks)]


BELL: Ints = np.array([round(NormalDist().inv_cdf((place + 0.5) / _SIZE) * 1000) for place in range(_SIZE)])
"""Thousandths of standard deviations around 0, normally distributed."""
DECAY: Ints = np.array([round(-math.log(1 - (place + 0.5) / _SIZE) * 1000) for place in range(_SIZE)])
"""Thousandths of a mean lifetime, exponentially distributed."""

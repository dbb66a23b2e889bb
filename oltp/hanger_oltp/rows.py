"""All rows of a chain, table by table or together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hanger_oltp import pools
from hanger_oltp.chain import HISTORY_DAYS, Chain, Chunk
from hanger_oltp.payments import payment_rows, plan_rows
from hanger_oltp.people import People, member_rows
from hanger_oltp.visits import Days
from hanger_oltp.walls import Walls, wall_rows

HISTORY = range(HISTORY_DAYS)


def rows(chain: Chain, days: range = HISTORY) -> Iterator[Chunk]:
    """Yield chunks of all tables; a row may come before rows that it refers to, which are then of another table."""
    people, walls = People(chain), Walls(chain)
    yield _named("membertypes", [name for name, _ in pools.MEMBER_TYPES])
    yield _named("memberstatustypes", pools.MEMBER_STATUSES)
    yield _named("addressstati", pools.ADDRESS_STATUSES)
    yield _named("routecolors", pools.ROUTE_COLORS)
    yield _named("climbinggrades", pools.GRADES)
    yield from plan_rows()
    yield from wall_rows(walls)
    yield from member_rows(people)
    yield from payment_rows(people, days)
    yield from Days(chain, people, walls).rows(days)


def visit_rows(chain: Chain, days: range = HISTORY) -> Iterator[Chunk]:
    """Yield climbingsessions, sessiongyms and routeclimbs alone."""
    return Days(chain, People(chain), Walls(chain)).rows(days)


def _named(table: str, names: Sequence[str]) -> Chunk:
    return table, (np.arange(1, len(names) + 1), list(names))

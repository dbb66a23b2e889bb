"""All rows of a chain, table by table or together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

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
    people = People(chain)
    yield from _lookup_rows()
    yield from wall_rows(Walls(chain))
    yield from member_rows(people)
    yield from payment_rows(people, days)
    yield from _visit_rows(chain, days)


def table_rows(chain: Chain, table: str, days: range = HISTORY) -> Iterator[Chunk]:
    """Yield chunks of one table, without making all others; the days narrow visits and payments."""
    makers: dict[str, Callable[[], Iterator[Chunk]]] = {
        **dict.fromkeys(("gyms", "routes", "routesettings"), lambda: wall_rows(Walls(chain))),
        **dict.fromkeys(("members", "memberaddresses", "memberships"), lambda: member_rows(People(chain))),
        "payments": lambda: payment_rows(People(chain), days),
        **dict.fromkeys(("climbingsessions", "sessiongyms", "routeclimbs"), lambda: _visit_rows(chain, days)),
    }
    return (chunk for chunk in makers.get(table, _lookup_rows)() if chunk[0] == table)


def _lookup_rows() -> Iterator[Chunk]:
    yield _named("membertypes", [name for name, _ in pools.MEMBER_TYPES])
    yield _named("memberstatustypes", pools.MEMBER_STATUSES)
    yield _named("addressstati", pools.ADDRESS_STATUSES)
    yield _named("routecolors", pools.ROUTE_COLORS)
    yield _named("climbinggrades", pools.GRADES)
    yield from plan_rows()


def _visit_rows(chain: Chain, days: range) -> Iterator[Chunk]:
    return Days(chain, People(chain), Walls(chain)).rows(days)


def _named(table: str, names: Sequence[str]) -> Chunk:
    return table, (np.arange(1, len(names) + 1), list(names))

"""A believable stream of changes: members come, climb and go, join and leave, at a given number of rows a second.

Each transaction is one thing that happens in a gym, complete in all its tables. What happens is drawn from a seed; when
it happens is now.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from hanger_oltp import pools

LOCK = "hanger-oltp live"
_IN_THE_GYM = 400
"""Open visits that the stream holds at most; the oldest of them ends then."""
Connection = psycopg.Connection[tuple[Any, ...]]


class Refused(Exception):
    """The database cannot take a stream; the text says why and what to do."""


class Live:
    """Changes of one database over one connection."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._random = Random(seed)  # noqa: S311
        self._visits: list[tuple[int, int, int]] = []
        self.rows: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._members, self._gyms = self._sizes()
        self._events: dict[Callable[[], None], int] = {
            self._come: 24,
            self._climb: 100,
            self._go: 20,
            self._rate_again: 10,
            self._withdraw_climb: 2,
            self._join: 3,
            self._pay: 8,
            self._move: 2,
            self._leave: 1,
        }

    def run(self, rate: float, rows: float | None = None, seconds: float | None = None) -> None:
        """Make changes until that many rows are changed, that much time is over, or KeyboardInterrupt comes."""
        started = time.monotonic()
        events, weights = list(self._events), list(self._events.values())
        while (rows is None or self.rows.total() < rows) and (seconds is None or time.monotonic() - started < seconds):
            self._written.clear()
            with self._connection.transaction():
                self._random.choices(events, weights)[0]()
            self.rows += self._written
            ahead = self.rows.total() / rate - (time.monotonic() - started)
            if ahead > 0:
                time.sleep(ahead)

    def _come(self) -> None:
        if len(self._visits) >= _IN_THE_GYM:
            self._go()
            return
        found = self._one(
            "SELECT m.member_id, s.gym_id FROM members m JOIN memberships s USING (member_id)"
            " WHERE m.member_id >= %s AND s.membership_end_date IS NULL AND m.member_status = 1"
            " AND m.member_id <> ALL (%s) ORDER BY m.member_id LIMIT 1 FOR SHARE OF m",
            self._random.randint(1, self._members),
            [member for _, member, _ in self._visits],
        )
        if not found:
            return
        member, gym = found
        visit = self._insert(
            "INSERT INTO climbingsessions (member_id, scan_in_datetime) VALUES (%s, localtimestamp(0))"
            " RETURNING climbing_session_id",
            member,
        )
        self._write("INSERT INTO sessiongyms (climbing_session_id, gym_id) VALUES (%s, %s)", visit, gym)
        self._visits.append((visit, member, gym))

    def _climb(self) -> None:
        if not self._visits:
            self._come()
            return
        _, member, gym = self._random.choice(self._visits)
        route = self._one(
            "SELECT route_id FROM routesettings WHERE gym_id = %s AND route_retired_date IS NULL"
            " ORDER BY route_set_date DESC, route_id OFFSET %s LIMIT 1",
            gym,
            self._random.randrange(16),
        )
        if route:
            self._write(
                "INSERT INTO routeclimbs (route_id, member_id, route_climb_start_datetime, route_climb_end_datetime,"
                " route_climb_rating) SELECT %s, %s, greatest(scan_in_datetime, now_ - make_interval(secs => %s)),"
                " now_, %s FROM climbingsessions, localtimestamp(0) AS now_"
                " WHERE member_id = %s AND scan_out_datetime IS NULL ORDER BY climbing_session_id DESC LIMIT 1",
                route[0],
                member,
                self._random.randint(70, 330),
                min(10, max(1, round(self._random.gauss(6.3, 1.6)))),
                member,
            )

    def _go(self) -> None:
        if self._visits:
            visit, _, _ = self._visits.pop(0)
            self._write(
                "UPDATE climbingsessions SET scan_out_datetime = localtimestamp(0) WHERE climbing_session_id = %s",
                visit,
            )

    def _rate_again(self) -> None:
        self._write(
            "UPDATE routeclimbs SET route_climb_rating = 1 + route_climb_rating %% 10"
            " WHERE route_climb_id = (SELECT max(route_climb_id) FROM routeclimbs)"
        )

    def _withdraw_climb(self) -> None:
        self._write("DELETE FROM routeclimbs WHERE route_climb_id = (SELECT max(route_climb_id) FROM routeclimbs)")

    def _join(self) -> None:
        draw = self._random
        kind = draw.randint(1, 4)
        gender = draw.choice(("Female", "Male"))
        first, last = draw.choice(pools.FIRST_NAMES[gender]), draw.choice(pools.LAST_NAMES)
        gym, city, state = self._one(
            "SELECT gym_id, gym_city, gym_state FROM gyms ORDER BY gym_id OFFSET %s LIMIT 1", draw.randrange(self._gyms)
        ) or (0, "", "")
        member = self._insert(
            "INSERT INTO members (member_first_name, member_last_name, member_gender, member_email, member_phone,"
            " member_age, member_joined_datetime, member_type, member_status)"
            " VALUES (%s, %s, %s, %s, %s, %s, localtimestamp(0), %s, 1) RETURNING member_id",
            first,
            last,
            gender,
            f"{first}.{last}.{draw.randrange(10**9)}@{draw.choice(pools.EMAIL_DOMAINS)}".lower(),
            f"({draw.randint(201, 989)}) 555-{draw.randint(100, 199):04}",
            draw.randint(16, 60),
            kind,
        )
        self._address(member, city, state)
        membership = self._insert(
            "INSERT INTO memberships (member_id, gym_id, membership_plan_id, membership_start_date)"
            " SELECT %s, %s, membership_plan_id, current_date FROM membershipplans WHERE member_type = %s"
            " RETURNING membership_id",
            member,
            gym,
            kind,
        )
        self._payment(membership)
        self._members = max(self._members, member)

    def _pay(self) -> None:
        found = self._one(
            "SELECT membership_id FROM memberships WHERE member_id >= %s AND membership_end_date IS NULL"
            " ORDER BY member_id LIMIT 1",
            self._random.randint(1, self._members),
        )
        if found:
            self._payment(found[0])

    def _move(self) -> None:
        found = self._one(
            "SELECT member_id, city, state FROM memberaddresses WHERE member_id >= %s AND address_status = 1"
            " ORDER BY member_id LIMIT 1",
            self._random.randint(1, self._members),
        )
        if found:
            self._write("DELETE FROM memberaddresses WHERE member_id = %s AND address_status = 2", found[0])
            self._write(
                "UPDATE memberaddresses SET address_status = 2 WHERE member_id = %s AND address_status = 1", found[0]
            )
            self._address(*found)

    def _leave(self) -> None:
        here = [member for _, member, _ in self._visits]
        found = self._one(
            "SELECT m.member_id FROM members m JOIN memberships s USING (member_id) WHERE m.member_id >= %s"
            " AND s.membership_end_date IS NULL AND m.member_id <> ALL (%s) ORDER BY m.member_id LIMIT 1",
            self._random.randint(1, self._members),
            here,
        )
        if found:
            self._write("UPDATE members SET member_status = 4 WHERE member_id = %s", found[0])
            self._write(
                "UPDATE memberships SET membership_end_date = greatest(current_date, membership_start_date)"
                " WHERE member_id = %s AND membership_end_date IS NULL",
                found[0],
            )

    def _payment(self, membership: int) -> None:
        self._write(
            "INSERT INTO payments (membership_id, payment_datetime, payment_cents)"
            " SELECT membership_id, localtimestamp(0), plan_price_cents"
            " FROM memberships JOIN membershipplans USING (membership_plan_id) WHERE membership_id = %s",
            membership,
        )

    def _address(self, member: int, city: str, state: str) -> None:
        line = f"{self._random.randint(10, 9899)} {self._random.choice(pools.STREETS)} St"
        self._write(
            "INSERT INTO memberaddresses (member_id, address, state, postal_code, city, country, address_status)"
            " VALUES (%s, %s, %s, 80301, %s, %s, 1)"
            " ON CONFLICT (member_id, address) DO UPDATE SET address_status = 1",
            member,
            line,
            state,
            city,
            pools.COUNTRY,
        )

    def _sizes(self) -> tuple[int, int]:
        found = self._one(
            "SELECT max(member_id), (SELECT count(*) FROM gyms), (SELECT count(*) FROM membershipplans) FROM members"
        )
        if not found or not all(found):
            raise Refused("The database has no members, gyms or plans yet. Load data first: make data")
        return int(found[0]), int(found[1])

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        return self._connection.execute(query.encode(), values).fetchone()

    def _insert(self, statement: str, *values: object) -> int:
        cursor = self._connection.execute(statement.encode(), values)
        self._written["insert"] += cursor.rowcount
        found = cursor.fetchone()
        return int(found[0]) if found else 0

    def _write(self, statement: str, *values: object) -> None:
        cursor = self._connection.execute(statement.encode(), values)
        self._written[statement.split(" ", 1)[0].lower()] += cursor.rowcount


@contextmanager
def connected(target: str, owner: str) -> Iterator[Connection]:
    """Connect as the tables' owner; raise Refused when another stream runs already."""
    with psycopg.connect(target, autocommit=True, application_name=LOCK) as connection:
        if owner:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))
        connection.execute("SET search_path = public")
        locked = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (LOCK,)).fetchone()
        if locked != (True,):
            raise Refused("Another stream of changes runs on this database. End it first.")
        yield connection

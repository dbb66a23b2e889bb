"""Killed at any moment under sixteen writers, the account opens again and has everything that it acknowledged."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from snowflake.connector.errors import Error
from snowflake_support import Client, Service

WRITERS = 16
ROUNDS = 2


@dataclass
class Writer:
    """One session that writes until its server is gone, and what it was told is done."""

    number: int
    round: int
    rows: list[int] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    failure: BaseException | None = None

    @property
    def table(self) -> str:
        return f"DB.PUBLIC.ROWS_{self.round}_{self.number}"

    def run(self, service: Service, go_on: threading.Event) -> None:
        try:
            client = Client(service.connect(network_timeout=30, login_timeout=30))
            client.run("USE WAREHOUSE W", f"CREATE TABLE {self.table} (I INT, KIND VARCHAR)")
            for step in range(10_000):
                self._step(client, step)
        except Error as problem:
            if go_on.is_set():
                self.failure = problem
        except BaseException as problem:
            self.failure = problem

    def _step(self, client: Client, step: int) -> None:
        name = f"{self.round}_{self.number}_{step}"
        client.run(f"INSERT INTO {self.table} VALUES ({step}, 'row')")
        self.rows.append(step)
        client.run("BEGIN", *(f"INSERT INTO {self.table} VALUES ({step}, 'pair')" for _ in range(2)), "COMMIT")
        self.pairs.append(step)
        client.run(f"CREATE TABLE DB.PUBLIC.T_{name} (I INT)")
        self.tables.append(f"T_{name}")
        client.run(f"CREATE ROLE R_{name}", f"GRANT SELECT ON TABLE DB.PUBLIC.T_{name} TO ROLE R_{name}")
        self.roles.append(f"R_{name}")
        if step % 3 == 2:
            gone = f"T_{self.round}_{self.number}_{step - 1}"
            self.tables.remove(gone)
            client.run(f"DROP TABLE DB.PUBLIC.{gone}")
            self.dropped.append(gone)


def kill_among_writers(service: Service, number: int, wait: float) -> list[Writer]:
    writers = [Writer(n, number) for n in range(WRITERS)]
    alive = threading.Event()
    alive.set()
    threads = [threading.Thread(target=writer.run, args=(service, alive), daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while not all(writer.pairs for writer in writers) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(wait)
    alive.clear()
    service.stop(signal.SIGKILL)
    service.start()  # the writers' sessions are gone: what their drivers repeat now is refused
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return writers


def lost(admin: Client, writers: list[Writer]) -> Iterator[str]:
    tables = {row["name"] for row in admin.dicts("SHOW TABLES IN SCHEMA DB.PUBLIC")}
    roles = {row["name"] for row in admin.dicts("SHOW ROLES")}
    for writer in writers:
        for name in writer.tables:
            if name not in tables:
                yield f"table {name}"
        for name in writer.dropped:
            if name in tables:
                yield f"DROP of {name}"
        for role in writer.roles:
            table = role.replace("R_", "T_", 1)
            if role not in roles:
                yield f"role {role}"
            elif table in writer.tables and len(admin.rows(f"SHOW GRANTS TO ROLE {role}")) != 1:
                yield f"grant to {role}"
        counts = {
            (kind, step): count
            for kind, step, count in admin.rows(f"SELECT KIND, I, COUNT(*) FROM {writer.table} GROUP BY KIND, I")
        }
        for step in writer.rows:
            if counts.get(("row", step)) != 1:
                yield f"row {step} of {writer.table}"
        for step in {step for kind, step in counts if kind == "pair"} | set(writer.pairs):
            if counts.get(("pair", step)) != 2:
                yield f"transaction {step} of {writer.table}: {counts.get(('pair', step))} of 2 rows"


def test_nothing_acknowledged_is_lost(another_service: Callable[[], Service]) -> None:
    service = another_service()
    service.start()
    with contextlib.closing(service.connect()) as connection:
        Client(connection).run("CREATE WAREHOUSE W", "CREATE DATABASE DB")
    seed = random.randrange(10**6)
    waits = random.Random(seed)
    everybody: list[Writer] = []
    for number in range(ROUNDS):
        everybody += kill_among_writers(service, number, waits.uniform(0, 2))
        assert [w.failure for w in everybody if w.failure] == []
        with contextlib.closing(service.connect(warehouse="W")) as connection:
            assert list(lost(Client(connection), everybody)) == [], f"seed {seed}, round {number}"
    assert sum(len(writer.pairs) for writer in everybody) >= WRITERS * ROUNDS

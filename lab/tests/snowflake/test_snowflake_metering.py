"""Warehouses cost what Snowflake would ask, and resource monitors stop them. Time is a clock that the tests move."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hanger_lab.snowflake.data import executor
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.usage import intervals
from snowflake_support import Clock, Inside, Key

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
WORK = "SELECT COUNT(*) FROM LAB.PUBLIC.T"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def inside(tmp_path: Path, key: Key, clock: Clock) -> Iterator[Inside]:
    made = Inside(tmp_path / "account", key, clock)
    made.run("CREATE DATABASE LAB", "CREATE TABLE LAB.PUBLIC.T (I INT)")
    yield made
    made.account.close()


def seconds(inside: Inside) -> float:
    """What all warehouses used, as seconds of an XSMALL."""
    query = "SELECT SUM(CREDITS_USED)::FLOAT * 3600 AS S FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"
    return round(inside.rows(query)[0]["S"] or 0.0, 3)


def state(inside: Inside, name: str = "W") -> str:
    return str(inside.rows(f"SHOW WAREHOUSES LIKE '{name}'")[0]["state"])


def monitor(inside: Inside, name: str = "M") -> dict[str, str]:
    return inside.rows(f"SHOW RESOURCE MONITORS LIKE '{name}'")[0]


def test_a_start_costs_a_minute_and_then_every_second(inside: Inside, clock: Clock) -> None:
    inside.run("CREATE WAREHOUSE W INITIALLY_SUSPENDED = TRUE")
    assert (state(inside), seconds(inside)) == ("SUSPENDED", 0)
    inside.run(WORK)
    clock.now += 10
    inside.run("ALTER WAREHOUSE W SUSPEND")
    assert (state(inside), seconds(inside)) == ("SUSPENDED", 60)
    inside.run("ALTER WAREHOUSE W RESUME")
    clock.now += 61.5
    inside.run("ALTER WAREHOUSE W SUSPEND")
    clock.now += 600
    assert seconds(inside) == 121.5


def test_a_larger_size_costs_twice_as_much(inside: Inside, clock: Clock) -> None:
    inside.run("CREATE WAREHOUSE W WAREHOUSE_SIZE = 'MEDIUM' AUTO_SUSPEND = NULL")
    clock.now += 100
    assert seconds(inside) == 400
    inside.run("ALTER WAREHOUSE W SET MIN_CLUSTER_COUNT = 2 MAX_CLUSTER_COUNT = 3")
    clock.now += 100
    assert seconds(inside) == 400 + 800


def test_a_resize_costs_a_minute_of_what_was_added(inside: Inside, clock: Clock) -> None:
    inside.run("CREATE WAREHOUSE W AUTO_SUSPEND = 0")
    clock.now += 100
    inside.run("ALTER WAREHOUSE W SET WAREHOUSE_SIZE = LARGE")
    clock.now += 10
    inside.run("ALTER WAREHOUSE W SET WAREHOUSE_SIZE = SMALL")
    assert seconds(inside) == 110 + 60 * 7
    clock.now += 90
    assert seconds(inside) == 110 + 60 * 6 + (10 + 90) + 90


def test_an_idle_warehouse_suspends_itself(inside: Inside, clock: Clock) -> None:
    inside.run("CREATE WAREHOUSE W AUTO_SUSPEND = 300", WORK)
    clock.now += 200
    inside.run(WORK)
    clock.now += 299
    assert state(inside) == "STARTED"
    clock.now += 10_000
    assert (state(inside), seconds(inside)) == ("SUSPENDED", 500)
    inside.run("ALTER WAREHOUSE W SET AUTO_RESUME = FALSE")
    assert inside.refused(WORK)[0] == 606
    inside.run("ALTER WAREHOUSE W RESUME", WORK)


def test_metadata_and_descriptions_start_no_warehouse(inside: Inside) -> None:
    inside.run("CREATE WAREHOUSE W INITIALLY_SUSPENDED = TRUE", "SHOW TABLES IN DATABASE LAB", "SELECT 1")
    inside.account.execute(inside.session, executor.Request(WORK, describe_only=True))
    assert (state(inside), seconds(inside)) == ("SUSPENDED", 0)


def test_hours_are_told_apart_and_survive_a_restart(inside: Inside, clock: Clock, key: Key, tmp_path: Path) -> None:
    clock.now += 3000
    inside.run("CREATE WAREHOUSE W AUTO_SUSPEND = 3600")
    clock.now += 900
    inside.run("ALTER WAREHOUSE W RENAME TO V")
    inside.account.close()
    again = Inside(tmp_path / "account", key, clock)
    assert state(again, "V") == "STARTED"
    clock.now += 100_000
    found = again.rows(
        "SELECT WAREHOUSE_NAME, DATE_PART(HOUR, START_TIME) AS H, CREDITS_USED::FLOAT AS C FROM TABLE("
        "LAB.INFORMATION_SCHEMA.WAREHOUSE_METERING_HISTORY('2026-03-01', '2026-03-11', 'V')) ORDER BY START_TIME"
    )
    assert [(row["H"], round(row["C"] * 3600)) for row in found] == [(12, 600), (13, 3000)]
    again.account.close()
    inside.account = Inside(tmp_path / "account", key, clock).account


def test_metering_takes_a_right(inside: Inside) -> None:
    view = "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"
    function = "SELECT * FROM TABLE(LAB.INFORMATION_SCHEMA.WAREHOUSE_METERING_HISTORY(CURRENT_DATE() - 1)) x"
    inside.run("CREATE WAREHOUSE W", WORK, "CREATE ROLE R", "GRANT USAGE ON DATABASE LAB TO ROLE R")
    inside.run(f"GRANT ROLE R TO USER {inside.session.user}")
    session = inside.login(inside.session.user, "R")
    session.secondary = False
    assert inside.refused(view, session)[0] == 2003
    assert inside.rows(function, session) == []
    inside.run("GRANT MONITOR USAGE ON ACCOUNT TO ROLE R")
    assert inside.refused(view, session)[0] == 2003


def test_function_wants_a_beginning(inside: Inside) -> None:
    assert inside.refused("SELECT * FROM TABLE(LAB.INFORMATION_SCHEMA.WAREHOUSE_METERING_HISTORY())")[0] == 939
    assert inside.refused("SELECT * FROM TABLE(LAB.INFORMATION_SCHEMA.NO_SUCH_HISTORY())")[0] == 2


# -- resource monitors ----------------------------------------------------------------------------------------------


def guarded(inside: Inside, triggers: str = "ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND") -> None:
    inside.run(
        f"CREATE RESOURCE MONITOR M WITH CREDIT_QUOTA = 1 FREQUENCY = DAILY START_TIMESTAMP = IMMEDIATELY "
        f"TRIGGERS {triggers}",
        "CREATE WAREHOUSE W AUTO_SUSPEND = 7200 RESOURCE_MONITOR = M",
    )


def test_monitor_counts_and_suspends(inside: Inside, clock: Clock) -> None:
    guarded(inside)
    inside.run("CREATE WAREHOUSE OTHER AUTO_SUSPEND = 0", "USE WAREHOUSE W")
    clock.now += 1800
    shown = monitor(inside)
    assert (shown["used_credits"], shown["remaining_credits"], shown["level"]) == ("0.50", "0.50", "WAREHOUSE")
    inside.run(WORK)
    clock.now += 1800
    inside.account.tick()
    assert state(inside) == "SUSPENDED"
    assert inside.refused(WORK) == (
        90073,
        "Warehouse 'W' cannot be resumed because resource monitor 'M' has exceeded its quota.",
    )
    assert inside.refused("ALTER WAREHOUSE W RESUME")[0] == 90073
    assert inside.refused("CREATE WAREHOUSE W2 RESOURCE_MONITOR = M")[0] == 90073
    inside.run("SELECT 1", "USE WAREHOUSE OTHER", WORK)
    assert monitor(inside)["remaining_credits"] == "0.00"


def test_statement_notices_the_quota_before_the_clockwork_does(inside: Inside, clock: Clock) -> None:
    guarded(inside)
    clock.now += 3600
    assert inside.refused(WORK)[0] == 90073
    assert state(inside) == "SUSPENDED"


def test_a_new_interval_or_a_larger_quota_lets_it_run_again(inside: Inside, clock: Clock) -> None:
    guarded(inside)
    clock.now += 3600
    assert inside.refused(WORK)[0] == 90073
    inside.run("ALTER RESOURCE MONITOR M SET CREDIT_QUOTA = 2", WORK)
    clock.now += 3600
    assert inside.refused(WORK)[0] == 90073
    clock.now = NOON + 12 * 3600
    inside.run(WORK)
    assert monitor(inside)["used_credits"] == "0.02"


def test_monitor_of_the_account_counts_every_warehouse(inside: Inside, clock: Clock) -> None:
    assert inside.refused("ALTER ACCOUNT SET RESOURCE_MONITOR = NOSUCH")[0] == 2003
    inside.run(
        "CREATE RESOURCE MONITOR A WITH CREDIT_QUOTA = 2 TRIGGERS ON 100 PERCENT DO SUSPEND",
        "ALTER ACCOUNT SET RESOURCE_MONITOR = A",
        "CREATE WAREHOUSE W AUTO_SUSPEND = 0",
        "CREATE WAREHOUSE V AUTO_SUSPEND = 0",
    )
    assert monitor(inside, "A")["level"] == "ACCOUNT"
    clock.now += 3600
    inside.account.tick()
    assert {state(inside), state(inside, "V")} == {"SUSPENDED"}
    assert "resource monitor 'A'" in inside.refused(WORK)[1]
    inside.run("DROP RESOURCE MONITOR A", WORK)


def test_a_monitor_without_triggers_only_counts(inside: Inside, clock: Clock) -> None:
    inside.run("CREATE RESOURCE MONITOR M WITH CREDIT_QUOTA = 1", "CREATE WAREHOUSE W RESOURCE_MONITOR = M")
    clock.now += 10
    inside.run("ALTER WAREHOUSE W UNSET RESOURCE_MONITOR", "ALTER WAREHOUSE W SET AUTO_SUSPEND = 36000")
    clock.now += 7200
    assert monitor(inside)["used_credits"] == "0.00"
    inside.run("ALTER WAREHOUSE W SET RESOURCE_MONITOR = M")
    clock.now += 7200
    inside.run(WORK)
    assert monitor(inside)["used_credits"] == "2.00"


def test_monitor_that_has_ended_suspends(inside: Inside, clock: Clock) -> None:
    inside.run(
        "CREATE RESOURCE MONITOR M WITH CREDIT_QUOTA = 9 START_TIMESTAMP = '2026-03-10 12:30' "
        "END_TIMESTAMP = '2026-03-10 13:30' TRIGGERS ON 100 PERCENT DO SUSPEND",
        "CREATE WAREHOUSE W RESOURCE_MONITOR = M",
        WORK,
    )
    clock.now = NOON + 5400
    assert inside.refused(WORK)[0] == 90073
    assert inside.refused("CREATE RESOURCE MONITOR N WITH START_TIMESTAMP = 'tomorrow'")[0] == 1008


@pytest.mark.parametrize(("action", "ends"), [("SUSPEND", "well"), ("SUSPEND_IMMEDIATE", "cancelled")])
def test_running_statement_ends_well_or_is_cancelled(inside: Inside, clock: Clock, action: str, ends: str) -> None:
    guarded(inside, f"ON 100 PERCENT DO {action}")
    inside.run("INSERT INTO LAB.PUBLIC.T SELECT SEQ4() FROM TABLE(GENERATOR(ROWCOUNT => 3000))")
    rounds = 1 if ends == "well" else 3
    joins = "".join(f" CROSS JOIN LAB.PUBLIC.T t{n}" for n in range(rounds))
    statement = f"SELECT SUM(SQRT(t.I + t0.I)) FROM LAB.PUBLIC.T t{joins}"
    found: list[str] = []

    def work() -> None:
        try:
            inside.rows(statement)
            found.append("well")
        except SnowflakeError as problem:
            found.append("cancelled" if problem.number == 604 else str(problem))

    thread = threading.Thread(target=work)
    thread.start()
    while not inside.account.meter.working("W") and thread.is_alive():
        pass
    clock.now += 3600
    for _ in range(200):
        inside.account.tick()
        thread.join(0.05)
        if not thread.is_alive():
            break
    assert found == [ends]
    assert state(inside) == "SUSPENDED"


def test_suspending_waits_for_what_runs(inside: Inside, clock: Clock) -> None:
    inside.run("CREATE WAREHOUSE W AUTO_SUSPEND = 60")
    meter, catalog = inside.account.meter, inside.account.catalog
    with catalog.read():
        meter.begin(7, catalog.get("WAREHOUSE", ("W",)))
        clock.now += 500
        meter.suspend("W")
        assert meter.state(catalog.get("WAREHOUSE", ("W",))) == "SUSPENDING"
        clock.now += 100
        meter.finish(7)
    assert (state(inside), seconds(inside)) == ("SUSPENDED", 600)


@pytest.mark.parametrize(
    ("given", "now", "begins"),
    [
        ({}, "2026-04-15 12:00", "2026-04-01 00:00"),
        ({}, "2026-03-12 12:00", "2026-03-10 12:00"),
        ({"FREQUENCY": "DAILY", "START_TIMESTAMP": "2026-03-11 09:00"}, "2026-03-20 01:00", "2026-03-20 00:00"),
        ({"FREQUENCY": "WEEKLY", "START_TIMESTAMP": "2026-03-11 09:00"}, "2026-03-19 01:00", "2026-03-18 00:00"),
        ({"FREQUENCY": "MONTHLY", "START_TIMESTAMP": "2026-03-31 09:00"}, "2026-05-10 00:00", "2026-04-30 00:00"),
        ({"FREQUENCY": "YEARLY", "START_TIMESTAMP": "2026-03-31 09:00"}, "2027-03-30 00:00", "2026-03-31 09:00"),
        ({"FREQUENCY": "YEARLY", "START_TIMESTAMP": "2026-03-31 09:00"}, "2027-03-31 00:00", "2027-03-31 00:00"),
        ({"FREQUENCY": "NEVER"}, "2027-03-31 00:00", "2026-03-10 12:00"),
        ({"START_TIMESTAMP": "2026-03-11 09:00 PST"}, "2026-03-11 10:00", "2026-03-11 17:00"),
    ],
)
def test_intervals_of_monitors(given: dict[str, str], now: str, begins: str) -> None:
    found = intervals.current(dict(given), NOON, intervals.parse(now))
    assert datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M") == begins

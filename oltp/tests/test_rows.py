"""Every row fits the others: keys, references, and the order in which things happen."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, datetime
from itertools import pairwise

import pytest
from hanger_oltp.tables import TABLES

Rows = dict[str, list[dict[str, str]]]

UNTIL = datetime(2026, 1, 1)
REFERENCES = [
    (table.name, column.name, column.references)
    for table in TABLES.values()
    for column in table.columns
    if column.references
]


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S")


def day(text: str) -> date:
    return date.fromisoformat(text.replace("/", "-"))


@pytest.mark.parametrize(("child", "column", "parent"), REFERENCES)
def test_every_reference_is_met(tables: Rows, child: str, column: str, parent: str) -> None:
    key = TABLES[parent].key[0]
    assert {row[column] for row in tables[child]} <= {row[key] for row in tables[parent]}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_keys_are_unique_and_without_gaps(tables: Rows, table: object) -> None:
    rows, names = tables[table.name], table.key
    keys = Counter(tuple(row[name] for name in names) for row in rows)
    assert max(keys.values()) == 1
    if len(names) == 1:
        assert [int(row[names[0]]) for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_values_fit_the_columns(tables: Rows, table: object) -> None:
    for column in table.columns:
        values = [row[column.name] for row in tables[table.name]]
        assert not column.required or all(values)
        if column.kind == "text":
            assert max(map(len, values)) <= column.length
        if column.kind == "int":
            assert all(column.low <= int(value) <= column.high for value in values if value)


def test_climbs_lie_in_sessions_on_routes_of_that_gym_and_day(tables: Rows) -> None:
    gyms = {row["climbing_session_id"]: row["gym_id"] for row in tables["sessiongyms"]}
    sessions = defaultdict(list)
    for row in tables["climbingsessions"]:
        scans = moment(row["scan_in_datetime"]), moment(row["scan_out_datetime"])
        assert scans[0] < scans[1]
        assert scans[0].date() == scans[1].date()
        sessions[row["member_id"], scans[0].date()].append((*scans, gyms[row["climbing_session_id"]]))
    assert max(map(len, sessions.values())) == 1
    settings = {row["route_id"]: row for row in tables["routesettings"]}
    ends: dict[str, datetime] = {}
    for row in tables["routeclimbs"]:
        start, end = moment(row["route_climb_start_datetime"]), moment(row["route_climb_end_datetime"])
        ((scan_in, scan_out, gym),) = sessions[row["member_id"], start.date()]
        assert scan_in < start < end < scan_out
        assert start > ends.get(row["member_id"], datetime.min)
        ends[row["member_id"]] = end
        setting = settings[row["route_id"]]
        assert setting["gym_id"] == gym
        assert day(setting["route_set_date"]) <= start.date()
        assert not setting["route_retired_date"] or start.date() < day(setting["route_retired_date"])


def test_nobody_comes_before_joining_or_after_leaving(tables: Rows) -> None:
    joined = {row["member_id"]: moment(row["member_joined_datetime"]) for row in tables["members"]}
    left = {row["member_id"]: row["membership_end_date"] for row in tables["memberships"]}
    assert max(joined.values()) < UNTIL
    previous = datetime.min
    for row in tables["climbingsessions"]:
        scan_in, member = moment(row["scan_in_datetime"]), row["member_id"]
        assert previous <= scan_in < UNTIL
        previous = scan_in
        assert joined[member].date() < scan_in.date()
        assert not left[member] or scan_in.date() < day(left[member])


def test_status_and_membership_agree(tables: Rows) -> None:
    ends = {row["member_id"]: row["membership_end_date"] for row in tables["memberships"]}
    gone = {"3", "4"}
    assert all((row["member_status"] in gone) == bool(ends[row["member_id"]]) for row in tables["members"])


def test_payments_are_those_of_the_plan_while_it_runs(tables: Rows) -> None:
    plans = {row["membership_plan_id"]: row for row in tables["membershipplans"]}
    memberships = {row["membership_id"]: row for row in tables["memberships"]}
    paid = defaultdict(list)
    for row in tables["payments"]:
        membership = memberships[row["membership_id"]]
        assert row["payment_cents"] == plans[membership["membership_plan_id"]]["plan_price_cents"]
        when = moment(row["payment_datetime"]).date()
        assert day(membership["membership_start_date"]) <= when
        assert not membership["membership_end_date"] or when < day(membership["membership_end_date"])
        paid[row["membership_id"]].append(when)
    for number, days in paid.items():
        period = plans[memberships[number]["membership_plan_id"]]["plan_period_days"]
        gaps = {(later - earlier).days for earlier, later in pairwise(days)}
        assert gaps <= {int(period or 0)}


def test_addresses_look_like_addresses(tables: Rows) -> None:
    for row in tables["members"]:
        assert re.fullmatch(r"[a-z.]+\d+@example\.(com|net|org)", row["member_email"])
    for row in tables["memberaddresses"]:
        assert re.fullmatch("[A-Z]{2}", row["state"])
        assert 10_000 < int(row["postal_code"]) < 100_000

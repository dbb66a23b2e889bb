from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import pytest
from hanger_oltp import GENERATOR_VERSION
from hanger_oltp.draw import Draw, Weighted, apportion
from hanger_oltp.gym import COLUMNS, Gym

Tables = dict[str, list[dict[str, str]]]

PARENTS = [
    ("members", "member_type", "membertypes", "member_type_id"),
    ("members", "member_status", "memberstatustypes", "member_status_type_id"),
    ("memberaddresses", "member_id", "members", "member_id"),
    ("memberaddresses", "address_status", "addressstati", "address_status_id"),
    ("climbingsessions", "member_id", "members", "member_id"),
    ("routes", "route_color", "routecolors", "route_color_id"),
    ("routes", "route_grade_id", "climbinggrades", "climbing_grade_id"),
    ("routeclimbs", "route_id", "routes", "route_id"),
    ("routeclimbs", "member_id", "members", "member_id"),
]


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S")


@pytest.mark.parametrize(("child", "column", "parent", "key"), PARENTS)
def test_every_reference_is_met(tables: Tables, child: str, column: str, parent: str, key: str) -> None:
    assert {row[column] for row in tables[child]} <= {row[key] for row in tables[parent]}


def test_keys_are_unique_and_without_gaps(tables: Tables) -> None:
    for table in set(COLUMNS) - {"memberaddresses"}:
        assert [int(next(iter(row.values()))) for row in tables[table]] == list(range(1, len(tables[table]) + 1)), table
    addresses = Counter((row["member_id"], row["address"]) for row in tables["memberaddresses"])
    assert max(addresses.values()) == 1


@pytest.mark.parametrize("scale", [1, 3, 20])
def test_counts_follow_the_scale(scale: int) -> None:
    counts = Counter(table for table, _ in Gym(scale=scale).rows())
    assert counts["members"] == 50 * scale
    assert counts["routeclimbs"] == pytest.approx(600 * scale, rel=0.1)
    assert set(counts) == set(COLUMNS)


def test_climbs_lie_inside_a_session_and_never_overlap(tables: Tables) -> None:
    sessions = defaultdict(list)
    for row in tables["climbingsessions"]:
        sessions[row["member_id"]].append((moment(row["scan_in_datetime"]), moment(row["scan_out_datetime"])))
    ends: dict[str, datetime] = {}
    for row in tables["routeclimbs"]:
        member, start = row["member_id"], moment(row["route_climb_start_datetime"])
        end = moment(row["route_climb_end_datetime"])
        assert start < end
        assert any(scan_in < start and end < scan_out for scan_in, scan_out in sessions[member])
        assert start > ends.get(member, datetime.min)
        ends[member] = end


def test_times_are_those_of_a_gym(tables: Tables) -> None:
    joined = {row["member_id"]: moment(row["member_joined_datetime"]) for row in tables["members"]}
    assert max(joined.values()) < datetime(2026, 1, 1)
    previous = datetime.min
    for row in tables["climbingsessions"]:
        scan_in, scan_out = moment(row["scan_in_datetime"]), moment(row["scan_out_datetime"])
        assert previous.date() <= scan_in.date()
        assert joined[row["member_id"]] < scan_in < scan_out < datetime(2026, 1, 1)
        assert 6 <= scan_in.hour < 21
        assert scan_in.date() == scan_out.date()
        previous = scan_in


def test_values_are_in_range(tables: Tables) -> None:
    assert {int(row["route_climb_rating"]) for row in tables["routeclimbs"]} <= set(range(1, 11))
    assert {int(row["gym_quadrant"]) for row in tables["routes"]} == {1, 2, 3, 4}
    for row in tables["members"]:
        assert 13 <= int(row["member_age"]) <= 78
        assert re.fullmatch(r"[a-z.]+\d+@example\.(com|net|org)", row["member_email"])
    for row in tables["memberaddresses"]:
        assert re.fullmatch("[A-Z]{2}", row["state"])
        assert 10_000 < int(row["postal_code"]) < 100_000


def test_columns_and_lengths_fit_the_schema(tables: Tables) -> None:
    schema = (Path(__file__).parents[1] / "schema.sql").read_text()
    found = re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\);", schema, re.DOTALL)
    assert [name for name, _ in found] == [*COLUMNS]
    for name, body in found:
        columns = re.findall(r"^    (\w+) (?:integer|timestamp|varchar\((\d+)\))", body, re.MULTILINE)
        assert tuple(column for column, _ in columns) == COLUMNS[name]
        for column, length in columns:
            if length:
                assert max(len(row[column]) for row in tables[name]) <= int(length), (name, column)


def test_members_who_left_stay_away() -> None:
    tables: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for table, row in Gym(scale=10).rows():
        tables[table].append(row)
    visits = Counter(row[1] for row in tables["climbingsessions"])
    by_status: dict[object, list[int]] = defaultdict(list)
    for row in tables["members"]:
        by_status[row[9]].append(visits[row[0]])
    mean = {status: sum(counts) / len(counts) for status, counts in by_status.items()}
    assert mean[4] < mean[1]


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1, 1]), (7, [0.1] * 365), (0, [1.0]), (1000, [3, 1, 0])])
def test_apportion_adds_up(total: int, weights: list[float]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert min(parts) >= 0


def test_data_changes_only_with_the_version() -> None:
    digest = hashlib.sha256(repr(list(Gym().rows())).encode()).hexdigest()
    assert (GENERATOR_VERSION, digest[:16]) == (1, "85d290cc05a0a3ee")


def test_draws_are_the_same_everywhere() -> None:
    draw = Draw(42, "test")
    assert [draw.between(1, 6) for _ in range(8)] == [2, 2, 3, 1, 3, 4, 4, 2]


def test_weighted_draws_stay_below_the_limit() -> None:
    draw, weighted = Draw(1), Weighted("abcd", [1, 2, 3, 4])
    assert {weighted.draw(draw, 2) for _ in range(200)} == {"a", "b"}
    assert {weighted.draw(draw) for _ in range(200)} == set("abcd")

"""The data look like those of climbing gyms; each bound is several standard errors wide and fails for flat data."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from statistics import fmean, pstdev

from hanger_oltp import pools

Rows = dict[str, list[dict[str, str]]]


def moments(tables: Rows, table: str, column: str) -> list[datetime]:
    return [datetime.strptime(row[column], "%Y/%m/%d %H:%M:%S") for row in tables[table]]


def test_evenings_fill_a_gym_and_nobody_comes_at_night(tables: Rows) -> None:
    scans = moments(tables, "climbingsessions", "scan_in_datetime")
    hours = Counter(scan.hour for scan in scans if scan.weekday() < 5)
    assert set(hours) <= set(range(6, 21))
    share = sum(hours[hour] for hour in (17, 18, 19)) / sum(hours.values())
    assert 0.42 < share < 0.50
    weekend = Counter(scan.hour for scan in scans if scan.weekday() >= 5)
    assert set(weekend) <= set(range(9, 19))


def test_tuesdays_are_busier_than_fridays(tables: Rows) -> None:
    days = Counter(scan.weekday() for scan in moments(tables, "climbingsessions", "scan_in_datetime"))
    assert 1.2 < days[1] / days[4] < 1.7


def test_winter_is_busier_than_summer(tables: Rows) -> None:
    months = Counter(scan.month for scan in moments(tables, "climbingsessions", "scan_in_datetime"))
    assert 1.3 < (months[1] + months[2] + months[12]) / (months[6] + months[7] + months[8]) < 1.8


def test_a_few_members_come_often(tables: Rows) -> None:
    visits = sorted(Counter(row["member_id"] for row in tables["climbingsessions"]).values(), reverse=True)
    top = sum(visits[: len(visits) // 5]) / sum(visits)
    assert 0.38 < top < 0.65


def test_members_leave_by_and_by(tables: Rows) -> None:
    share = Counter(row["member_status"] for row in tables["members"])
    total = len(tables["members"])
    assert 0.35 < share["1"] / total < 0.60
    assert 0.02 < share["2"] / total < 0.09
    assert 0.35 < (share["3"] + share["4"]) / total < 0.60
    old = [row for row in tables["members"] if row["member_joined_datetime"] < "2023"]
    new = [row for row in tables["members"] if row["member_joined_datetime"] >= "2025/07"]
    gone = [sum(row["member_status"] in "34" for row in rows) / len(rows) for rows in (old, new)]
    assert gone[0] > 2 * gone[1] > 0


def test_grades_are_a_bell_around_ten(tables: Rows) -> None:
    grades = [int(row["route_grade_id"]) - 1 for row in tables["routes"]]
    assert 7.8 < fmean(grades) < 9.2
    assert 3.4 < pstdev(grades) < 4.8
    assert max(grades) < len(pools.GRADES)


def test_people_get_better(tables: Rows) -> None:
    grades = {row["route_id"]: int(row["route_grade_id"]) for row in tables["routes"]}
    climbed = defaultdict(list)
    for row in tables["routeclimbs"]:
        climbed[row["member_id"]].append(grades[row["route_id"]])
    regulars = [values for values in climbed.values() if len(values) >= 40]
    assert len(regulars) > 30
    gains = [fmean(values[-15:]) - fmean(values[:15]) for values in regulars]
    assert 0.3 < fmean(gains) < 3


def test_people_climb_near_their_grade(tables: Rows) -> None:
    grades = {row["route_id"]: int(row["route_grade_id"]) for row in tables["routes"]}
    climbed = defaultdict(list)
    for row in tables["routeclimbs"]:
        climbed[row["member_id"]].append(grades[row["route_id"]])
    spreads = [pstdev(values) for values in climbed.values() if len(values) >= 20]
    assert fmean(spreads) < 0.75 * pstdev(list(grades.values()))


def test_ratings_favour_good_routes(tables: Rows) -> None:
    ratings = [int(row["route_climb_rating"]) for row in tables["routeclimbs"]]
    assert 5.7 < fmean(ratings) < 6.6
    by_route = defaultdict(list)
    for row in tables["routeclimbs"]:
        by_route[row["route_id"]].append(int(row["route_climb_rating"]))
    means = [fmean(values) for values in by_route.values() if len(values) >= 15]
    assert pstdev(means) > 0.8


def test_walls_are_reset_every_week(tables: Rows) -> None:
    by_gym = defaultdict(set)
    for row in tables["routesettings"]:
        by_gym[row["gym_id"]].add(datetime.strptime(row["route_set_date"], "%Y/%m/%d"))
    for days in by_gym.values():
        assert {(later - earlier).days for earlier, later in pairwise(sorted(days))} == {7}
    on_wall = sum(not row["route_retired_date"] for row in tables["routesettings"])
    assert on_wall == len(tables["routesettings"]) * 8 // 60

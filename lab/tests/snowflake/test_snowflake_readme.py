"""The README's table of statements is what the account does."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from snowflake_support import Inside

README = files("hanger_lab.snowflake").joinpath("README.md").read_text()
ROWS = re.findall(r"^\| `([^`]+)` \| (\w+) \| ?([^|]*?) ?\|$", README.partition("## Statement by statement")[2], re.M)


@pytest.fixture
def outcome(inside: Inside) -> dict[str, int | None]:
    """Run everything in order; the number of the error that each statement ended with, None for none."""

    def number(statement: str) -> int | None:
        try:
            return inside.refused(statement)[0]
        except AssertionError:
            return None

    return {statement: number(statement) for statement, _, _ in ROWS}


def test_every_line_of_the_table_is_true(outcome: dict[str, int | None]) -> None:
    wrong = []
    for statement, verdict, remark in ROWS:
        expected = int(remark) if verdict == "refused" else None
        if outcome[statement] != expected:
            wrong.append(f"{statement}: {verdict} {remark}, but {outcome[statement] or 'it runs'}")
    assert not wrong, "\n".join(wrong)


def test_table_is_read_whole_and_says_what_differs() -> None:
    lines = README.partition("## Statement by statement")[2].count("\n| `")
    assert len(ROWS) == lines > 60
    assert {verdict for _, verdict, _ in ROWS} == {"supported", "differs", "refused"}
    for statement, verdict, remark in ROWS:
        assert bool(remark) == (verdict != "supported"), statement
    assert len({statement for statement, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize("kind", ["DYNAMIC TABLE", "MATERIALIZED VIEW", "ICEBERG TABLE", "EXTERNAL TABLE"])
def test_objects_that_would_refresh_themselves_are_refused(inside: Inside, kind: str) -> None:
    inside.run("CREATE DATABASE DB", "CREATE TABLE DB.PUBLIC.T (I INT)")
    assert inside.refused(f"CREATE {kind} DB.PUBLIC.X AS SELECT I FROM DB.PUBLIC.T")[0] in (2, 1003)
    assert inside.rows("SHOW OBJECTS IN SCHEMA DB.PUBLIC")[0]["name"] == "T"

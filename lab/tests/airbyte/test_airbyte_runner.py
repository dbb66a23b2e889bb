"""Schedules, without a source or a destination."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hanger_lab.airbyte.errors import Problem
from hanger_lab.airbyte.jobs import JobStore
from hanger_lab.airbyte.runner import Runner
from hanger_lab.airbyte.store import Store

NIGHTLY = {"status": "active", "schedule": {"scheduleType": "cron", "cronExpression": "0 0 3 * * ?"}}
NIGHT = datetime(2024, 1, 1, 3, tzinfo=UTC)


class Connections:
    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.bodies = bodies

    def all(self, _kind: str) -> list[tuple[str, dict[str, Any]]]:
        if not self.bodies:
            raise sqlite3.OperationalError("database is locked")
        return [(f"c{number}", body) for number, body in enumerate(self.bodies)]


@pytest.mark.parametrize("broken", [{"status": "active"}, {**NIGHTLY, "schedule": {"cronExpression": "soon"}}])
def test_a_broken_schedule_does_not_end_the_others(
    broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner(cast(Store, Connections(broken, NIGHTLY)), cast(JobStore, None), cast(Any, None))
    submitted: list[str] = []
    monkeypatch.setattr(runner, "submit", lambda identifier, _type: submitted.append(identifier))
    with caplog.at_level(logging.INFO):
        runner._start_due(NIGHT)
    assert submitted == ["c1"]
    assert "the schedule of connection c0" in caplog.text


def test_a_job_that_cannot_be_made_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner(cast(Store, Connections(NIGHTLY, NIGHTLY, NIGHTLY)), cast(JobStore, None), cast(Any, None))
    submitted: list[str] = []

    def submit(identifier: str, _type: str) -> None:
        if identifier == "c0":
            raise sqlite3.OperationalError("disk I/O error")
        if identifier == "c1":
            raise Problem(409, "conflict", "already running")
        submitted.append(identifier)

    monkeypatch.setattr(runner, "submit", submit)
    runner._start_due(NIGHT)
    assert submitted == ["c2"]
    assert "disk I/O error" in caplog.text


def test_a_store_that_cannot_be_read_does_not_end_the_schedules(caplog: pytest.LogCaptureFixture) -> None:
    Runner(cast(Store, Connections()), cast(JobStore, None), cast(Any, None))._start_due(NIGHT)
    assert "database is locked" in caplog.text

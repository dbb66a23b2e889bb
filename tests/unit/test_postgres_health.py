"""How postgres-health judges what it finds."""

import copy
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/postgres_server/files"))
from postgres_health import LEVELS, THRESHOLDS, Check, as_journal, as_json, as_text, grade, judge, main, worst

NOW = 1_800_000_000
FACTS = {
    **{"version": "17.12 (Debian)", "standby": False, "now": NOW, "replay_lag": 0, "replicas": []},
    **{"connections": 3, "connections_allowed": 100, "transaction": None, "transaction_age": 1000},
    **{"checksums": "on", "checksum_failures": 0, "disks": {"/var/lib/postgresql/17/main": 40.0}},
    "archive_mode": "on",
    "archiver": {"archived": NOW - 30, "failed": None, "wal": None, "reset": NOW - 9000},
    "backups": [{"name": "main", "backup": [{"timestamp": {"stop": NOW - 7200}, "error": False}]}],
    "slots": [{"name": "airbyte", "active": True, "wal_status": "reserved", "wal": 1e6, "inactive": None}],
    "certificate_end": NOW + 300 * 86400,
}


def levels(**changes):
    checks = judge({**copy.deepcopy(FACTS), **changes}, THRESHOLDS)
    return {check.name: (check.level, check.text) for check in checks if check.level != "ok"}


def test_all_is_well():
    checks = judge(FACTS, THRESHOLDS)
    assert worst(checks) == "ok"
    assert as_text(checks).startswith("POSTGRES OK: all is well\nOK        up            PostgreSQL 17.12, primary")
    assert as_journal(checks) == ""


@pytest.mark.parametrize(
    ("value", "limits", "level"),
    [
        (79, (80, 95), "ok"),
        (80, (80, 95), "warning"),
        (95, (80, 95), "critical"),
        (22, (21, 7), "ok"),
        (21, (21, 7), "warning"),
        (-1, (21, 7), "critical"),
        (0, (1, 1), "ok"),
        (1, (1, 1), "critical"),
    ],
)
def test_a_value_is_graded(value, limits, level):
    assert grade(value, limits) == level


SLOT = FACTS["slots"][0]
FAILING = {"archived": NOW - 600, "failed": NOW - 10, "wal": "0000000100000000000000A1", "reset": NOW - 9000}


@pytest.mark.parametrize(
    ("changes", "name", "level", "text"),
    [
        ({"connections": 96}, "connections", "critical", "96 of 100 connections used"),
        ({"replicas": [["standby", 61.0]]}, "lag", "warning", "standby is 61 s behind"),
        ({"standby": True, "replay_lag": 700}, "lag", "critical", "this standby is 700 s behind"),
        ({"transaction": 4000}, "transaction", "warning", "runs for 67 min"),
        (
            {"transaction_age": 1_600_000_000},
            "wraparound",
            "critical",
            "75 % of the transaction numbers are used: find",
        ),
        ({"checksum_failures": 2}, "checksums", "critical", "2 checksum failures: the disk returns wrong data"),
        ({"disks": {"/data": 86.0}}, "disk", "warning", "/data is 86 % full"),
        ({"archiver": FAILING}, "archive", "warning", "failed for 10 min, last with 0000000100000000000000A1"),
        ({"archiver": {**FAILING, "archived": None}}, "archive", "critical", "failed for 150 min"),
        ({"backups": []}, "backup", "critical", "there is no backup"),
        ({"backups": "unable to reach s3"}, "backup", "critical", "unable to reach s3"),
        (
            {"backups": [{"name": "main", "status": {"message": "no valid backups"}}]},
            *("backup", "critical", "stanza main has no usable backup: no valid backups"),
        ),
        (
            {"backups": [{"name": "main", "backup": [{"timestamp": {"stop": NOW - 100_000}}]}]},
            *("backup", "warning", "stanza main: last backup 28 h ago"),
        ),
        ({"slots": [{**SLOT, "wal": 2e9}]}, "slot", "warning", "keeps 1907 MB of WAL"),
        ({"slots": [{**SLOT, "wal_status": "unreserved"}]}, "slot", "critical", "it is lost with the next checkpoint"),
        (
            {"slots": [{**SLOT, "wal": None, "wal_status": "lost", "active": False}]},
            *("slot", "critical", "slot airbyte is lost: it was forgotten, and the WAL that it needs is gone. Drop it"),
        ),
        (
            {"slots": [{**SLOT, "active": False, "inactive": 90_000}]},
            *("slot", "warning", "nobody has read it for 25.0 h. Start its reader, or drop it"),
        ),
        ({"certificate_end": NOW - 86400}, "certificate", "critical", "the certificate ended 1 days ago"),
        ({"certificate_end": NOW + 10 * 86400}, "certificate", "warning", "ends in 10 days"),
        ({"certificate_end": "No such file"}, "certificate", "critical", "cannot be read: No such file"),
    ],
)
def test_what_is_not_well_is_told(changes, name, level, text):
    found = levels(**changes)
    assert list(found) == [name]
    assert found[name][0] == level
    assert text in found[name][1]


@pytest.mark.parametrize(
    "changes",
    [
        {"archive_mode": "off", "archiver": FAILING},
        {"archiver": {**FAILING, "archived": NOW - 5}},
        {"backups": None},
        {"certificate_end": None},
        {"checksums": "off", "checksum_failures": None},
        {"slots": [{**SLOT, "active": False, "inactive": None}]},
    ],
)
def test_what_is_not_there_or_over_is_well(changes):
    assert levels(**changes) == {}


def test_a_server_that_is_down_is_critical():
    checks = judge({"error": "connection refused"}, THRESHOLDS)
    assert [(check.level, check.text) for check in checks] == [
        ("critical", "PostgreSQL does not answer: connection refused")
    ]


def test_the_forms():
    checks = [Check("up", "ok", "up", 1), Check("slot", "warning", "lags"), Check("backup", "critical", "none")]
    assert as_text(checks).split("\n")[0] == "POSTGRES CRITICAL: lags; none"
    assert as_text(checks).split("\n")[1].startswith("CRITICAL  backup")
    assert as_journal(checks) == "<4>slot: lags\n<2>backup: none"
    assert json.loads(as_json(checks))["level"] == "critical"


def test_what_cannot_be_asked_is_unknown(tmp_path, capsys):
    broken = tmp_path / "configuration.json"
    broken.write_text("{")
    assert main(["--configuration", str(broken)]) == LEVELS.index("unknown")
    assert "POSTGRES UNKNOWN: JSONDecodeError" in capsys.readouterr().out

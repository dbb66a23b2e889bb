#!/usr/bin/python3
"""Ask a PostgreSQL server how it is: exit code 0 is well, 1 a warning, 2 critical, 3 cannot be told."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CONFIGURATION = Path("/etc/postgres-health.json")
LEVELS = ("ok", "warning", "critical", "unknown")
# syslog's priorities, which journald takes from the start of a line.
PRIORITIES = {"ok": 6, "warning": 4, "critical": 2, "unknown": 3}
# {name: (warning, critical)}; the value at which it begins.
THRESHOLDS: dict[str, tuple[float, float]] = {
    "connections_percent": (80, 95),
    "replication_lag_seconds": (60, 600),
    "transaction_minutes": (60, 360),
    "transaction_age_percent": (40, 70),
    "checksum_failures": (1, 1),
    "disk_percent": (85, 95),
    "archive_failing_minutes": (5, 30),
    "backup_age_hours": (26, 50),
    "slot_wal_mb": (1024, 4096),
    "slot_inactive_hours": (24, 72),
    "certificate_days_left": (21, 7),
}
QUERY = """
SELECT json_build_object(
  'version', current_setting('server_version'),
  'standby', pg_is_in_recovery(),
  'directory', current_setting('data_directory'),
  'certificate', CASE WHEN current_setting('ssl')::bool THEN current_setting('ssl_cert_file') END,
  'connections', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'connections_allowed', current_setting('max_connections')::int,
  'replay_lag', CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() <> pg_last_wal_replay_lsn()
    THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp()) ELSE 0 END,
  'replicas', (SELECT coalesce(json_agg(json_build_array(application_name, extract(epoch FROM replay_lag))), '[]')
    FROM pg_stat_replication),
  'transaction', (SELECT extract(epoch FROM max(now() - xact_start)) FROM pg_stat_activity
    WHERE backend_type = 'client backend'),
  'transaction_age', (SELECT max(greatest(age(datfrozenxid), mxid_age(datminmxid))) FROM pg_database),
  'checksums', current_setting('data_checksums'),
  'checksum_failures', (SELECT sum(checksum_failures) FROM pg_stat_database),
  'archive_mode', current_setting('archive_mode'),
  'archiver', (SELECT json_build_object('archived', extract(epoch FROM last_archived_time),
    'failed', extract(epoch FROM last_failed_time), 'wal', last_failed_wal, 'reset', extract(epoch FROM stats_reset))
    FROM pg_stat_archiver),
  'slots', (SELECT coalesce(json_agg(json_build_object(
    'name', slot_name, 'database', database, 'active', active, 'wal_status', wal_status,
    'wal', pg_wal_lsn_diff(
      CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn),
    'inactive', extract(epoch FROM now() - (to_jsonb(slot) ->> 'inactive_since')::timestamptz))), '[]')
    FROM pg_replication_slots slot)
)
"""
Facts = Mapping[str, Any]
Limits = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Check:
    """What one question came to."""

    name: str
    level: str
    text: str
    value: float | None = None


def grade(value: float, limits: tuple[float, float]) -> str:
    """Put a value among its limits; where the critical one is the lower, less is worse."""
    warning, critical = limits
    if critical < warning:
        value, warning, critical = -value, -warning, -critical
    return "critical" if value >= critical else "warning" if value >= warning else "ok"


def judge(facts: Facts, limits: Limits) -> list[Check]:
    """Judge what `collect` found."""
    if "error" in facts:
        return [Check("up", "critical", f"PostgreSQL does not answer: {facts['error']}")]
    role = "standby" if facts["standby"] else "primary"
    checks = [Check("up", "ok", f"PostgreSQL {facts['version'].split()[0]}, {role}", 1)]
    judges: tuple[Callable[[Facts, Limits], Iterable[Check]], ...] = (
        _connections,
        _lag,
        _transactions,
        _checksums,
        _disks,
        _archive,
        _backups,
        _slots,
        _certificate,
    )
    return checks + [check for part in judges for check in part(facts, limits)]


def _connections(facts: Facts, limits: Limits) -> Iterator[Check]:
    used, allowed = facts["connections"], facts["connections_allowed"]
    percent = 100 * used / allowed
    text = f"{used} of {allowed} connections used"
    yield Check("connections", grade(percent, limits["connections_percent"]), text, round(percent, 1))


def _lag(facts: Facts, limits: Limits) -> Iterator[Check]:
    behind = [("this standby", facts["replay_lag"])] if facts["standby"] else facts["replicas"]
    for name, seconds in behind:
        lag = float(seconds or 0)
        yield Check(
            "lag", grade(lag, limits["replication_lag_seconds"]), f"{name} is {lag:.0f} s behind", round(lag, 1)
        )
    if not behind:
        yield Check("lag", "ok", "no replica is connected", 0)


def _transactions(facts: Facts, limits: Limits) -> Iterator[Check]:
    minutes = float(facts["transaction"] or 0) / 60
    text = f"the longest transaction runs for {minutes:.0f} min"
    yield Check("transaction", grade(minutes, limits["transaction_minutes"]), text, round(minutes, 1))
    percent = 100 * facts["transaction_age"] / 2**31
    level = grade(percent, limits["transaction_age_percent"])
    text = f"{percent:.0f} % of the transaction numbers are used"
    advice = "" if level == "ok" else ": find what holds VACUUM back (old transactions, slots), then VACUUM FREEZE"
    yield Check("wraparound", level, text + advice, round(percent, 1))


def _checksums(facts: Facts, limits: Limits) -> Iterator[Check]:
    if facts["checksums"] != "on":
        yield Check("checksums", "ok", "the cluster has no data checksums")
        return
    failures = int(facts["checksum_failures"] or 0)
    level = grade(failures, limits["checksum_failures"])
    advice = "" if level == "ok" else ": the disk returns wrong data. Restore from a backup on another disk"
    yield Check("checksums", level, f"{failures} checksum failures{advice}", failures)


def _disks(facts: Facts, limits: Limits) -> Iterator[Check]:
    for path, percent in facts["disks"].items():
        yield Check(
            "disk", grade(percent, limits["disk_percent"]), f"{path} is {percent:.0f} % full", round(percent, 1)
        )


def _archive(facts: Facts, limits: Limits) -> Iterator[Check]:
    if facts["archive_mode"] == "off":
        yield Check("archive", "ok", "WAL is not archived")
        return
    found = facts["archiver"]
    last, failed = found["archived"], found["failed"]
    if not failed or (last and last > failed):
        yield Check("archive", "ok", f"last WAL archived {_ago(facts['now'] - last) if last else 'never'}", 0)
        return
    minutes = (facts["now"] - (last or found["reset"])) / 60
    text = f"archiving has failed for {minutes:.0f} min, last with {found['wal']}: WAL piles up. See the server's log"
    yield Check("archive", grade(minutes, limits["archive_failing_minutes"]), text, round(minutes, 1))


def _backups(facts: Facts, limits: Limits) -> Iterator[Check]:
    found = facts["backups"]
    if found is None:
        yield Check("backup", "ok", "pgbackrest is not installed")
        return
    if isinstance(found, str):
        yield Check("backup", "critical", f"pgbackrest does not tell of its backups: {found}")
        return
    for stanza in found:
        stops = [backup["timestamp"]["stop"] for backup in stanza.get("backup", []) if not backup.get("error")]
        if not stops:
            why = stanza.get("status", {}).get("message", "no backup")
            yield Check("backup", "critical", f"stanza {stanza['name']} has no usable backup: {why}")
            continue
        hours = (facts["now"] - max(stops)) / 3600
        text = f"stanza {stanza['name']}: last backup {_ago(hours * 3600)}"
        yield Check("backup", grade(hours, limits["backup_age_hours"]), text, round(hours, 1))
    if not found:
        yield Check("backup", "critical", "pgbackrest knows no stanza: there is no backup")


def _slots(facts: Facts, limits: Limits) -> Iterator[Check]:
    for slot in facts["slots"]:
        name, megabytes = slot["name"], float(slot["wal"] or 0) / 2**20
        if slot["wal_status"] == "lost":
            drop = f"SELECT pg_drop_replication_slot('{name}')"
            text = (
                f"slot {name} is lost: it was forgotten, and the WAL that it needs is gone. Drop it ({drop}), make it "
                "again with --tags postgres_server_objects, and let its reader begin with a full refresh"
            )
            yield Check("slot", "critical", text)
            continue
        level = grade(megabytes, limits["slot_wal_mb"])
        text = f"slot {name} keeps {megabytes:.0f} MB of WAL"
        if slot["wal_status"] == "unreserved":
            level, text = "critical", f"{text}, more than max_slot_wal_keep_size: it is lost with the next checkpoint"
        if not slot["active"]:
            hours = float(slot["inactive"] or 0) / 3600
            level = max(level, grade(hours, limits["slot_inactive_hours"]), key=LEVELS.index)
            text += f", nobody has read it for {hours:.1f} h" if slot["inactive"] is not None else ", nobody reads it"
        if level != "ok":
            text += ". Start its reader, or drop it if nobody needs it"
        yield Check("slot", level, text, round(megabytes, 1))


def _certificate(facts: Facts, limits: Limits) -> Iterator[Check]:
    end = facts["certificate_end"]
    if isinstance(end, str):
        yield Check("certificate", "critical", f"the certificate cannot be read: {end}")
    elif end is not None:
        days = (end - facts["now"]) / 86400
        text = (
            f"the certificate ends in {days:.0f} days" if days >= 0 else f"the certificate ended {-days:.0f} days ago"
        )
        yield Check("certificate", grade(days, limits["certificate_days_left"]), text, round(days, 1))


def _ago(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def worst(checks: Iterable[Check]) -> str:
    """Name the highest level."""
    return max((check.level for check in checks), key=LEVELS.index, default="unknown")


def as_text(checks: list[Check]) -> str:
    """Write a line for the whole and one for each check, the worst first."""
    level = worst(checks)
    told = [check.text for check in checks if check.level != "ok"]
    ordered = sorted(checks, key=lambda check: -LEVELS.index(check.level))
    lines = [f"{check.level.upper():8}  {check.name:12}  {check.text}" for check in ordered]
    return "\n".join([f"POSTGRES {level.upper()}: {'; '.join(told) or 'all is well'}", *lines])


def as_journal(checks: list[Check]) -> str:
    """Write what is not well with its priority; nothing when all is."""
    return "\n".join(f"<{PRIORITIES[c.level]}>{c.name}: {c.text}" for c in checks if c.level != "ok")


def as_json(checks: list[Check]) -> str:
    """Write all checks as JSON."""
    return json.dumps({"level": worst(checks), "checks": [asdict(check) for check in checks]}, indent=2)


def collect(dsn: str) -> dict[str, Any]:
    """Ask the server and the machine."""
    import psycopg2

    try:
        with psycopg2.connect(dsn, connect_timeout=5, options="-c statement_timeout=5s") as connection:
            cursor = connection.cursor()
            cursor.execute(QUERY)
            facts: dict[str, Any] = cursor.fetchone()[0]
    except psycopg2.Error as error:
        return {"error": " ".join(str(error).split())}
    directory = Path(facts["directory"])
    facts["now"] = time.time()
    facts["disks"] = {str(path): _full(path) for path in {directory, (directory / "pg_wal").resolve()} if path.exists()}
    if len({Path(path).stat().st_dev for path in facts["disks"]}) == 1:
        facts["disks"] = {str(directory): facts["disks"][str(directory)]}
    facts["backups"] = _pgbackrest()
    certificate = facts["certificate"]
    facts["certificate_end"] = _certificate_end(directory / certificate) if certificate else None
    return facts


def _full(path: Path) -> float:
    found = os.statvfs(path)
    used = found.f_blocks - found.f_bfree
    return 100 * used / max(used + found.f_bavail, 1)


def _pgbackrest() -> list[dict[str, Any]] | str | None:
    if not shutil.which("pgbackrest"):
        return None
    try:
        run = subprocess.run(
            ["pgbackrest", "info", "--output=json"], capture_output=True, text=True, timeout=30, check=False
        )
        return list(json.loads(run.stdout)) if run.returncode == 0 else run.stdout.strip() or run.stderr.strip()
    except (subprocess.TimeoutExpired, ValueError) as error:
        return str(error)


def _certificate_end(path: Path) -> float | str:
    import ssl

    command = ["openssl", "x509", "-noout", "-enddate", "-in", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return run.stderr.strip().split("\n")[0]
    return ssl.cert_time_to_seconds(run.stdout.strip().removeprefix("notAfter="))


def _become(user: str) -> None:
    if os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)


def main(arguments: list[str] | None = None) -> int:
    """Print how the server is; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="write", action="store_const", const=as_json, default=as_text)
    form.add_argument("--journal", dest="write", action="store_const", const=as_journal, help="for systemd")
    parser.add_argument("--configuration", type=Path, default=CONFIGURATION)
    options = parser.parse_args(arguments)
    try:
        given = json.loads(options.configuration.read_text()) if options.configuration.exists() else {}
        _become(given.get("user", "postgres"))
        limits = {**THRESHOLDS, **{name: tuple(pair) for name, pair in given.get("thresholds", {}).items()}}
        os.chdir("/")
        checks = judge(collect(given.get("dsn", "dbname=postgres")), limits)
    except Exception as error:
        checks = [Check("postgres-health", "unknown", f"{type(error).__name__}: {error}")]
    text = options.write(checks)
    if text:
        sys.stdout.write(f"{text}\n")
    return LEVELS.index(worst(checks))


if __name__ == "__main__":
    sys.exit(main())

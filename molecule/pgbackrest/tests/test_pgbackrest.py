import json
import re
import time

import pytest

PASSPHRASE = "only-in-this-scenario"
REPOSITORY = "/var/backups/pgbackrest"
PGBACKREST = "cd / && sudo -u postgres pgbackrest --stanza=main"


@pytest.fixture(autouse=True)
def root(host):
    with host.sudo():
        yield


def info(host):
    (stanza,) = json.loads(host.check_output(f"{PGBACKREST} --output=json info"))
    return stanza


def until(reached, seconds=60):
    end = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < end
        time.sleep(0.3)
    return found


def test_the_repository_is_encrypted_and_whole(host):
    stanza = info(host)
    assert stanza["status"]["message"] == "ok"
    assert stanza["cipher"] == "aes-256-cbc"
    assert "error" not in host.check_output(f"{PGBACKREST} --output=text verify").lower()
    found = host.run(f"grep -rlE 'PostgreSQL|backup-standby' {REPOSITORY}")
    assert found.stdout == ""


def test_a_restore_went_to_another_timeline_and_was_backed_up(host):
    stanza = info(host)
    assert stanza["archive"][0]["max"].startswith("00000002")
    assert stanza["backup"][-1]["type"] == "full"
    assert stanza["backup"][-1]["archive"]["start"].startswith("00000002")


def test_the_former_data_are_still_there(host):
    assert host.file("/var/lib/postgresql/17/main.before-killed/PG_VERSION").exists
    assert not host.file("/var/lib/postgresql/17/main.restoring").exists
    assert not host.file("/var/lib/postgresql/restored").exists


def test_the_passphrase_is_for_postgres_only(host):
    config = host.file("/etc/pgbackrest/pgbackrest.conf")
    assert (config.user, config.group, config.mode) == ("root", "postgres", 0o640)
    assert PASSPHRASE in config.content_string
    assert host.run("sudo -u nobody cat /etc/pgbackrest/pgbackrest.conf").failed
    assert PASSPHRASE not in host.check_output("journalctl --no-pager")
    assert host.run(f"grep -rl {PASSPHRASE} /var/log /run/postgresql").stdout == ""


def test_the_timers_wait_for_their_hours(host):
    for kind in ("full", "incr"):
        shown = host.check_output(
            f"systemctl show pgbackrest-backup@{kind}.timer --property=ActiveState,Persistent,NextElapseUSecRealtime"
        )
        assert "ActiveState=active" in shown
        assert "Persistent=yes" in shown
        assert re.search(r"NextElapseUSecRealtime=\w{3} \d{4}", shown)
    assert host.service("pgbackrest-backup@full.timer").is_enabled


def test_the_unit_makes_an_incremental_backup(host):
    before = len(info(host)["backup"])
    host.check_output("systemctl start pgbackrest-backup@incr.service")
    backups = info(host)["backup"]
    assert len(backups) == before + 1
    assert backups[-1]["type"] == "incr"


@pytest.fixture
def under_way(host, as_postgres):
    """Start a full backup, and return the labels of those before it once it copies."""
    as_postgres("CREATE TABLE IF NOT EXISTS big AS SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 60000) n")
    before = labels(host)
    host.check_output("systemctl start --no-block pgbackrest-backup@full.service")
    until(lambda: host.run("pgrep --full 'pgbackrest.*backup:local'").succeeded)
    return before


def labels(host):
    return [each["label"] for each in info(host)["backup"]]


def failed(host):
    return host.run("systemctl is-failed pgbackrest-backup@full.service").stdout.strip() == "failed"


def expect_a_whole_backup(host, before):
    host.check_output("systemctl start pgbackrest-backup@full.service")
    newest = info(host)["backup"][-1]
    assert newest["type"] == "full"
    assert newest["label"] not in before
    assert "error" not in host.check_output(f"{PGBACKREST} --output=text verify").lower()


def test_a_backup_that_was_killed_hinders_no_other(host, under_way):
    host.check_output("systemctl kill --signal=KILL pgbackrest-backup@full.service")
    until(lambda: failed(host))
    assert labels(host) == under_way
    expect_a_whole_backup(host, under_way)


def test_a_server_that_was_killed_during_a_backup_loses_nothing(host, as_postgres, under_way):
    as_postgres("CREATE TABLE IF NOT EXISTS written (at timestamptz)")
    rows = as_postgres("INSERT INTO written VALUES (now()); SELECT count(*) FROM written")
    host.check_output("systemctl kill --signal=KILL postgresql@17-main")
    until(lambda: failed(host))
    assert labels(host) == under_way
    host.check_output("systemctl start postgresql@17-main")
    until(lambda: host.run("pg_isready").succeeded)
    assert as_postgres("SELECT count(*) FROM written") == rows
    expect_a_whole_backup(host, under_way)


def test_an_archive_out_of_reach_stops_no_write_and_catches_up(host, as_postgres):
    as_postgres("CREATE TABLE IF NOT EXISTS written (at timestamptz)")
    as_postgres("SELECT pg_stat_reset_shared('archiver')")
    host.check_output(f"mv {REPOSITORY}/archive {REPOSITORY}/away && touch {REPOSITORY}/archive")
    try:
        as_postgres("INSERT INTO written VALUES (now())")
        segment = as_postgres("SELECT pg_walfile_name(pg_current_wal_lsn())")
        as_postgres("SELECT pg_switch_wal()")
        until(lambda: as_postgres("SELECT failed_count > 0 FROM pg_stat_archiver") == "t")
        as_postgres("INSERT INTO written VALUES (now())")
        assert as_postgres("SELECT last_failed_wal FROM pg_stat_archiver") == segment
        assert host.file(f"/var/lib/postgresql/17/main/pg_wal/{segment}").exists
    finally:
        host.check_output(f"rm {REPOSITORY}/archive && mv {REPOSITORY}/away {REPOSITORY}/archive")
    as_postgres("SELECT pg_switch_wal()")
    until(lambda: as_postgres(f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver") == "t", 90)
    assert segment in host.check_output(f"find {REPOSITORY}/archive -name '{segment}-*'")
    assert as_postgres("SELECT count(*) >= 2 FROM written") == "t"

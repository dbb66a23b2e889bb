"""Changes can be read by the user who may, and a reader who never comes back does not fill the disk."""

import json
import time

READER = {"host": "127.0.0.1", "dbname": "gym", "user": "reader", "sslmode": "require"}
PASSWORD = "it's only here"
CHANGES = "'extraction', NULL, NULL, 'proto_version', '1', 'publication_names', 'changes'"
MEGABYTE = 2**20


def beat(as_postgres):
    return as_postgres("SELECT beat_at FROM cdc.heartbeat", "gym")


def test_the_slot_hands_changes_to_the_reader(psql):
    changed = psql("UPDATE cdc.heartbeat SET beat_at = now()", PASSWORD, **READER)
    assert changed.rc == 0, changed.stderr
    read = psql(f"SELECT count(*) FROM pg_logical_slot_peek_binary_changes({CHANGES})", PASSWORD, **READER)
    assert read.rc == 0, read.stderr
    assert int(read.stdout) >= 3


def test_the_whole_former_row_is_told(as_postgres):
    assert as_postgres("SELECT relreplident FROM pg_class WHERE oid = 'cdc.heartbeat'::regclass", "gym") == "f"


def test_the_reader_may_only_update_the_heartbeat(psql):
    for statement in ("DELETE FROM cdc.heartbeat", "INSERT INTO cdc.heartbeat VALUES (2, now())"):
        assert "permission denied" in psql(statement, PASSWORD, **READER).stderr


def test_the_timer_keeps_the_heart_beating(as_postgres):
    before = beat(as_postgres)
    deadline = time.monotonic() + 15
    while beat(as_postgres) == before and time.monotonic() < deadline:
        time.sleep(0.5)
    assert beat(as_postgres) != before


def kept(as_postgres):
    """Return how far back the oldest WAL reaches, in bytes."""
    oldest = "(SELECT min(name) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$')"
    place = "('x' || substr(name, 9, 8))::bit(32)::bigint * 2^32 + ('x' || substr(name, 17, 8))::bit(32)::bigint * 2^24"
    return float(as_postgres(f"SELECT pg_current_wal_lsn() - '0/0'::pg_lsn - ({place}) FROM {oldest} o(name)"))


def write(as_postgres, megabytes):
    noise = f"SELECT pg_logical_emit_message(false, '', repeat('x', 1000000)) FROM generate_series(1, {megabytes})"
    as_postgres(f"{noise}; SELECT pg_switch_wal(); CHECKPOINT")


def test_a_forgotten_slot_is_lost_before_the_disk_is_and_health_says_what_to_do(host, as_postgres):
    try:
        for megabytes in (150, 150):
            write(as_postgres, megabytes)
            assert kept(as_postgres) <= (64 + 3 * 16) * MEGABYTE
        assert as_postgres("SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'extraction'") == "lost"
        with host.sudo():
            health = host.run("postgres-health --json")
        assert health.rc == 2
        told = [check["text"] for check in json.loads(health.stdout)["checks"] if check["level"] == "critical"]
        assert any(text.startswith("slot extraction is lost") for text in told)
        assert any("SELECT pg_drop_replication_slot('extraction')" in text for text in told)
    finally:
        as_postgres("SELECT pg_drop_replication_slot('extraction')")
        as_postgres("SELECT pg_create_logical_replication_slot('extraction', 'pgoutput')", "gym")

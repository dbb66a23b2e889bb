"""After an upgrade from 15 to 17 that was killed once and went on."""

READER = {
    "host": "127.0.0.1",
    "dbname": "gym",
    "user": "reader",
    "sslmode": "verify-full",
    "sslrootcert": "/etc/ssl/postgresql/ca.crt",
}
DIRECTORY = "/var/lib/postgresql/upgrade/15-17"


def test_a_client_reads_every_row_from_the_new_version(psql, host):
    with host.sudo():
        before = host.check_output("cat /root/before")
    digest = "SELECT count(*), md5(string_agg(c::text, ',' ORDER BY id)) FROM climbs c"
    assert psql(digest, "only-in-this-scenario", **READER).stdout.strip() == before
    assert before.startswith("20000|")
    assert psql("SHOW server_version", "only-in-this-scenario", **READER).stdout.startswith("17.")


def test_checksums_settings_and_audit_are_as_before(as_postgres):
    assert as_postgres("SHOW data_checksums") == "on"
    assert as_postgres("SHOW wal_level") == "logical"
    assert as_postgres("SHOW shared_preload_libraries") == "pg_stat_statements,pgaudit"
    assert as_postgres("SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"


def test_extensions_have_their_new_versions(as_postgres):
    outdated = "SELECT count(*) FROM pg_available_extensions WHERE installed_version <> default_version"
    assert as_postgres(outdated, "gym") == "0"


def test_tables_have_statistics(as_postgres):
    assert as_postgres("SELECT count(*) FROM pg_stats WHERE tablename = 'climbs'", "gym") == "3"


def test_the_former_cluster_is_whole_and_does_not_start(host):
    clusters = {tuple(line.split()[:4]) for line in host.check_output("pg_lsclusters --no-header").split("\n")}
    assert ("17", "main", "5432", "online") in clusters
    assert ("15", "main", "5432", "down") in clusters
    assert host.file("/etc/postgresql/15/main/start.conf").content_string.split()[-1] == "disabled"
    with host.sudo():
        assert host.file("/var/lib/postgresql/15/main/global/pg_control").exists


def test_a_dump_was_made_first_and_only_the_server_reads_it(host):
    with host.sudo():
        dump = host.file(f"{DIRECTORY}/dump.sql.gz")
        assert (dump.user, dump.mode) == ("postgres", 0o600)
        assert host.check_output(f"zcat {DIRECTORY}/dump.sql.gz | grep -c '^20000\t5.5\t'") == "1"


def test_it_was_killed_once_and_is_done(host):
    with host.sudo():
        assert host.file("/root/interrupted").content_string.strip() == "killed"
        assert host.file(f"{DIRECTORY}/stage").content_string.strip() == "done"

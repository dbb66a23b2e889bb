"""The server: who gets in and how, certificates, settings, logs, the volume and the packages."""

import os
import re
from pathlib import Path

import pytest

AUTHORITY = "/etc/ssl/postgresql/ca.crt"
READER = {
    "host": "127.0.0.1",
    "dbname": "gym",
    "user": "reader",
    "sslmode": "verify-full",
    "sslrootcert": AUTHORITY,
}
PASSWORD = "it's only here"


@pytest.fixture(scope="module")
def clients(host):
    """Put the client's certificate where psql takes it, and return libpq's words for it."""
    directory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "tls/clients")
    for name in ("climber.crt", "climber.key"):
        host.check_output("umask 077 && echo %s >/tmp/%s", (directory / name).read_text(), name)
    yield {"sslcert": "/tmp/climber.crt", "sslkey": "/tmp/climber.key"}
    host.check_output("rm -f /tmp/climber.crt /tmp/climber.key")


def own_address(host):
    return host.check_output("hostname -I").split()[0]


def test_reader_gets_an_answer_from_a_server_that_is_who_it_says(psql):
    answer = psql("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()", PASSWORD, **READER)
    assert answer.rc == 0, answer.stderr
    assert answer.stdout.strip() == "t|TLSv1.3"


@pytest.mark.parametrize(
    ("name", "trusted"), [("localhost", True), ("db.gym.example", True), ("other.gym.example", False)]
)
def test_a_name_is_trusted_when_the_certificate_has_it(psql, name, trusted):
    answer = psql("SELECT 1", PASSWORD, **{**READER, "host": name, "hostaddr": "127.0.0.1"})
    assert (answer.rc == 0) == trusted, answer.stderr
    assert trusted or "does not match host name" in answer.stderr


def test_another_authority_is_not_trusted(psql, host):
    other = "/etc/ssl/certs/ssl-cert-snakeoil.pem"
    assert host.file(other).exists
    refused = psql("SELECT 1", PASSWORD, **{**READER, "sslrootcert": other})
    assert "certificate verify failed" in refused.stderr


@pytest.mark.parametrize(("version", "spoken"), [("tls1_1", False), ("tls1_2", True), ("tls1_3", True)])
def test_old_tls_is_not_spoken(host, version, spoken):
    handshake = host.run(
        "openssl s_client -starttls postgres -connect 127.0.0.1:5432 -cipher DEFAULT@SECLEVEL=0 -%s </dev/null", version
    )
    assert ("Cipher is (NONE)" not in handshake.stdout) == spoken


def test_private_keys_are_read_by_their_owners_only(host):
    server = host.file("/etc/ssl/postgresql/server.pem")
    assert (server.user, server.mode) == ("postgres", 0o600)
    with host.sudo():
        keys = host.check_output("grep --recursive --files-with-matches 'PRIVATE KEY' /etc/ssl/postgresql")
    assert keys == "/etc/ssl/postgresql/server.pem"
    local = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "tls")
    assert (local / "ca.key").stat().st_mode & 0o777 == 0o600
    assert (local / "clients/climber.key").stat().st_mode & 0o777 == 0o600


def test_a_certificate_logs_its_own_role_in_and_no_other(psql, clients):
    climber = {**READER, **clients, "user": "climber"}
    assert psql("SELECT current_user", "", **climber).stdout.strip() == "climber"
    assert psql("SELECT 1", PASSWORD, **{**READER, "user": "climber"}).rc != 0
    refused = psql("SELECT 1", PASSWORD, **{**climber, "user": "setter"})
    assert refused.rc != 0
    assert 'authentication failed for user "setter"' in refused.stderr


def test_a_password_alone_is_not_enough_where_a_certificate_is_asked_for_too(psql):
    refused = psql("SELECT 1", PASSWORD, **{**READER, "user": "setter"})
    assert "requires a valid client certificate" in refused.stderr


def test_password_is_stored_as_scram(as_postgres):
    assert as_postgres("SELECT rolpassword FROM pg_authid WHERE rolname = 'reader'").startswith("SCRAM-SHA-256$")


def test_settings_are_in_force_and_win_over_the_tuning(as_postgres):
    shown = as_postgres("SELECT name, current_setting(name) FROM pg_settings")
    assert set(shown.split("\n")) >= {"wal_level|logical", "work_mem|3MB", "shared_buffers|128MB"}
    assert as_postgres("SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"


def test_the_log_is_bounded_by_the_disk(as_postgres, host):
    size = host.check_output("df --block-size=1M --output=size /var/lib/postgresql | tail -n 1")
    most = as_postgres("SELECT setting::int FROM pg_settings WHERE name = 'max_wal_size'")
    assert 64 <= int(most) <= max(int(size) // 7, 64)


def test_cluster_has_checksums_and_unicode(as_postgres):
    assert as_postgres("SHOW data_checksums") == "on"
    assert as_postgres("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'gym'") == "UTF8"


def test_statements_are_counted(as_postgres):
    assert "pg_stat_statements" in as_postgres("SHOW shared_preload_libraries").split(",")


def test_statements_are_logged_with_who_ran_them_and_ddl_is_audited(psql, as_postgres, host):
    psql("SELECT 'this is logged'", PASSWORD, **READER)
    as_postgres("CREATE TABLE public.audited (id int); DROP TABLE public.audited", "gym")
    with host.sudo():
        path = host.check_output("ls -t /var/log/postgresql/main/*.log | head -n 1")
        log, mode = host.file(path).content_string, host.file(path).mode
    assert re.fullmatch(r".*/postgresql-\w{3}\.log", path)
    assert re.search(r"reader@gym 127\.0\.0\.1 .*duration: .* statement: SELECT 'this is logged'", log)
    assert re.search(r"postgres@gym .*AUDIT: SESSION,\d+,1,DDL,CREATE TABLE,.*public\.audited", log)
    assert "AUDIT: SESSION" not in "".join(line for line in log.split("\n") if "this is logged" in line)
    assert mode == 0o600


def test_the_volume_holds_the_data(host, as_postgres):
    if host.system_info.release != "12":
        pytest.skip("only the Debian 12 machine has a volume")
    mounted = host.mount_point("/var/lib/postgresql")
    assert mounted.filesystem == "ext4"
    assert "noatime" in mounted.options
    assert re.search(
        r"^UUID=\S+ /var/lib/postgresql ext4 defaults,noatime,nofail ", host.file("/etc/fstab").content_string, re.M
    )
    assert as_postgres("SHOW data_directory").startswith("/var/lib/postgresql/")


def test_pgdgs_packages_come_from_its_repository_alone_by_its_key(host):
    if host.system_info.release != "12":
        pytest.skip("only the Debian 12 machine takes PGDG's packages")
    assert host.package("postgresql-15").version.endswith("+pgdg")
    source = host.file("/etc/apt/sources.list.d/pgdg.sources").content_string
    assert "Suites: bookworm-pgdg\n" in source
    assert "Signed-By: /etc/apt/keyrings/pgdg.asc" in source


def test_a_table_made_later_is_readable_and_not_writable(psql, as_postgres):
    as_postgres("SET ROLE gym; DROP TABLE IF EXISTS walls; CREATE TABLE walls AS SELECT 7 AS id", "gym")
    assert psql("SELECT id FROM walls", PASSWORD, **READER).stdout.strip() == "7"
    for statement in ("INSERT INTO walls VALUES (8)", "DELETE FROM walls", "DROP TABLE walls"):
        refused = psql(statement, PASSWORD, **READER)
        assert refused.rc != 0
        assert "permission denied" in refused.stderr or "must be owner" in refused.stderr
    as_postgres("DROP TABLE walls", "gym")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"sslmode": "disable"}, "no encryption"),
        ({"dbname": "postgres"}, "no pg_hba.conf entry"),
        ({"user": "gym"}, "no pg_hba.conf entry"),
        ({"user": "postgres"}, "no pg_hba.conf entry"),
    ],
)
def test_what_no_rule_allows_is_refused(psql, change, reason):
    refused = psql("SELECT 1", **{"password": PASSWORD, **READER, **change})
    assert refused.rc != 0
    assert reason in refused.stderr


def test_an_address_without_a_rule_is_refused(host, psql):
    address = own_address(host)
    refused = psql("SELECT 1", PASSWORD, **{**READER, "host": address})
    assert refused.rc != 0
    assert f'no pg_hba.conf entry for host "{address}"' in refused.stderr


def test_the_superuser_is_kept_out_where_everybody_may_come_in(host, psql):
    everybody = {**READER, "host": own_address(host), "dbname": "postgres"}
    assert psql("SELECT 1", PASSWORD, **everybody).stdout.strip() == "1"
    refused = psql("SELECT 1", PASSWORD, **{**everybody, "user": "postgres"})
    assert "pg_hba.conf rejects connection" in refused.stderr


def test_the_owner_cannot_log_in(as_postgres):
    assert as_postgres("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'gym'") == "f"

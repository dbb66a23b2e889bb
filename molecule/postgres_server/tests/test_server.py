import pytest

READER = {"host": "127.0.0.1", "dbname": "gym", "user": "reader", "sslmode": "require"}
PASSWORD = "it's only here"


def test_reader_gets_an_answer_over_tls(psql):
    answer = psql("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()", PASSWORD, **READER)
    assert answer.rc == 0, answer.stderr
    assert answer.stdout.strip() == "t|TLSv1.3"


def test_password_is_stored_as_scram(as_postgres):
    assert as_postgres("SELECT rolpassword FROM pg_authid WHERE rolname = 'reader'").startswith("SCRAM-SHA-256$")


def test_settings_are_in_force(as_postgres):
    shown = as_postgres("SELECT name, setting FROM pg_settings WHERE name IN ('wal_level', 'log_connections')")
    assert set(shown.split()) >= {"wal_level|logical", "log_connections|on"}
    assert as_postgres("SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"


def test_cluster_has_checksums_and_unicode(as_postgres):
    assert as_postgres("SHOW data_checksums") == "on"
    assert as_postgres("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'gym'") == "UTF8"


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
    address = host.check_output("hostname -I").split()[0]
    refused = psql("SELECT 1", PASSWORD, **{**READER, "host": address})
    assert refused.rc != 0
    assert f'no pg_hba.conf entry for host "{address}"' in refused.stderr


def test_the_owner_cannot_log_in(as_postgres):
    assert as_postgres("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'gym'") == "f"

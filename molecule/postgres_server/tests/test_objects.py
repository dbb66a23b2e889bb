"""Roles, databases and what they may are as the lists say."""

READER = {"host": "127.0.0.1", "dbname": "gym", "user": "reader", "sslmode": "require"}
PASSWORD = "it's only here"


def test_a_member_has_what_its_group_has(psql, as_postgres):
    as_postgres("SET ROLE gym; DROP TABLE IF EXISTS holds; CREATE TABLE holds AS SELECT 7 AS id", "gym")
    assert psql("SELECT id FROM holds", PASSWORD, **READER).stdout.strip() == "7"
    assert as_postgres("SELECT has_table_privilege('readers', 'holds', 'SELECT')", "gym") == "t"
    as_postgres("DROP TABLE holds", "gym")


def test_settings_of_role_and_database_are_in_force(psql):
    assert psql("SHOW statement_timeout", PASSWORD, **READER).stdout.strip() == "30s"
    assert psql("SHOW timezone", PASSWORD, **READER).stdout.strip() == "UTC"


def test_a_long_statement_is_ended(psql):
    answer = psql("SET statement_timeout = '100ms'; SELECT pg_sleep(5)", PASSWORD, **READER)
    assert "canceling statement due to statement timeout" in answer.stderr


def test_the_number_of_connections_is_bounded(as_postgres):
    assert as_postgres("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'reader'") == "10"


def test_schema_and_extension_are_there(as_postgres):
    assert as_postgres("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'archive'", "gym") == "gym"
    assert as_postgres("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'", "gym") == "1"


def test_nobody_else_may_connect_or_make_objects(as_postgres):
    rights = "SELECT string_agg(privilege_type, ',') FROM pg_database, aclexplode(datacl) WHERE datname = 'gym' AND "
    assert as_postgres(f"{rights} grantee = 0") == ""
    assert as_postgres(f"{rights} grantee = 'readers'::regrole") == "CONNECT"

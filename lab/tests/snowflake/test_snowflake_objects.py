"""Account objects: created, changed, shown and dropped as Snowflake does."""

from __future__ import annotations

import pytest
from hanger_lab.snowflake import keys, names
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snowflake_support import Client, Key, unique


def test_warehouse_life(admin: Client) -> None:
    name = unique("WH")
    admin.run(
        f"CREATE WAREHOUSE {name} WITH WAREHOUSE_SIZE = 'X-SMALL' AUTO_SUSPEND = 60 AUTO_RESUME = TRUE "
        "INITIALLY_SUSPENDED = TRUE COMMENT = 'it''s mine'",
        f"CREATE WAREHOUSE IF NOT EXISTS {name}",
    )
    (shown,) = admin.dicts(f"SHOW WAREHOUSES LIKE '{name}'")
    assert (shown["size"], shown["state"], shown["auto_suspend"], shown["auto_resume"]) == (
        "X-Small",
        "SUSPENDED",
        60,
        "true",
    )
    assert (shown["comment"], shown["owner"], shown["is_current"]) == ("it's mine", "ACCOUNTADMIN", "Y")
    admin.run(f"ALTER WAREHOUSE {name} SET WAREHOUSE_SIZE = MEDIUM, COMMENT = ''", f"ALTER WAREHOUSE {name} RESUME")
    (shown,) = admin.dicts(f"SHOW WAREHOUSES LIKE '{name}'")
    assert (shown["size"], shown["state"], shown["comment"]) == ("Medium", "STARTED", "")
    admin.run(f"ALTER WAREHOUSE {name} UNSET AUTO_SUSPEND", f"DROP WAREHOUSE {name}")
    assert admin.dicts(f"SHOW WAREHOUSES LIKE '{name}'") == []
    assert admin.refused(f"DROP WAREHOUSE {name}")[0] == 2003
    admin.run(f"DROP WAREHOUSE IF EXISTS {name}")


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("CREATE WAREHOUSE WORK", 2002),
        ("CREATE WAREHOUSE X WAREHOUSE_SIZE = HUGE", 1008),
        ("CREATE WAREHOUSE X AUTO_SUSPEND = -1", 1008),
        ("CREATE WAREHOUSE X COLOUR = 'red'", 1420),
        ("CREATE WAREHOUSE", 1003),
        ("CREATE WAREHOUSE X COMMENT = 'a' COMMENT = 'b'", 1418),
        ("ALTER WAREHOUSE WORK", 1003),
        ("ALTER WAREHOUSE WORK SET", 1003),
        ("ALTER WAREHOUSE NOSUCH SET COMMENT = 'x'", 2003),
        ("CREATE USER X TYPE = SERVICE RSA_PUBLIC_KEY = 'MIIB'", 390191),
        ("CREATE USER X TYPE = SERVICE PASSWORD = 'x'", 3666),
        ("CREATE SCHEMA NOSUCH.X", 2003),
        ("USE SCHEMA NOSUCH.X", 2043),
        ("CREATE PASSWORD POLICY P PASSWORD_MIN_LENGTH = 14", 2),
        ("CREATE OR ALTER WAREHOUSE X", 2),
        ("SHOW NONSENSE", 2),
        ("UNDROP DATABASE X", 2),
        ("FROBNICATE", 2),
        ("SELECT FROM WHERE", 1003),
        ("ALTER SESSION SET NOSUCH = 1", 1420),
        ("ALTER SESSION SET TIMEZONE = 'Europe/Rome'", 2),
        ("GRANT FLY ON WAREHOUSE WORK TO ROLE PUBLIC", 3008),
        ("GRANT USAGE ON WAREHOUSE WORK TO ROLE NOSUCH", 2003),
        ("GRANT ROLE ACCOUNTADMIN TO ROLE SYSADMIN", 3028),
    ],
)
def test_what_cannot_be_done_is_an_error(admin: Client, statement: str, number: int) -> None:
    assert admin.refused(statement)[0] == number


def test_user_is_described_with_fingerprints(admin: Client, second_key: Key) -> None:
    name = unique("USER")
    admin.run(
        f"CREATE USER {name} TYPE = SERVICE RSA_PUBLIC_KEY = '{second_key.pem}' DEFAULT_ROLE = loader "
        "DEFAULT_WAREHOUSE = 'loading' DEFAULT_NAMESPACE = 'RAW.GYM' COMMENT = 'el'"
    )
    described = {row["property"]: row["value"] for row in admin.dicts(f"DESCRIBE USER {name}")}
    assert described["RSA_PUBLIC_KEY_FP"] == keys.fingerprint(second_key.public)
    assert described["RSA_PUBLIC_KEY"] == second_key.public
    assert (described["DEFAULT_ROLE"], described["DEFAULT_WAREHOUSE"]) == ("LOADER", "LOADING")
    assert (described["TYPE"], described["DISABLED"], described["PASSWORD"]) == ("SERVICE", "false", "null")
    (shown,) = admin.dicts(f"SHOW USERS LIKE '{name}'")
    assert (shown["has_rsa_public_key"], shown["has_password"], shown["type"]) == ("true", "false", "SERVICE")
    admin.run(f"ALTER USER {name} UNSET RSA_PUBLIC_KEY", f"DROP USER {name}")


def test_database_and_schema_life(admin: Client) -> None:
    name = unique("DB")
    admin.run(f"CREATE DATABASE {name} COMMENT = 'landing' DATA_RETENTION_TIME_IN_DAYS = 7")
    assert admin.rows("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [(name, "PUBLIC")]
    admin.run(f"CREATE SCHEMA {name}.GYM WITH MANAGED ACCESS COMMENT = 'x'", f"CREATE SCHEMA IF NOT EXISTS {name}.GYM")
    (shown,) = admin.dicts(f"SHOW DATABASES LIKE '{name}'")
    assert (shown["comment"], shown["retention_time"], shown["owner"]) == ("landing", "7", "ACCOUNTADMIN")
    schemas = {row["name"]: row["options"] for row in admin.dicts(f"SHOW SCHEMAS IN DATABASE {name}")}
    assert schemas == {"GYM": "MANAGED ACCESS", "PUBLIC": ""}
    admin.run(f"CREATE TABLE {name}.GYM.T (I INT)", f"DROP SCHEMA {name}.GYM")
    assert admin.refused(f"SELECT * FROM {name}.GYM.T")[0] == 2003
    admin.run(f"DROP DATABASE {name}", f"CREATE DATABASE {name}", f"CREATE SCHEMA {name}.GYM")
    assert admin.rows(f"SHOW TABLES IN DATABASE {name}") == []
    admin.run(f"DROP DATABASE {name}", "USE DATABASE LAB")


def test_role_keeps_its_grants_when_renamed_and_leaves_what_it_owned(admin: Client) -> None:
    role, new = unique("ROLE"), unique("ROLE")
    admin.run(
        f"CREATE ROLE {role} COMMENT = 'x'",
        f"GRANT ROLE {role} TO ROLE SYSADMIN",
        f"GRANT USAGE ON WAREHOUSE WORK TO ROLE {role}",
        f"ALTER ROLE {role} RENAME TO {new}",
    )
    (shown,) = admin.dicts(f"SHOW ROLES LIKE '{new}'")
    assert (shown["granted_to_roles"], shown["comment"]) == (1, "x")
    assert [row["privilege"] for row in admin.dicts(f"SHOW GRANTS TO ROLE {new}")] == ["USAGE"]
    admin.run(f"DROP ROLE {new}")
    assert admin.refused(f"SHOW GRANTS TO ROLE {new}")[0] == 2003
    assert admin.refused("DROP ROLE SYSADMIN")[0] == 3001


def test_resource_monitor(admin: Client) -> None:
    name, warehouse = unique("RM"), unique("WH")
    admin.run(
        f"CREATE RESOURCE MONITOR {name} WITH CREDIT_QUOTA = 20 FREQUENCY = MONTHLY START_TIMESTAMP = IMMEDIATELY "
        "TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND",
        f"CREATE WAREHOUSE {warehouse} RESOURCE_MONITOR = {name}",
    )
    (shown,) = admin.dicts(f"SHOW RESOURCE MONITORS LIKE '{name}'")
    assert (shown["credit_quota"], shown["notify_at"], shown["suspend_at"]) == ("20.00", "80%", "100%")
    assert shown["level"] == "WAREHOUSE"
    admin.run(f"ALTER RESOURCE MONITOR {name} TRIGGERS ON 90 PERCENT DO SUSPEND_IMMEDIATE")
    (shown,) = admin.dicts(f"SHOW RESOURCE MONITORS LIKE '{name}'")
    assert (shown["notify_at"], shown["suspend_at"], shown["suspend_immediately_at"]) == (None, None, "90%")
    assert admin.refused(f"CREATE WAREHOUSE {unique('WH')} RESOURCE_MONITOR = NOSUCH")[0] == 2003


def test_like_escapes_and_other_filters(admin: Client) -> None:
    base = unique("F")
    for name in (f"{base}_A", f"{base}XA", f"{base}_B"):
        admin.run(f"CREATE ROLE {name}")

    def shown(rest: str) -> list[str]:
        return [row["name"] for row in admin.dicts(f"SHOW ROLES {rest}")]

    escaped = base.replace("_", r"\\_")
    assert shown(f"LIKE '{base.lower()}_A'") == [f"{base}XA", f"{base}_A"]
    assert shown(f"LIKE '{escaped}\\\\_A'") == [f"{base}_A"]
    assert shown(f"LIKE '{base}%' LIMIT 2") == [f"{base}XA", f"{base}_A"]
    assert shown(f"LIKE '{base}%' LIMIT 2 FROM '{base}_A'") == [f"{base}_B"]
    assert shown(f"STARTS WITH '{base}X'") == [f"{base}XA"]


def test_comment_on(admin: Client) -> None:
    admin.run("COMMENT ON WAREHOUSE WORK IS 'for work'")
    assert admin.dicts("SHOW WAREHOUSES LIKE 'WORK'")[0]["comment"] == "for work"


def test_show_columns_and_parameters(admin: Client) -> None:
    admin.run("CREATE TABLE C (ID INT NOT NULL, NAME VARCHAR(20))", "ALTER SESSION SET QUERY_TAG = 'hanger'")
    assert [row["column_name"] for row in admin.dicts("SHOW COLUMNS IN TABLE C")] == ["ID", "NAME"]
    (shown,) = admin.dicts("SHOW PARAMETERS LIKE 'QUERY_TAG' IN SESSION")
    assert (shown["value"], shown["level"]) == ("hanger", "SESSION")
    terse = admin.dicts("SHOW TERSE TABLES LIKE 'C'")
    assert list(terse[0]) == ["created_on", "name", "kind", "database_name", "schema_name"]


IDENTIFIERS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30
)


@given(st.lists(IDENTIFIERS, min_size=1, max_size=3))
def test_names_survive_being_written_and_read(parts: list[str]) -> None:
    name = tuple(parts)
    assert names.split(".".join(names.quote(part) for part in name)) == name
    assert names.split(names.show(name)) == name


@given(IDENTIFIERS)
def test_like_with_everything_escaped_matches_only_itself(text: str) -> None:
    pattern = "".join(f"\\{c}" if c in "\\%_" else c for c in text)
    assert names.like(pattern, text)
    assert not names.like(pattern, text + "x")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(text=IDENTIFIERS)
def test_quoted_names_are_exact_and_unquoted_ones_fold(admin: Client, text: str) -> None:
    quoted = names.quote(text)
    for kind in ("ROLE", "WAREHOUSE", "USER"):
        admin.run(f"CREATE OR REPLACE {kind} {quoted} COMMENT = {literal(text)}")
        pattern = "".join(f"\\{c}" if c in "\\%_" else c for c in text)
        found = [row for row in admin.dicts(f"SHOW {kind}S LIKE {literal(pattern)}") if row["name"] == text]
        assert [row["comment"] for row in found] == [text]
        admin.run(f"DROP {kind} {quoted}")
    schema = f"{names.quote('LAB')}.{names.quote(text)}"
    admin.run(f"CREATE OR REPLACE SCHEMA {schema}", "USE WAREHOUSE WORK")
    assert admin.value("SELECT CURRENT_SCHEMA()") == text
    admin.run(f"CREATE TABLE {schema}.{quoted} ({quoted} INT)", f"INSERT INTO {schema}.{quoted} VALUES (7)")
    assert admin.dicts(f"SELECT * FROM {schema}.{quoted}") == [{text: 7}]
    assert [row["name"] for row in admin.dicts(f"SHOW TABLES IN SCHEMA {schema}")] == [text]
    admin.run(f"DROP SCHEMA {schema}")


def test_names_that_differ_only_by_case_are_refused_not_mixed_up(admin: Client) -> None:
    admin.run('CREATE TABLE "mixed" (I INT)', 'INSERT INTO "mixed" VALUES (1)')
    assert admin.refused("SELECT * FROM mixed")[0] == 2003
    assert admin.refused("CREATE TABLE MIXED (I INT)")
    assert admin.rows('SELECT * FROM "mixed"') == [(1,)]


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

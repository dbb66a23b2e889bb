"""Parameters: set on the account, users and objects, inherited downwards, shown with their level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake_support import Client, Key, Person, Service, person, unique


def shown(client: Client, name: str, where: str) -> tuple[Any, str]:
    (row,) = client.dicts(f"SHOW PARAMETERS LIKE '{name}' IN {where}")
    return row["value"], row["level"]


def test_columns_types_and_defaults(admin: Client) -> None:
    rows = {row["key"]: row for row in admin.dicts("SHOW PARAMETERS IN ACCOUNT")}
    assert list(rows["TIMEZONE"]) == ["key", "value", "default", "level", "description", "type"]
    assert (rows["ABORT_DETACHED_QUERY"]["value"], rows["ABORT_DETACHED_QUERY"]["type"]) == ("false", "BOOLEAN")
    assert (rows["LOCK_TIMEOUT"]["default"], rows["LOCK_TIMEOUT"]["type"]) == ("43200", "NUMBER")
    assert rows["NETWORK_POLICY"]["type"] == "STRING"
    assert {"DATA_RETENTION_TIME_IN_DAYS", "MAX_CONCURRENCY_LEVEL", "STATEMENT_TIMEOUT_IN_SECONDS"} <= set(rows)
    assert [row["key"] for row in admin.dicts("SHOW PARAMETERS LIKE '%concurrency%' FOR WAREHOUSE WORK")] == [
        "MAX_CONCURRENCY_LEVEL"
    ]


def test_objects_inherit_and_override(admin: Client) -> None:
    database = unique("DB")
    admin.run(f"CREATE DATABASE {database}", f"CREATE SCHEMA {database}.S", f"CREATE TABLE {database}.S.T (I INT)")
    name = "DATA_RETENTION_TIME_IN_DAYS"
    assert shown(admin, name, f"TABLE {database}.S.T") == ("1", "")
    admin.run(f"ALTER DATABASE {database} SET {name} = 7")
    assert shown(admin, name, f"DATABASE {database}") == ("7", "DATABASE")
    assert shown(admin, name, f"SCHEMA {database}.S") == ("7", "DATABASE")
    assert shown(admin, name, f"TABLE {database}.S.T") == ("7", "DATABASE")
    assert admin.dicts(f"SHOW SCHEMAS LIKE 'S' IN DATABASE {database}")[0]["retention_time"] == "7"
    admin.run(f"ALTER SCHEMA {database}.S SET {name} = 0, MAX_DATA_EXTENSION_TIME_IN_DAYS = 3")
    assert shown(admin, name, f"TABLE {database}.S.T") == ("0", "SCHEMA")
    assert shown(admin, name, "SCHEMA") == ("0", "SCHEMA")
    admin.run(f"ALTER SCHEMA {database}.S UNSET {name}", f"ALTER DATABASE {database} UNSET {name}")
    assert shown(admin, name, f"SCHEMA {database}.S") == ("1", "")
    admin.run("ALTER WAREHOUSE WORK SET STATEMENT_TIMEOUT_IN_SECONDS = 300, MAX_CONCURRENCY_LEVEL = 4")
    assert shown(admin, "STATEMENT_TIMEOUT_IN_SECONDS", "WAREHOUSE WORK") == ("300", "WAREHOUSE")
    admin.run("ALTER WAREHOUSE WORK UNSET STATEMENT_TIMEOUT_IN_SECONDS, MAX_CONCURRENCY_LEVEL")
    assert shown(admin, "STATEMENT_TIMEOUT_IN_SECONDS", "WAREHOUSE WORK") == ("172800", "")
    admin.run(f"DROP DATABASE {database}", "USE DATABASE LAB")


def test_sessions_inherit_from_user_and_account(another_service: Callable[[], Service], key: Key) -> None:
    service = another_service()
    service.start()
    admin = Client(service.connect())
    admin.run("CREATE WAREHOUSE W", "ALTER ACCOUNT SET LOCK_TIMEOUT = 60, STATEMENT_TIMEOUT_IN_SECONDS = 3600")
    assert shown(admin, "LOCK_TIMEOUT", "ACCOUNT") == ("60", "ACCOUNT")
    assert shown(admin, "LOCK_TIMEOUT", "SESSION") == ("43200", "")
    with person(service, admin, key) as found:
        name = found.name
        admin.run(f"ALTER USER {name} SET QUERY_TAG = 'load', STATEMENT_TIMEOUT_IN_SECONDS = 900")
        assert shown(admin, "STATEMENT_TIMEOUT_IN_SECONDS", f"USER {name}") == ("900", "USER")
        assert shown(admin, "LOCK_TIMEOUT", f"USER {name}") == ("60", "ACCOUNT")
        client = Client(service.connect(name, key))
        assert shown(client, "QUERY_TAG", "SESSION") == ("load", "USER")
        assert shown(client, "STATEMENT_TIMEOUT_IN_SECONDS", "SESSION") == ("900", "USER")
        assert shown(client, "LOCK_TIMEOUT", "SESSION") == ("60", "ACCOUNT")
        assert shown(client, "LOCK_TIMEOUT", "USER") == ("60", "ACCOUNT")
        client.run("ALTER SESSION SET QUERY_TAG = 'load'")
        assert shown(client, "QUERY_TAG", "SESSION") == ("load", "SESSION")
        client.run("ALTER SESSION SET QUERY_TAG = 'x'", "ALTER SESSION UNSET QUERY_TAG")
        assert shown(client, "QUERY_TAG", "SESSION") == ("load", "USER")
        with service.connect(name, key, session_parameters={"QUERY_TAG": "mine"}) as own:
            assert shown(Client(own), "QUERY_TAG", "SESSION") == ("mine", "SESSION")
        client.connection.close()
    admin.run("ALTER ACCOUNT UNSET LOCK_TIMEOUT, STATEMENT_TIMEOUT_IN_SECONDS")
    assert shown(admin, "LOCK_TIMEOUT", "ACCOUNT") == ("43200", "")


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("ALTER ACCOUNT SET NOSUCH = 1", 1420),
        ("ALTER ACCOUNT UNSET NOSUCH", 1420),
        ("ALTER ACCOUNT SET", 1003),
        ("ALTER ACCOUNT SET LOCK_TIMEOUT = 'long'", 1008),
        ("ALTER ACCOUNT SET TIMEZONE = 'Europe/Rome'", 2),
        ("ALTER ACCOUNT SET PREVENT_UNLOAD_TO_INLINE_URL = TRUE", 2),
        ("ALTER ACCOUNT SET RESOURCE_MONITOR = NOSUCH", 2003),
        ("ALTER USER HANGER_PROVISIONER SET MAX_CONCURRENCY_LEVEL = 2", 1420),
        ("ALTER WAREHOUSE WORK SET DATA_RETENTION_TIME_IN_DAYS = 2", 1420),
        ("ALTER DATABASE LAB SET DATA_RETENTION_TIME_IN_DAYS = 91", 1008),
        ("ALTER SESSION UNSET NOSUCH", 1420),
        ("ALTER SESSION SET NETWORK_POLICY = 'X'", 1420),
        ("SHOW PARAMETERS IN WAREHOUSE NOSUCH", 2003),
        ("SHOW PARAMETERS IN MOON", 1003),
    ],
)
def test_what_is_no_parameter_is_refused(admin: Client, statement: str, number: int) -> None:
    assert admin.refused(statement)[0] == number


def test_resource_monitor_of_the_account(another_service: Callable[[], Service]) -> None:
    service = another_service()
    service.start()
    admin = Client(service.connect())
    admin.run(
        "CREATE RESOURCE MONITOR ALL_OF_IT WITH CREDIT_QUOTA = 9", "ALTER ACCOUNT SET RESOURCE_MONITOR = ALL_OF_IT"
    )
    assert admin.dicts("SHOW RESOURCE MONITORS")[0]["level"] == "ACCOUNT"
    admin.run("ALTER ACCOUNT UNSET RESOURCE_MONITOR")
    assert admin.dicts("SHOW RESOURCE MONITORS")[0]["level"] is None
    assert admin.dicts("SHOW PARAMETERS LIKE 'RESOURCE_MONITOR' IN ACCOUNT") == []


def test_parameters_of_others_are_hidden(nobody: Person) -> None:
    assert nobody.client.refused("SHOW PARAMETERS IN DATABASE LAB")[0] == 2003
    assert nobody.client.refused("SHOW PARAMETERS IN USER HANGER_PROVISIONER")[0] == 2003
    assert shown(nobody.client, "QUERY_TAG", f"USER {nobody.name}") == ("", "")

"""What was acknowledged survives a restart and a kill."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hanger_lab.snowflake.data.engine import Engine
from snowflake_support import Client, Key, Service


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_account_survives(
    another_service: Callable[[], Service], key: Key, tmp_path: Path, how: signal.Signals
) -> None:
    service = another_service()
    service.start()
    admin = Client(service.connect())
    path = tmp_path / "rows.csv"
    path.write_text("2\n")
    admin.run(
        "CREATE WAREHOUSE W AUTO_SUSPEND = 60",
        "CREATE DATABASE RAW COMMENT = 'landing'",
        'CREATE SCHEMA RAW."small"',
        "CREATE ROLE READER",
        f"CREATE USER READS TYPE = SERVICE RSA_PUBLIC_KEY = '{key.public}' DEFAULT_ROLE = READER DEFAULT_WAREHOUSE = W",
        "GRANT ROLE READER TO USER READS",
        "GRANT USAGE ON WAREHOUSE W TO ROLE READER",
        "GRANT USAGE ON DATABASE RAW TO ROLE READER",
        "GRANT USAGE ON SCHEMA RAW.PUBLIC TO ROLE READER",
        "GRANT SELECT ON FUTURE TABLES IN DATABASE RAW TO ROLE READER",
        "CREATE TABLE RAW.PUBLIC.T (I INT, NAME VARCHAR(20)) COMMENT = 'kept'",
        "INSERT INTO RAW.PUBLIC.T VALUES (1, NULL)",
        "CREATE STAGE RAW.PUBLIC.ST",
        f"PUT file://{path} @RAW.PUBLIC.ST",
        "CREATE TEMPORARY TABLE RAW.PUBLIC.TMP (I INT)",
        "CREATE USER PERSON PASSWORD = 'not to be found'",
    )
    service.stop(how)
    for file in (tmp_path / "account").rglob("*"):
        assert not file.is_file() or b"not to be found" not in file.read_bytes(), file

    service.start()
    reader = Client(service.connect("READS"))
    assert reader.rows("SELECT * FROM RAW.PUBLIC.T") == [(1, None)]
    assert reader.refused("INSERT INTO RAW.PUBLIC.T VALUES (3, 'x')")[0] == 3001
    admin = Client(service.connect(warehouse="W"))
    admin.run("COPY INTO RAW.PUBLIC.T (I) FROM @RAW.PUBLIC.ST", "CREATE TABLE RAW.PUBLIC.U (I INT)")
    assert admin.value("SELECT COUNT(*) FROM RAW.PUBLIC.T") == 2
    reader.run("SELECT * FROM RAW.PUBLIC.U")
    assert [row["name"] for row in admin.dicts("SHOW SCHEMAS IN DATABASE RAW")] == ["PUBLIC", "small"]
    assert {row["name"]: row["comment"] for row in admin.dicts("SHOW TABLES IN SCHEMA RAW.PUBLIC")} == {
        "T": "kept",
        "U": "",
    }
    assert admin.dicts("SHOW WAREHOUSES LIKE 'W'")[0]["auto_suspend"] == 60
    for client in (reader, admin):
        client.connection.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_policies_roles_and_settings_survive(
    another_service: Callable[[], Service], key: Key, how: signal.Signals
) -> None:
    service = another_service()
    service.start()
    Client(service.connect()).run(
        "CREATE DATABASE D",
        "CREATE TABLE D.PUBLIC.T (I INT)",
        "CREATE WAREHOUSE W",
        "CREATE ROLE READER",
        f"CREATE USER READS TYPE = SERVICE RSA_PUBLIC_KEY = '{key.public}' DEFAULT_ROLE = READER DEFAULT_WAREHOUSE = W",
        "GRANT ROLE READER TO USER READS",
        "GRANT USAGE ON WAREHOUSE W TO ROLE READER",
        'CREATE DATABASE ROLE D."a.b"',
        'GRANT USAGE ON SCHEMA D.PUBLIC TO DATABASE ROLE D."a.b"',
        'GRANT SELECT ON TABLE D.PUBLIC.T TO DATABASE ROLE D."a.b"',
        'GRANT DATABASE ROLE D."a.b" TO ROLE READER',
        "CREATE NETWORK RULE D.PUBLIC.HERE TYPE = IPV4 VALUE_LIST = ('127.0.0.1')",
        "CREATE NETWORK POLICY HERE ALLOWED_NETWORK_RULE_LIST = ('D.PUBLIC.HERE')",
        "ALTER ACCOUNT SET NETWORK_POLICY = HERE, LOCK_TIMEOUT = 60",
        "CREATE AUTHENTICATION POLICY D.PUBLIC.KEYS AUTHENTICATION_METHODS = ('KEYPAIR')",
        "ALTER USER READS SET AUTHENTICATION POLICY D.PUBLIC.KEYS",
        "CREATE TAG D.PUBLIC.COST",
        "ALTER WAREHOUSE W SET TAG D.PUBLIC.COST = 'a'",
        "COMMENT ON NETWORK POLICY HERE IS 'kept'",
    )
    service.stop(how)
    service.start()
    reader = Client(service.connect("READS"))
    assert reader.rows("SELECT * FROM D.PUBLIC.T") == []
    admin = Client(service.connect())
    assert admin.value("SELECT SYSTEM$GET_TAG('D.PUBLIC.COST', 'W', 'warehouse')") == "a"
    assert admin.dicts("SHOW PARAMETERS LIKE 'LOCK_TIMEOUT' IN SESSION")[0]["level"] == "ACCOUNT"
    assert admin.dicts("SHOW AUTHENTICATION POLICIES ON USER READS")[0]["name"] == "KEYS"
    assert admin.dicts("SHOW NETWORK POLICIES")[0]["comment"] == "kept"
    assert admin.refused("DROP NETWORK POLICY HERE")[0] == 1492
    for client in (reader, admin):
        client.connection.close()


def test_second_server_on_the_same_port_says_so(service: Service, tmp_path: Path) -> None:
    second = Service(tmp_path, service.key, service.port)
    second.launch()
    assert second.process is not None and second.process.wait(30) == 1
    assert "cannot listen" in (tmp_path / "log").read_text()


def test_an_account_leaves_no_directory_of_fakesnows_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "fakesnow_bucket"
    made.mkdir()
    monkeypatch.setattr("fakesnow.transforms.stage.LOCAL_BUCKET_PATH", str(made))
    Engine(tmp_path / "account")
    assert not made.exists()

"""Rows on their way from a real PostgreSQL to the emulated account."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from airbyte_support import CONFIG, Account, Api, Postgres
from conftest import Database

Connect = Callable[..., dict[str, Any]]
META = ["_AIRBYTE_RAW_ID", "_AIRBYTE_EXTRACTED_AT", "_AIRBYTE_META", "_AIRBYTE_GENERATION_ID"]


def members(database: Database, count: int = 100) -> None:
    database[1].execute(
        "CREATE TABLE members (id int PRIMARY KEY, name varchar(255), joined timestamp);"
        "INSERT INTO members SELECT i, 'member ' || i, timestamp '2024-01-01' + i * interval '1 hour'"
        f" FROM generate_series(1, {count}) i"
    )


def succeeded(api: Api, connection: dict[str, Any]) -> dict[str, Any]:
    job = api.sync(connection["connectionId"])
    assert job["status"] == "succeeded", api.reason(job["jobId"])
    return job


def test_a_table_is_replaced_and_keeps_airbytes_columns(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database)
    connection = connect({"name": "members"})
    job = succeeded(api, connection)
    assert job["rowsSynced"] == 100
    assert job["bytesSynced"] > 1000
    assert account.tables(schema) == ["MEMBERS"]
    columns = [row[0] for row in account.rows(f"DESCRIBE TABLE RAW.{schema}.MEMBERS")]
    assert columns == [*META, "ID", "NAME", "JOINED"]
    database[1].execute("DELETE FROM members WHERE id > 10")
    assert succeeded(api, connection)["rowsSynced"] == 10
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS") == 10
    assert account.tables(schema) == ["MEMBERS"]
    assert account.value(f'SELECT max("_AIRBYTE_GENERATION_ID") FROM RAW.{schema}.MEMBERS') == 2


def test_values_arrive_as_they_are(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    database[1].execute(
        """CREATE TYPE grip AS ENUM ('jug', 'crimp');
        CREATE TABLE kinds (id int, small smallint, big bigint, amount numeric, ratio float8, price money, ok boolean,
          day date, at timestamp, zoned timestamptz, "time" time, text text, document jsonb, list int[], grip grip,
          id2 uuid, raw bytea);
        INSERT INTO kinds VALUES
          (1, 2, 9223372036854775807, 1.5, 2.25, 3.5, true, '2024-05-04',
           '2024-05-04 22:52:54.123456',
           '2024-05-04 22:52:54+02', '12:13:14',
           E'a "quoted", line\\nand \\\\N back\\\\slash ''é 🧗', '{"a": [1, null]}',
           '{1,2}', 'jug', '00000000-0000-0000-0000-000000000001', '\\x00ff'),
          (2, null, null, null, null, null, null, null, null, null, null, '', null, null, null, null, null),
          (3, null, null, null, null, null, false, null, null, null, null,
           E'\\\\N', '"text"', '{}', 'crimp', null, '')"""
    )
    succeeded(api, connect({"name": "kinds"}))
    first, second, third = account.rows(f"SELECT * FROM RAW.{schema}.KINDS ORDER BY ID")
    assert first[4:13] == (1, 2, 9223372036854775807, 1.5, 2.25, 3.5, True, date(2024, 5, 4), first[12])
    assert first[12] == datetime(2024, 5, 4, 22, 52, 54, 123456)
    assert first[13].astimezone(UTC) == datetime(2024, 5, 4, 20, 52, 54, tzinfo=UTC)
    assert str(first[14]) == "12:13:14"
    assert first[15] == 'a "quoted", line\nand \\N back\\slash \'é 🧗'
    assert "".join(first[16].split()) == '{"a":[1,null]}'
    assert "".join(first[17].split()) == "[1,2]"
    assert first[18:] == ("jug", "00000000-0000-0000-0000-000000000001", "\\x00ff")
    assert second[5:15] == (None,) * 10
    assert second[15:17] == ("", None)
    assert (third[15], third[10], third[20]) == ("\\N", False, "\\x")


def test_an_empty_table_is_created(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database, 0)
    assert succeeded(api, connect({"name": "members"}))["rowsSynced"] == 0
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS") == 0


def test_rows_are_appended(api: Api, account: Account, database: Database, schema: str, connect: Connect) -> None:
    members(database, 10)
    connection = connect({"name": "members", "syncMode": "full_refresh_append"})
    succeeded(api, connection)
    database[1].execute("ALTER TABLE members ADD COLUMN phone text")
    succeeded(api, connection)
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS") == 20
    assert account.rows(f"DESCRIBE TABLE RAW.{schema}.MEMBERS")[-1][0] == "PHONE"


def test_a_key_of_the_users_own_removes_duplicates(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    database[1].execute("CREATE TABLE visits (code int, at int); INSERT INTO visits VALUES (1, 1), (1, 2), (2, 1)")
    stream = {"name": "visits", "syncMode": "full_refresh_overwrite_deduped", "primaryKey": [["code"]]}
    connection = connect({**stream, "cursorField": ["at"]})
    for _ in range(2):
        succeeded(api, connection)
        assert account.rows(f"SELECT CODE, AT FROM RAW.{schema}.VISITS ORDER BY 1") == [(1, 2), (2, 1)]
    assert account.tables(schema) == ["VISITS"]


@pytest.mark.parametrize(
    ("mode", "rows"), [("incremental_append", [12, 13, 13]), ("incremental_deduped_history", [11, 12, 12])]
)
def test_only_new_rows_are_read(
    api: Api, account: Account, database: Database, schema: str, connect: Connect, mode: str, rows: list[int]
) -> None:
    members(database, 10)
    connection = connect({"name": "members", "syncMode": mode, "cursorField": ["joined"]})
    assert succeeded(api, connection)["rowsSynced"] == 10
    assert succeeded(api, connection)["rowsSynced"] == 0
    database[1].execute("UPDATE members SET name = 'changed', joined = '2030-01-01' WHERE id = 3")
    database[1].execute("INSERT INTO members VALUES (11, 'new', '2029-01-01')")
    assert succeeded(api, connection)["rowsSynced"] == 2
    counts = [account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS")]
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS WHERE NAME = 'changed'") == 1
    state = api.ask("POST", f"{CONFIG}/state/get", {"connectionId": connection["connectionId"]})
    assert state["streamState"][0]["streamState"]["cursor"] == "2030-01-01 00:00:00"
    database[1].execute("INSERT INTO members VALUES (12, 'same moment', '2030-01-01')")
    assert succeeded(api, connection)["rowsSynced"] == 2
    counts.append(account.value(f"SELECT count(DISTINCT ID, NAME, JOINED) FROM RAW.{schema}.MEMBERS"))
    assert succeeded(api, connection)["rowsSynced"] == 0
    counts.append(account.value(f"SELECT count(DISTINCT ID, NAME, JOINED) FROM RAW.{schema}.MEMBERS"))
    assert counts == rows


def test_namespace_and_prefix_decide_the_place(
    api: Api, account: Account, database: Database, connect: Connect
) -> None:
    members(database, 1)
    settings = {"namespaceDefinition": "custom_format", "namespaceFormat": f"{database[0]}_${{SOURCE_NAMESPACE}}"}
    succeeded(api, connect({"name": "members"}, prefix="raw_", **settings))
    assert account.tables(f"{database[0].upper()}_PUBLIC") == ["RAW_MEMBERS"]


def test_selected_fields_are_the_only_ones(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database, 1)
    succeeded(api, connect({"name": "members", "selectedFields": [{"fieldPath": ["id"]}]}))
    assert [row[0] for row in account.rows(f"DESCRIBE TABLE RAW.{schema}.MEMBERS")] == [*META, "ID"]


def test_a_failed_stream_leaves_everything_as_it_was(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database, 10)
    database[1].execute("CREATE TABLE one (x int); INSERT INTO one VALUES (1)")
    database[1].execute("CREATE VIEW visits AS SELECT 10 / x AS day FROM one")
    streams = [{"name": "members", "syncMode": "incremental_append", "cursorField": ["id"]}, {"name": "visits"}]
    connection = connect(*streams)
    succeeded(api, connection)
    database[1].execute("INSERT INTO members SELECT i, 'x', now() FROM generate_series(11, 20) i")
    database[1].execute("UPDATE one SET x = 0")
    job = api.sync(connection["connectionId"])
    assert job["status"] == "failed"
    assert api.reason(job["jobId"]) == "public.visits: PostgreSQL: division by zero"
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS") == 10
    assert account.rows(f"SELECT DAY FROM RAW.{schema}.VISITS") == [(10,)]
    assert account.tables(schema) == ["MEMBERS", "VISITS"]
    database[1].execute("UPDATE one SET x = 5")
    assert succeeded(api, connection)["rowsSynced"] == 11


def test_a_table_that_went_away_is_named(api: Api, database: Database, connect: Connect) -> None:
    members(database, 1)
    database[1].execute("CREATE TABLE visits (id int)")
    connection = connect({"name": "members"}, {"name": "visits"})
    database[1].execute("DROP TABLE visits")
    job = api.sync(connection["connectionId"])
    assert job["status"] == "failed"
    assert "table public.visits does not exist or extraction may not read it" in api.reason(job["jobId"])


def test_two_streams_for_one_table_are_refused(api: Api, database: Database, connect: Connect) -> None:
    database[1].execute('CREATE TABLE visits (id int); CREATE TABLE "VISITS" (id int)')
    job = api.sync(connect({"name": "visits"}, {"name": "VISITS"})["connectionId"])
    assert job["status"] == "failed"
    assert "both write" in api.reason(job["jobId"])


def test_clear_empties_the_tables_and_forgets_the_state(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database, 10)
    connection = connect({"name": "members", "syncMode": "incremental_append", "cursorField": ["id"]})
    succeeded(api, connection)
    job = api.sync(connection["connectionId"], "clear")
    assert job["status"] == "succeeded", api.reason(job["jobId"])
    assert account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS") == 0
    state = api.ask("POST", f"{CONFIG}/state/get", {"connectionId": connection["connectionId"]})
    assert state["stateType"] == "not_set"
    assert succeeded(api, connection)["rowsSynced"] == 10


def test_a_running_job_is_alone_and_can_be_cancelled(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database, 10)
    connection = connect({"name": "members"})
    with database[1].transaction():
        database[1].execute("LOCK TABLE members")
        body = {"connectionId": connection["connectionId"], "jobType": "sync"}
        job = api.ask("POST", "/jobs", body)
        assert "already running" in api.refusal("POST", "/jobs", body, status=409)
        time.sleep(0.3)
        started = time.monotonic()
        assert api.ask("DELETE", f"/jobs/{job['jobId']}")["status"] == "cancelled"
        api.services.runner.wait(job["jobId"], 10)
        assert time.monotonic() - started < 5
    assert api.ask("GET", f"/jobs/{job['jobId']}")["status"] == "cancelled"
    assert account.tables(schema) == []
    succeeded(api, connection)


def test_a_job_of_a_killed_server_has_failed(tmp_path: Path) -> None:
    killed = Api(tmp_path / "airbyte")
    job = killed.services.jobs.create("00000000-0000-0000-0000-000000000000", "sync")
    killed.services.jobs.start(job.id)
    killed.services.store.close()
    again = Api(tmp_path / "airbyte")
    with again.client:
        assert again.ask("GET", f"/jobs/{job.id}")["status"] == "failed"
        assert "stopped while the job ran" in again.reason(job.id)


def test_counts_of_streams_are_told(api: Api, database: Database, connect: Connect) -> None:
    members(database, 10)
    database[1].execute("CREATE TABLE visits (id int)")
    job = succeeded(api, connect({"name": "members"}, {"name": "visits"}))
    detail = api.ask("POST", f"{CONFIG}/jobs/get", {"id": job["jobId"]})
    stats = {item["streamName"]: item["stats"] for item in detail["attempts"][0]["attempt"]["streamStats"]}
    assert stats["members"]["recordsCommitted"] == 10
    assert stats["members"]["bytesCommitted"] > 0
    assert stats["visits"]["recordsCommitted"] == 0


def test_readers_never_see_half_a_table(
    api: Api, account: Account, database: Database, schema: str, connect: Connect
) -> None:
    members(database, 2000)
    connection = connect({"name": "members"})
    succeeded(api, connection)
    seen: set[int] = set()
    done = threading.Event()

    def sync() -> None:
        api.sync(connection["connectionId"])
        done.set()

    worker = threading.Thread(target=sync)
    worker.start()
    while not done.is_set():
        seen.add(account.value(f"SELECT count(*) FROM RAW.{schema}.MEMBERS"))
    worker.join()
    assert seen == {2000}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"port": 1}, "Connection refused"),
        ({"ssl_mode": {"mode": "require"}}, "SSL"),
        ({"schemas": ["empty"]}, "can read no table in empty"),
    ],
)
def test_a_source_that_does_not_work_is_told(
    api: Api, postgres: Postgres, database: Database, changes: dict[str, Any], reason: str
) -> None:
    members(database, 1)
    source = api.actor("source", "gym", postgres.configuration(database[0]))
    assert api.ask("POST", f"{CONFIG}/sources/check_connection", {"sourceId": source["sourceId"]})["status"] == (
        "succeeded"
    )
    configuration = {**postgres.configuration(database[0]), **changes}
    body = {"sourceId": source["sourceId"], "name": "gym", "connectionConfiguration": configuration}
    answer = api.ask("POST", f"{CONFIG}/sources/check_connection_for_update", body)
    assert answer["status"] == "failed"
    assert reason in answer["message"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"username": "NOBODY"}, "JWT token is invalid"),
        ({"role": "ACCOUNTADMIN"}, "ACCOUNTADMIN"),
        ({"warehouse": "NOWHERE"}, "warehouse NOWHERE does not exist or AIRBYTE may not use it"),
        ({"database": "NOWHERE"}, "database NOWHERE does not exist or AIRBYTE may not use it"),
    ],
)
def test_a_destination_that_does_not_work_is_told(
    api: Api, account: Account, changes: dict[str, Any], reason: str
) -> None:
    made = api.actor("destination", "warehouse", account.configuration(**changes))
    body = {"destinationId": made["destinationId"]}
    answer = api.ask("POST", f"{CONFIG}/destinations/check_connection", body)
    assert answer["status"] == "failed"
    assert reason in answer["message"]


def test_a_key_with_a_password_works(api: Api, account: Account) -> None:
    credentials = {"auth_type": "Key Pair Authentication", "private_key": account.key.pem("key's password")}
    for password, status in (("key's password", "succeeded"), ("wrong", "failed"), (None, "failed")):
        given = {**credentials, "private_key_password": password} if password else credentials
        made = api.actor("destination", "warehouse", account.configuration(credentials=given))
        body = {"destinationId": made["destinationId"]}
        answer = api.ask("POST", f"{CONFIG}/destinations/check_connection", body)
        assert answer["status"] == status
        assert "PRIVATE KEY" not in answer.get("message", "")

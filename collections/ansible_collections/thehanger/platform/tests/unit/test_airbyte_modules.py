# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Airbyte modules against an HTTP API: create, repeat, change, delete, and no write in check mode."""

from __future__ import annotations

import json
import ssl
import time

import pytest
from airbyte_fake import MASK, WORKSPACE, FakeAirbyte, Problem, stream
from airbyte_support import ModuleFailed, Runner
from ansible.module_utils import urls
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.client import AirbyteClient
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.errors import ApiError

SOURCE = {
    "host": "10.0.0.5",
    "port": 5432,
    "database": "thehangerdb",
    "username": "extraction",
    "password": "s3cret-one",
    "schemas": ["public"],
    "ssl_mode": {"mode": "prefer"},
    "jdbc_url_params": None,
}
WAREHOUSE = {
    "host": "acme.snowflakecomputing.com",
    "credentials": {
        "auth_type": "Key Pair Authentication",
        "private_key": "-----BEGIN KEY-----\nabc",
        "private_key_password": "pass-phrase",
    },
}
CONNECTION = {
    "name": "gym to warehouse",
    "source": "gym",
    "destination": "warehouse",
    "namespace_definition": "custom_format",
    "namespace_format": "THEHANGERDB",
    "schedule": {"type": "manual"},
    "streams": [
        {"name": "members", "sync_mode": "full_refresh_overwrite"},
        {"name": "routes", "sync_mode": "full_refresh_overwrite"},
    ],
}


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(urls, "make_context", lambda **_options: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    fake = FakeAirbyte()
    yield fake
    fake.close()


@pytest.fixture
def run(api, tmp_path, capsys):
    return Runner(api, tmp_path / "state" / "secrets.json", capsys)


@pytest.fixture
def source(run):
    def call(check_mode=False, **options):
        options = {"name": "gym", "type": "postgres", "configuration": SOURCE, **options}
        return run("airbyte_source", check_mode, **options)

    return call


@pytest.fixture
def connection(run, source):
    source()
    run("airbyte_destination", name="warehouse", type="snowflake", configuration=WAREHOUSE)

    def call(check_mode=False, **options):
        return run("airbyte_connection", check_mode, **{**CONNECTION, **options})

    return call


class TestActors:
    def test_creates_then_repeats_without_a_write(self, api, source):
        assert source(check_mode=True)["changed"]
        assert api.objects["sources"] == {}
        created = source()
        assert created["changed"]
        assert created["check"]["status"] == "succeeded"
        assert api.sent("POST", "/sources")[0]["configuration"]["sourceType"] == "postgres"
        for check_mode in (True, False):
            assert not source(check_mode=check_mode)["changed"]
            assert api.writes == []

    def test_no_secret_leaves_the_module(self, api, source, run):
        outputs = [source(), source(configuration={**SOURCE, "password": "s3cret-two"})]
        outputs.append(run("airbyte_destination", name="w", type="snowflake", configuration=WAREHOUSE))
        outputs.append(run("airbyte_info"))
        text = json.dumps(outputs)
        for secret in ("s3cret", "BEGIN KEY", "pass-phrase", "right"):
            assert secret not in text
        assert "10.0.0.5" in text
        stored = run.secrets_file.read_text()
        assert "s3cret" not in stored
        assert run.secrets_file.stat().st_mode & 0o777 == 0o600
        assert run.secrets_file.parent.stat().st_mode & 0o777 == 0o700

    def test_no_secret_leaves_the_module_by_another_field(self, api, source, run):
        parameters = "ssl=true&sslpassword=s3cret-three"
        given = {**SOURCE, "jdbc_url_params": parameters, "access_token": "s3cret-four"}
        outputs = [source(configuration=given), source(configuration=given)]
        assert not outputs[1]["changed"]
        outputs.append(source(configuration={**given, "jdbc_url_params": parameters + "-changed"}))
        assert outputs[2]["diff"]["after"]["configuration"]["jdbc_url_params"] == "(secret changed)"
        (item,) = api.objects["sources"].values()
        assert item["configuration"]["jdbc_url_params"] == parameters + "-changed"
        outputs += [source(configuration={**given, "jdbc_url_params": "ssl=true"}) for dummy in range(2)]
        assert outputs[-1]["source"]["configuration"]["jdbc_url_params"] == "ssl=true"
        outputs.append(source(configuration=given))
        outputs.append(run("airbyte_info"))
        assert "s3cret" not in json.dumps(outputs)

    @pytest.mark.parametrize("status", ["failed", "succeeded"])
    def test_no_secret_leaves_the_module_by_the_message_of_a_check(self, api, source, status):
        api.check = {"status": status, "message": "cannot use s3cret-one, PEM at s3cret three of 10.0.0.5"}
        given = {**SOURCE, "jdbc_url_params": "sslpassword=s3cret%20three"}
        try:
            result = source(configuration=given)
        except ModuleFailed as failed:
            result = failed.result
        text = json.dumps(result)
        assert "s3cret" not in text
        assert "PEM at ******** of 10.0.0.5" in text

    def test_changes_only_what_differs_and_keeps_the_rest(self, api, source):
        source()
        result = source(configuration={"host": "10.0.0.6"})
        assert result["diff"]["before"]["configuration"] == {"host": "10.0.0.5"}
        assert result["diff"]["after"]["configuration"] == {"host": "10.0.0.6"}
        assert api.sent("PATCH", "/sources") == [{"configuration": {"host": "10.0.0.6"}}]
        assert result["source"]["configuration"]["database"] == "thehangerdb"

    def test_an_unchanged_secret_is_not_sent(self, api, source):
        source()
        source(configuration={**SOURCE, "host": "10.0.0.6"})
        assert "password" not in api.sent("PATCH", "/sources")[0]["configuration"]
        assert not source(configuration={**SOURCE, "host": "10.0.0.6"})["changed"]

    def test_a_changed_secret_is_noticed(self, api, source):
        source()
        for check_mode in (True, False):
            result = source(check_mode, configuration={**SOURCE, "password": "s3cret-two"})
            assert result["changed"]
            assert result["diff"]["after"]["configuration"]["password"] == "(secret changed)"
        assert api.sent("PATCH", "/sources")[0]["configuration"]["password"] == "s3cret-two"
        assert not source(configuration={**SOURCE, "password": "s3cret-two"})["changed"]

    def test_a_secret_changed_by_somebody_else_is_noticed(self, api, source):
        source()
        (identifier, password) = next(iter(api.coordinates))
        (item,) = api.objects["sources"].values()
        item["configuration"].update(api.secured(identifier, {password: "theirs"}))
        assert source()["changed"]
        assert not source()["changed"]

    def test_policies(self, source, run):
        source()
        assert source(secrets_policy="always")["changed"]
        assert not source(secrets_policy="never", configuration={**SOURCE, "password": "new"})["changed"]
        run.secrets_file.unlink()
        assert not source(secrets_policy="never")["changed"]
        assert source()["changed"]
        assert not source()["changed"]

    def test_another_variant_replaces_the_configuration(self, api, source):
        verified = {"mode": "verify-ca", "ca_certificate": "PEM"}
        source(configuration={**SOURCE, "ssl_mode": verified})
        result = source(configuration={**SOURCE, "ssl_mode": {"mode": "require"}})
        (body,) = api.sent("PUT", "/sources")
        assert body["configuration"]["ssl_mode"] == {"mode": "require"}
        assert body["configuration"]["password"] == MASK
        assert [key for _owner, key in api.coordinates] == ["password"]
        assert set(api.coordinates.values()) == {1}
        assert result["source"]["configuration"]["ssl_mode"] == {"mode": "require"}
        assert not source(configuration={**SOURCE, "ssl_mode": {"mode": "require"}})["changed"]

    def test_another_variant_keeps_what_is_not_managed(self, api, source):
        tunnel = {"tunnel_method": "SSH_KEY_AUTH", "tunnel_host": "bastion", "tunnel_port": 22, "private_key": "PEM"}
        replication = {"method": "CDC", "plugin": "pgoutput"}
        source(configuration={**SOURCE, "tunnel_method": tunnel, "replication_method": replication, "schemas": ["gym"]})
        managed = {"ssl_mode": {"mode": "require"}, "tunnel_method": {"tunnel_host": "other"}}
        result = source(configuration=managed)
        (body,) = api.sent("PUT", "/sources")
        assert body["configuration"]["password"] == MASK
        assert result["source"]["configuration"]["replication_method"] == replication
        (item,) = api.objects["sources"].values()
        stored = item["configuration"]
        assert stored["password"]["_coordinate"].endswith("_password_v1")
        assert stored["tunnel_method"].pop("private_key")["_coordinate"].endswith("_private_key_v1")
        assert stored["tunnel_method"] == {"tunnel_method": "SSH_KEY_AUTH", "tunnel_host": "other", "tunnel_port": 22}
        assert (stored["schemas"], stored["host"]) == (["gym"], "10.0.0.5")
        assert not source(configuration=managed)["changed"]
        assert not source(configuration={**SOURCE, **managed, "schemas": ["gym"]})["changed"]

    def test_a_changed_variant_takes_its_own_secrets_with_it(self, api, run):
        options = {"name": "w", "type": "snowflake", "secrets_policy": "on_change"}
        by_password = {**WAREHOUSE, "credentials": {"auth_type": "Username and Password", "password": "one"}}
        run("airbyte_destination", configuration=by_password, **options)
        run("airbyte_destination", configuration=WAREHOUSE, **options)
        (body,) = api.sent("PUT", "/destinations")
        assert body["configuration"]["credentials"] == WAREHOUSE["credentials"]
        assert not run("airbyte_destination", configuration=WAREHOUSE, **options)["changed"]
        rotated = {**WAREHOUSE, "credentials": {**WAREHOUSE["credentials"], "private_key": "two"}}
        assert run("airbyte_destination", configuration=rotated, **options)["changed"]

    def test_a_changed_secret_goes_with_another_variant(self, api, source):
        source()
        source(configuration={**SOURCE, "password": "s3cret-two", "ssl_mode": {"mode": "require"}})
        (body,) = api.sent("PUT", "/sources")
        assert body["configuration"]["password"] == "s3cret-two"
        assert not source(configuration={**SOURCE, "password": "s3cret-two", "ssl_mode": {"mode": "require"}})[
            "changed"
        ]

    def test_a_source_that_cannot_connect_is_not_created(self, api, source):
        api.check = {"status": "failed", "message": "password authentication failed for user extraction"}
        with pytest.raises(ModuleFailed, match="source 'gym' cannot connect: password authentication failed"):
            source()
        assert api.objects["sources"] == {}
        with pytest.raises(ModuleFailed, match="nothing was changed"):
            source()
        assert source(check=False)["changed"]
        with pytest.raises(ModuleFailed, match="nothing was changed"):
            source(configuration={**SOURCE, "host": "nowhere"})
        (item,) = api.objects["sources"].values()
        assert item["configuration"]["host"] == "10.0.0.5"

    def test_deletes(self, api, source, run):
        source()
        assert source(check_mode=True, state="absent")["changed"]
        assert source(state="absent")["changed"]
        assert api.objects["sources"] == {}
        assert json.loads(run.secrets_file.read_text())["objects"] == {}
        assert not source(state="absent")["changed"]

    def test_digits_become_numbers(self, api, source):
        source(configuration={**SOURCE, "port": "5433"})
        assert api.sent("POST", "/sources")[0]["configuration"]["port"] == 5433

    def test_a_refused_field_is_named_with_its_value(self, source):
        with pytest.raises(ModuleFailed, match=r"HTTP 422.*\$\.port: string found.*\[port = 'abc'\]"):
            source(configuration={**SOURCE, "port": "abc"})

    def test_a_name_that_is_not_unique_is_refused_with_the_ids(self, api, source):
        source()
        (identifier,) = api.objects["sources"]
        api.objects["sources"]["other-id"] = {**api.objects["sources"][identifier], "sourceId": "other-id"}
        with pytest.raises(ModuleFailed, match=f"2 sources are called 'gym'.*{identifier}"):
            source()

    def test_another_type_is_refused(self, source):
        source()
        with pytest.raises(ModuleFailed, match="is of type 'postgres', which cannot become 'mysql'"):
            source(type="mysql")

    def test_finds_what_is_on_a_later_page(self, api, source):
        api.page_size = 2
        for number in range(5):
            source(name=f"gym {number}")
        assert not source(name="gym 4")["changed"]

    def test_a_broken_secrets_file_is_explained(self, run, source):
        run.secrets_file.parent.mkdir()
        run.secrets_file.write_text("{}")
        with pytest.raises(ModuleFailed, match="is not a file of fingerprints; remove it"):
            source()


class TestConnections:
    def test_creates_then_repeats_without_a_write(self, api, connection):
        assert connection(check_mode=True)["changed"]
        assert connection()["changed"]
        (body,) = api.sent("POST", "/connections")
        assert body["configurations"]["streams"] == [
            {"namespace": "public", "syncMode": "full_refresh_overwrite", "name": name}
            for name in ("members", "routes")
        ]
        assert (body["namespaceDefinition"], body["namespaceFormat"]) == ("custom_format", "THEHANGERDB")
        for check_mode in (True, False):
            assert not connection(check_mode)["changed"]
            assert api.writes == []
        assert api.sent("GET", "/streams") == []

    def test_the_order_of_streams_does_not_matter(self, connection):
        connection()
        assert not connection(streams=CONNECTION["streams"][::-1])["changed"]

    def test_cron_comes_back_with_utc(self, connection):
        nightly = {"type": "cron", "cron_expression": "0 0  3 * * ?"}
        connection(schedule=nightly)
        assert not connection(schedule=nightly)["changed"]
        result = connection(schedule={"type": "cron", "cron_expression": "0 0 4 * * ?"})
        assert result["diff"]["before"]["schedule"]["cronExpression"] == "0 0 3 * * ?"

    def test_a_stream_is_added_and_settings_of_others_are_kept(self, api, connection):
        connection()
        (item,) = api.objects["connections"].values()
        item["configurations"]["streams"][0]["selectedFields"] = [{"fieldPath": ["id"]}]
        result = connection(streams=[*CONNECTION["streams"], {"name": "routeclimbs"}])
        (body,) = api.sent("PATCH", "/connections")
        assert [item["name"] for item in body["configurations"]["streams"]] == ["members", "routes", "routeclimbs"]
        assert body["configurations"]["streams"][0]["selectedFields"] == [{"fieldPath": ["id"]}]
        assert set(body) == {"configurations"}
        assert len(result["diff"]["after"]["streams"]) == 3

    @pytest.mark.parametrize(
        ("streams", "message"),
        [
            ([{"name": "memberz"}], "stream 'memberz' does not exist in source 'gym'; did you mean 'members'?"),
            (
                [{"name": "members", "namespace": "publik"}],
                "stream 'publik.members' does not exist in source 'gym'; did you mean namespace 'public'?",
            ),
            (
                [{"name": "members", "sync_mode": "incremental_append", "cursor_field": ["updatedat"]}],
                "cursor_field 'updatedat' is no field of stream 'members'; did you mean 'updated_at'?",
            ),
            ([{"name": "members", "sync_mode": "incremental_append"}], "needs a cursor_field"),
            (
                [{"name": "members", "sync_mode": "incremental_deduped_history"}],
                "stream 'members' cannot be synced in mode 'incremental_deduped_history'; did you mean",
            ),
            ([{"name": "members", "primary_key": ["ide"]}], "primary_key 'ide' is no field of stream 'members'"),
            ([{"name": "members", "primary_key": ["updated_at"]}], "is defined by the source (id)"),
            ([{"name": "members"}, {"name": "members"}], "stream 'members' is listed twice"),
            ([{"name": "twice"}], "exists in several namespaces (gym, public): set its namespace"),
        ],
    )
    def test_wrong_streams_are_refused_before_any_write(self, api, connection, streams, message):
        api.streams += [stream("twice"), stream("twice", namespace="gym")]
        for check_mode in (True, False):
            with pytest.raises(ModuleFailed) as failed:
                connection(check_mode, streams=streams)
            assert message in str(failed.value)
            assert api.writes == []

    def test_a_new_table_is_discovered_past_the_cache(self, api, connection, monkeypatch):
        fresh, stale = api.streams, api.streams[:1]
        seen = []

        def handle(method, path, query, body, token, real=api.handle):
            if path.endswith("/streams"):
                seen.append(query["ignoreCache"])
                api.streams = fresh if query["ignoreCache"] == "true" else stale
            return real(method, path, query, body, token)

        monkeypatch.setattr(api, "handle", handle)
        assert connection()["changed"]
        assert seen == ["false", "true"]

    def test_another_source_needs_permission(self, api, connection, source):
        connection()
        source(name="other")
        with pytest.raises(ModuleFailed, match="set allow_recreate"):
            connection(source="other")
        assert api.writes == []
        assert connection(check_mode=True, source="other", allow_recreate=True)["changed"]
        assert connection(source="other", allow_recreate=True)["changed"]
        assert [write.split()[0] for write in api.writes] == ["DELETE", "POST"]
        assert not connection(source="other")["changed"]

    def test_an_unknown_source_is_named(self, connection):
        with pytest.raises(ModuleFailed, match="source 'gim' does not exist; did you mean 'gym'"):
            connection(source="gim")
        assert connection(check_mode=True, source="gim")["changed"]

    def test_status_and_deletion(self, api, connection):
        connection()
        assert connection(status="inactive")["changed"]
        assert api.sent("PATCH", "/connections") == [{"status": "inactive"}]
        assert connection(check_mode=True, state="absent")["changed"]
        assert connection(state="absent")["changed"]
        assert not connection(state="absent")["changed"]

    def test_a_locked_connection_is_refused(self, api, connection):
        connection()
        next(iter(api.objects["connections"].values()))["status"] = "locked"
        with pytest.raises(ModuleFailed, match="is locked"):
            connection(prefix="gym_")


class TestSync:
    @pytest.fixture
    def sync(self, connection, run):
        connection()

        def call(check_mode=False, **options):
            return run("airbyte_sync", check_mode, connection=CONNECTION["name"], **options)

        return call

    def test_runs_once(self, api, sync):
        assert sync(check_mode=True, run="once") == sync(check_mode=True, run="once")
        stats = {"recordsCommitted": 600, "bytesCommitted": 48000}
        api.details = {"attempts": [{"attempt": {"id": 0, "streamStats": [{"streamName": "members", "stats": stats}]}}]}
        first = sync(run="once")
        assert first["changed"]
        assert (first["rows"], first["bytes"], first["duration_seconds"]) == (600, 48000, 62.5)
        assert first["rows_per_second"] == 10
        assert first["streams"] == [{"name": "members", "namespace": None, "rows": 600, "bytes": 48000}]
        for check_mode in (True, False):
            again = sync(check_mode, run="once")
            assert not again["changed"]
            assert again["rows"] == 600
        assert api.writes == []
        api.script = ["failed"]
        with pytest.raises(ModuleFailed):
            sync()
        last = sync(run="once")
        assert (last["job"]["status"], last["last_job"]["status"]) == ("succeeded", "failed")

    def test_check_mode_does_not_need_the_connection_yet(self, run):
        assert run("airbyte_sync", check_mode=True, connection="planned")["changed"]
        with pytest.raises(ModuleFailed, match="connection 'planned' does not exist; there is none"):
            run("airbyte_sync", connection="planned")

    def test_joins_fails_or_skips(self, api, sync):
        assert sync(wait=False)["job"]["status"] == "running"
        assert not sync(on_running="skip")["changed"]
        with pytest.raises(ModuleFailed, match="is being synced already: job 1 is running"):
            sync(on_running="fail")
        joined = sync()
        assert not joined["changed"]
        assert joined["job"]["status"] == "succeeded"
        assert api.writes == []

    def test_joins_after_a_lost_race(self, api, sync, monkeypatch):
        sync(wait=False)
        real = api.job

        def job(method, identifier, query, body):
            if (
                method == "GET"
                and identifier is None
                and not any(sent[0] == "POST" and sent[1].endswith("jobs") for sent in api.requests)
            ):
                return api.page([], query)
            return real(method, identifier, query, body)

        monkeypatch.setattr(api, "job", job)
        joined = sync()
        assert not joined["changed"]
        assert joined["job"]["jobId"] == 1

    def test_a_failure_tells_why_with_the_last_log_lines(self, api, sync):
        api.script = ["pending", "incomplete", "failed"]
        api.details = {
            "attempts": [
                {
                    "attempt": {"id": 0, "failureSummary": {"failures": [{"externalMessage": "disk full"}]}},
                    "logs": {"logLines": [f"line {number}" for number in range(50)]},
                }
            ]
        }
        with pytest.raises(ModuleFailed, match=r"\(job 1\) ended as failed: disk full") as failed:
            sync()
        assert failed.value.result["log"][-1] == "line 49"
        assert len(failed.value.result["log"]) == 20

    def test_cancels_when_it_takes_too_long(self, api, sync):
        api.script = ["running"]
        with pytest.raises(ModuleFailed, match="still running after 0 s; it was cancelled"):
            sync(wait_timeout=0, cancel_on_timeout=True)
        assert api.jobs[1]["status"] == "cancelled"


class TestApi:
    def test_a_token_is_renewed_while_waiting(self, api, connection, run, monkeypatch):
        connection()
        monkeypatch.setattr(time, "sleep", lambda _seconds: api.tokens.clear())
        assert run("airbyte_sync", connection=CONNECTION["name"])["job"]["status"] == "succeeded"
        assert len(api.sent("POST", "/token")) == 2

    def test_a_wrong_secret_names_the_option_not_the_value(self, run):
        for name, options in (("airbyte_health", {}), ("airbyte_info", {})):
            with pytest.raises(ModuleFailed, match="check the option client_secret, and client_id 'hanger'") as failed:
                run(name, client_secret="wrong-value", **options)
            assert "wrong-value" not in json.dumps(failed.value.result)

    def test_busy_answers_are_repeated(self, api, run):
        api.failures = [(429, "slow down"), (503, "starting")]
        assert run("airbyte_info", gather=["workspaces"])["workspaces"][0]["workspaceId"] == WORKSPACE

    def test_a_create_is_not_repeated_after_an_unclear_end(self, api, source, monkeypatch):
        def create(_kind, _body):
            raise Problem(502, "gateway")

        monkeypatch.setattr(api, "create", create)
        with pytest.raises(ModuleFailed, match="HTTP 502"):
            source()
        assert len(api.sent("POST", "/sources")) == 1

    @pytest.mark.parametrize("status", [None, 502, 503, 504])
    def test_what_was_created_in_spite_of_a_lost_answer_is_found(self, api, source, status):
        api.lost = {"POST": status}
        created = source()
        assert created["changed"]
        assert created["check"]["status"] == "succeeded"
        assert api.writes == ["POST /api/public/v1/sources"]
        assert len(api.objects["sources"]) == 1
        assert not source()["changed"]

    def test_a_connection_that_was_created_in_spite_of_a_lost_answer_is_found(self, api, connection):
        api.lost = {"POST": 502}
        assert connection()["connection"]["name"] == CONNECTION["name"]
        assert len(api.objects["connections"]) == 1
        assert not connection()["changed"]

    @pytest.mark.parametrize("status", [None, 503])
    def test_a_job_that_started_in_spite_of_a_lost_answer_is_followed(self, api, connection, run, status):
        connection()
        api.lost = {"POST": status}
        synced = run("airbyte_sync", connection=CONNECTION["name"])
        assert synced["changed"]
        assert (synced["job"]["jobId"], synced["job"]["status"], len(api.jobs)) == (1, "succeeded", 1)

    def test_a_job_that_is_not_found_after_a_lost_answer_is_no_success(self, api, connection, run, monkeypatch):
        connection()
        real = api.job

        def job(method, identifier, query, body):
            if method == "POST":
                raise Problem(503, "starting")
            return real(method, identifier, query, body)

        monkeypatch.setattr(api, "job", job)
        with pytest.raises(ModuleFailed, match=r"HTTP 503.*; no job of the connection runs"):
            run("airbyte_sync", connection=CONNECTION["name"])
        assert api.writes == ["POST /api/public/v1/jobs"]

    @pytest.mark.parametrize("status", [None, 502])
    def test_what_was_deleted_in_spite_of_a_lost_answer_is_gone(self, api, source, status):
        source()
        api.lost = {"DELETE": status}
        assert source(state="absent")["changed"]
        assert api.objects["sources"] == {}
        assert len(api.sent("DELETE", "/sources")) == 2

    def test_deleting_what_is_gone_already_is_refused_without_a_lost_answer(self, api):
        client = AirbyteClient(api.url, "hanger", "right")
        api.failures = []
        with pytest.raises(ApiError, match="HTTP 404"):
            client.delete("/sources/none")

    def test_a_failing_clean_up_does_not_hide_the_reason(self, api, source, monkeypatch):
        real = api.crud

        def crud(kind, method, identifier, query, body):
            if method == "DELETE":
                raise Problem(500, "the database is full")
            return real(kind, method, identifier, query, body)

        monkeypatch.setattr(api, "crud", crud)
        api.check = {"status": "failed", "message": "no such host"}
        reason = "source 'gym' cannot connect: no such host, and source 'gym' could not be removed again: .*HTTP 500"
        with pytest.raises(ModuleFailed, match=reason) as failed:
            source()
        assert "nothing was changed" not in str(failed.value)

    def test_health(self, api, run):
        api.failures = [(503, "starting")] * 3
        assert run("airbyte_health")["workspaces"] == ["Default Workspace"]
        assert run("airbyte_health", check_mode=True)["healthy"]

    def test_health_without_an_answer(self, run):
        gone = "http://127.0.0.1:9"
        looked = run("airbyte_health", check_mode=True, api_url=gone)
        assert not looked["healthy"]
        assert "no answer from Airbyte at http://127.0.0.1:9" in looked["reason"]
        with pytest.raises(ModuleFailed, match="not healthy after"):
            run("airbyte_health", api_url=gone, wait_timeout=0)

    @pytest.mark.parametrize(
        ("api_url", "message"),
        [
            ("http://8.8.8.8:8000", "would send the client secret and configurations in clear to 8.8.8.8.*use https"),
            ("http://airbyte.invalid", "in clear to airbyte.invalid.*not known: use https"),
            ("http://[::ffff:8.8.8.8]/", "in clear to ::ffff:8.8.8.8"),
            ("127.0.0.1:8000", "is not an address such as http://127.0.0.1:8000"),
            ("ftp://127.0.0.1", "is not an address such as"),
            ("http://127.0.0.1:port", "is not an address: "),
            ("https://me:hunter2@airbyte.example.com", "leave user and password out"),
        ],
    )
    @pytest.mark.parametrize("name", ["airbyte_source", "airbyte_info", "airbyte_health", "airbyte_sync"])
    def test_credentials_are_not_sent_in_clear(self, api, run, name, api_url, message):
        options = {"airbyte_source": {"name": "gym"}, "airbyte_sync": {"connection": "gym"}}.get(name, {})
        with pytest.raises(ModuleFailed, match=f"^api_url: .*{message}") as failed:
            run(name, api_url=api_url, **options)
        assert "hunter2" not in json.dumps(failed.value.result["msg"])
        assert api.requests == []

    @pytest.mark.parametrize(
        "api_url", ["http://10.1.2.3:8000", "http://localhost:8000", "https://airbyte.example.com"]
    )
    def test_private_addresses_and_https_are_accepted(self, api_url):
        assert AirbyteClient(api_url, "id", "secret").api_url == api_url

    def test_an_unknown_workspace_is_named(self, run):
        with pytest.raises(ModuleFailed, match="workspace 'Defalt Workspace' does not exist; did you mean 'Default W"):
            run("airbyte_info", workspace="Defalt Workspace")

"""The API's rules that need neither a source nor a destination."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airbyte_support import CLIENT_ID, CLIENT_SECRET, CONFIG, PUBLIC, Api, running
from hanger_lab.airbyte import auth, cron
from hanger_lab.airbyte.__main__ import main
from hanger_lab.airbyte.connectors.postgres import PostgresConfig
from hanger_lab.airbyte.errors import Problem

JSON = {"content-type": "application/json"}
SOURCE: dict[str, Any] = {
    "sourceType": "postgres",
    "host": "db",
    "port": 5432,
    "database": "gym",
    "username": "extraction",
    "password": "s3cret-value",
    "ssl_mode": {"mode": "require"},
    "replication_method": {"method": "Standard"},
    "tunnel_method": {"tunnel_method": "NO_TUNNEL"},
}
DESTINATION: dict[str, Any] = {
    "destinationType": "snowflake",
    "host": "hanger.eu-west-1.snowflakecomputing.com",
    "role": "LOADER",
    "warehouse": "LOADING",
    "database": "RAW",
    "schema": "GYM",
    "username": "AIRBYTE",
    "credentials": {"auth_type": "Key Pair Authentication", "private_key": "s3cret-value"},
}


def test_health_needs_no_token(api: Api) -> None:
    del api.client.headers["Authorization"]
    assert api.raw("GET", "/health").text == "Successful operation"
    assert api.ask("GET", f"{CONFIG}/health") == {"available": True}
    assert api.refusal("GET", "/workspaces", status=401) == "Unauthorized"
    assert api.refusal("POST", f"{CONFIG}/jobs/get", {"id": 1}, status=401) == "Unauthorized"


def test_tokens_come_for_json_and_forms(api: Api) -> None:
    good = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    for path in (f"{PUBLIC}/applications/token", f"{CONFIG}/applications/token"):
        for answer in (api.client.post(path, json=good), api.client.post(path, data=good)):
            assert answer.status_code == 200
            assert answer.json()["token_type"] == "Bearer"
            assert answer.json()["expires_in"] == 900
    assert "Invalid client id" in api.refusal("POST", "/applications/token", {**good, "client_secret": "x"}, status=401)
    assert "Invalid client id" in api.refusal("POST", "/applications/token", {**good, "client_id": "x"}, status=401)
    assert "$.client_secret" in api.refusal("POST", "/applications/token", {"client_id": "x"}, status=400)


def test_tokens_expire_and_cannot_be_made_up() -> None:
    now = [1000.0]
    tokens = auth.Tokens(CLIENT_ID, CLIENT_SECRET, b"key", clock=lambda: now[0])
    token = tokens.issue(CLIENT_ID, CLIENT_SECRET)["access_token"]
    tokens.check(f"Bearer {token}")
    now[0] += 15 * 60 - 1
    tokens.check(f"Bearer {token}")
    for other in (replace(tokens, key=b"other"), replace(tokens, client_secret="rotated")):
        with pytest.raises(Problem):
            other.check(f"Bearer {token}")
    now[0] += 1
    for header in (
        f"Bearer {token}",
        f"Bearer {token[:-2]}",
        f"Basic {token}",
        "Bearer a.b.c",
        "Bearer é.é.é",
        "",
        None,
    ):
        with pytest.raises(Problem) as refused:
            tokens.check(header)
        assert refused.value.status == 401


def test_secrets_are_masked_and_their_versions_tell_each_write(api: Api) -> None:
    made = api.actor("source", "gym", SOURCE)
    path = f"/sources/{made['sourceId']}"
    assert made["configuration"]["password"] == "**********"
    assert "sourceType" not in made["configuration"]

    def coordinate() -> str:
        return str(api.ask("GET", path, includeSecretCoordinates=True)["configuration"]["password"])

    first = coordinate()
    assert first.startswith("airbyte_workspace_")
    assert first.endswith("_v1")
    api.ask("PATCH", path, {"name": "renamed"})
    api.ask("PATCH", path, {"configuration": {"host": "elsewhere", "password": "**********"}})
    assert coordinate() == first
    api.ask("PATCH", path, {"configuration": {"password": "s3cret-value"}})
    assert coordinate() == first.replace("_v1", "_v2")
    assert api.services.sources.model(made["sourceId"]).host == "elsewhere"
    api.ask("PUT", path, {"name": "gym", "configuration": {**SOURCE, "password": "another"}})
    assert coordinate() == first.replace("_v1", "_v3")
    assert "s3cret-value" not in api.raw("GET", "/sources").text


def test_the_password_of_a_key_is_not_masked_as_in_the_real_one(api: Api) -> None:
    credentials = {**DESTINATION["credentials"], "private_key_password": "visible"}
    made = api.actor("destination", "warehouse", {**DESTINATION, "credentials": credentials})
    assert made["configuration"]["credentials"]["private_key_password"] == "visible"
    assert made["configuration"]["credentials"]["private_key"] == "**********"


def test_patch_merges_and_put_replaces(api: Api) -> None:
    path = f"/sources/{api.actor('source', 'gym', {**SOURCE, 'schemas': ['a', 'b']})['sourceId']}"
    changed = api.ask("PATCH", path, {"configuration": {"schemas": ["c"], "ssl_mode": {"mode": "prefer"}}})
    assert changed["configuration"]["schemas"] == ["c"]
    assert changed["configuration"]["host"] == "db"
    replaced = api.ask("PUT", path, {"name": "gym", "configuration": SOURCE})
    assert "schemas" not in replaced["configuration"]


def test_put_keeps_a_secret_that_is_given_as_its_mask(api: Api) -> None:
    made = api.actor("source", "gym", SOURCE)
    masked = {**SOURCE, "password": "**********", "ssl_mode": {"mode": "prefer"}}
    path = f"/sources/{made['sourceId']}"
    before = api.ask("GET", path, includeSecretCoordinates=True)["configuration"]["password"]
    api.ask("PUT", path, {"name": "gym", "configuration": masked})
    model = api.services.sources.model(made["sourceId"])
    assert isinstance(model, PostgresConfig)
    assert (model.password, model.ssl_mode.mode) == ("s3cret-value", "prefer")
    assert api.ask("GET", path, includeSecretCoordinates=True)["configuration"]["password"] == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": None}, "$.host: is missing but it is required"),
        ({"port": "5432"}, "$.port: string found, integer expected"),
        ({"port": 70000}, "$.port: "),
        ({"schemas": "public"}, "$.schemas: string found, array expected"),
        ({"ssl_mode": {"mode": "sometimes"}}, "$.ssl_mode.mode: 'sometimes' does not have a value in the enumeration"),
        ({"ssl_mode": {"mode": "verify-ca"}}, "$.ssl_mode.ca_certificate: is missing but it is required"),
        ({"password": 5}, "$.password: integer found, string expected"),
        ({"replication_method": {"method": "CDC"}}, "$.replication_method.replication_slot: is missing"),
        (
            {"replication_method": {"method": "CDC", "replication_slot": "a", "publication": "b"}},
            "'CDC' is not supported by the lab",
        ),
        ({"replication_method": {"method": "Xmin"}}, "'Xmin' is not supported by the lab"),
        (
            {"tunnel_method": {"tunnel_method": "SSH_PASSWORD_AUTH", "tunnel_host": "j", "tunnel_port": 22}
             | {"tunnel_user": "u", "tunnel_user_password": "s3cret-value"}},
            "'SSH_PASSWORD_AUTH' is not supported by the lab",
        ),
        ({"jdbc_url_params": "a=b"}, "$.jdbc_url_params"),
        ({"sourceType": "mysql"}, "configuration.sourceType 'mysql' is not known"),
        ({"extra": {"_secret": "airbyte_x_v1"}}, "'_secret' is reserved"),
    ],
)  # fmt: skip
def test_a_bad_source_is_refused(api: Api, changes: dict[str, Any], message: str) -> None:
    configuration = {key: value for key, value in {**SOURCE, **changes}.items() if value is not None}
    body = {"name": "gym", "workspaceId": api.workspace, "configuration": configuration}
    refusal = api.refusal("POST", "/sources", body)
    assert message in refusal
    assert "s3cret-value" not in refusal
    assert api.ask("GET", "/sources")["data"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": None}, "$.role: is missing but it is required"),
        ({"host": "a b"}, "$.host: does not match the regex pattern"),
        ({"credentials": {"auth_type": "OAuth2.0"}}, "$.credentials.auth_type: 'OAuth2.0' does not have a value"),
        ({"credentials": {"auth_type": "Key Pair Authentication"}}, "$.credentials.private_key: is missing"),
        ({"credentials": None}, "$.credentials: is missing"),
        ({"retention_period_days": -1}, "$.retention_period_days"),
        ({"disable_type_dedupe": True}, "$.disable_type_dedupe"),
        ({"raw_data_schema": "INTERNAL"}, "$.raw_data_schema"),
        ({"jdbc_url_params": "ssl=maybe"}, "ssl is on or off"),
        ({"jdbc_url_params": "tracing=ALL"}, "'tracing' is not supported by the lab"),
    ],
)
def test_a_bad_destination_is_refused(api: Api, changes: dict[str, Any], message: str) -> None:
    configuration = {key: value for key, value in {**DESTINATION, **changes}.items() if value is not None}
    body = {"name": "warehouse", "workspaceId": api.workspace, "configuration": configuration}
    refusal = api.refusal("POST", "/destinations", body)
    assert message in refusal
    assert "s3cret-value" not in refusal


def test_the_last_page_is_an_empty_one(api: Api) -> None:
    for number in range(5):
        api.actor("source", f"gym {number}", SOURCE)
    pages = []
    page = api.ask("GET", "/sources", limit=2)
    while page["data"]:
        pages.append([item["name"] for item in page["data"]])
        page = api.client.get(page["next"]).json()
    assert pages == [["gym 0", "gym 1"], ["gym 2", "gym 3"], ["gym 4"]]
    assert page["next"] == ""
    assert "limit" in api.refusal("GET", "/sources", limit=101)


def test_problems_have_the_real_ones_shape(api: Api) -> None:
    absent = "00000000-0000-0000-0000-00000000000f"
    for path in ("/sources/", "/destinations/", "/connections/", "/workspaces/", "/tags/"):
        answer = api.raw("GET", path + absent)
        assert answer.status_code == 404
        assert set(answer.json()) == {"status", "type", "title", "detail", "data"}
    assert absent in api.refusal("POST", "/jobs", {"connectionId": absent, "jobType": "sync"}, status=404)
    assert "jobType" in api.refusal("POST", "/jobs", {"connectionId": absent, "jobType": "dance"})
    assert "is no number" in api.refusal("GET", "/jobs/x", status=400)
    assert api.client.post(f"{PUBLIC}/jobs", content="{", headers=JSON).status_code == 400
    assert api.raw("GET", "/nowhere").status_code == 404
    assert "one workspace" in api.refusal("POST", "/workspaces", {"name": "x"}, status=403)
    name = {"name": 5, "workspaceId": api.workspace, "configuration": SOURCE}
    assert api.refusal("POST", "/sources", name) == "$.name: integer found, string expected"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("* * * * * ?", "more often than once an hour"),
        ("0 */5 * * * ?", "more often than once an hour"),
        ("0 0 * * *", "6 or 7 fields"),
        ("0 0 3 * * *", "must be '?'"),
        ("0 0 25 * * ?", "'25' is no hours between 0 and 23"),
        ("0 0 3 L * ?", "'L' is no day of month"),
        ("0 0 3 * * ? Europe/Berlin", "only UTC"),
        ("0 0 3 * * ? * Europe/Berlin", "only UTC"),
    ],
)
def test_a_bad_schedule_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(Problem) as refused:
        cron.parse(expression)
    assert reason in refused.value.detail


def test_state_survives_a_restart_and_is_private(tmp_path: Path) -> None:
    with running(Api(tmp_path / "airbyte")) as api:
        made = api.actor("source", "gym", SOURCE)
        token = api.client.headers["Authorization"]
    for path in (tmp_path / "airbyte").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with running(Api(tmp_path / "airbyte")) as api:
        api.client.headers["Authorization"] = token
        assert api.ask("GET", f"/sources/{made['sourceId']}")["name"] == "gym"
        model = api.services.sources.model(made["sourceId"])
        assert isinstance(model, PostgresConfig)
        assert model.password == "s3cret-value"


def test_the_server_refuses_to_start_without_credentials(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    command = ["serve", "--data-dir", str(tmp_path)]
    assert main(command, {"AIRBYTE_CLIENT_ID": "x"}) == 2
    assert "set AIRBYTE_CLIENT_SECRET" in caplog.text


def test_the_package_stands_alone() -> None:
    code = (
        "import sys, hanger_lab.airbyte.__main__\n"
        "print([m for m in sys.modules if m.startswith('hanger_lab.') and not m.startswith('hanger_lab.airbyte')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

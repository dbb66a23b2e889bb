"""Every answer fits Airbyte's own OpenAPI file, where that is at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from airbyte_support import CLIENT_ID, CLIENT_SECRET, PUBLIC, Account, Api, Postgres
from conftest import Database
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

REPOSITORY = Path(__file__).resolve().parents[3]
OPERATIONS = ("get", "post", "put", "patch", "delete")


def contract_file() -> Path:
    given = os.environ.get("HANGER_CONTRACTS")
    directory = Path(given) if given else REPOSITORY.parent / "shared" / "contracts"
    return directory / "airbyte" / "api.yaml"


class SentRequest:
    """A request as the validator wants it."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self.host_url = "https://api.airbyte.com"
        self.path = "/v1" + request.url.path.removeprefix(PUBLIC)
        self.method = request.method.lower()
        self.body = request.content or None
        self.content_type = request.headers.get("content-type", "application/json").partition(";")[0]
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()), header=Headers(dict(request.headers))
        )


class GivenResponse:
    """A response as the validator wants it."""

    def __init__(self, response: httpx.Response) -> None:
        self.data = response.content
        self.status_code = response.status_code
        self.content_type = response.headers.get("content-type", "").partition(";")[0]
        self.headers = Headers(dict(response.headers))


@pytest.fixture(scope="module")
def contract() -> OpenAPI:
    """The file with its known defects mended: references to nothing, and nulls where no null may be."""
    path = contract_file()
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    document = yaml.safe_load(path.read_text())
    _mend(document, document["components"])
    for operations in document["paths"].values():
        for method in OPERATIONS:
            bodies = operations.get(method, {}).get("requestBody", {}).get("content", {})
            bodies.pop("application/x-www-form-urlencoded", None)
    # The server takes "grant-type" alone, which the schema names differently in two places.
    document["components"]["schemas"]["ApplicationTokenRequestWithGrant"]["required"].remove("grant_type")
    return OpenAPI.from_dict(document)


def _mend(value: Any, components: dict[str, Any]) -> None:
    if isinstance(value, list):
        for item in value:
            _mend(item, components)
    elif isinstance(value, dict):
        if value.get("type") == "string" and "default" in value and value["default"] is None:
            del value["default"]
        reference = value.get("$ref", "")
        if isinstance(reference, str) and reference.startswith("#/components/"):
            _, _, kind, name = reference.split("/")
            if name not in components.get(kind, {}):
                del value["$ref"]
                value.update({"description": name} if kind == "responses" else {"type": "object"})
        for item in value.values():
            _mend(item, components)


@pytest.fixture
def recorded(api: Api) -> list[httpx.Response]:
    """All exchanges of the test with the public API."""
    found: list[httpx.Response] = []
    api.client.event_hooks["response"].append(found.append)
    return found


def test_answers_fit_the_contract(
    contract: OpenAPI,
    recorded: list[httpx.Response],
    api: Api,
    postgres: Postgres,
    account: Account,
    database: Database,
    schema: str,
) -> None:
    database[1].execute(
        "CREATE TABLE members (id int PRIMARY KEY, at timestamp); INSERT INTO members VALUES (1, now())"
    )
    workspace = api.workspace
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant-type": "client_credentials"}
    api.ask("POST", "/applications/token", credentials)
    api.ask("GET", "/workspaces")
    api.ask("GET", f"/workspaces/{workspace}")
    api.ask("PATCH", f"/workspaces/{workspace}", {"name": "The Hanger"})
    tag = api.ask("POST", "/tags", {"name": "gym", "color": "FF5733", "workspaceId": workspace})
    api.ask("PATCH", f"/tags/{tag['tagId']}", {"name": "gym", "color": "00FF00"})
    api.ask("GET", f"/tags/{tag['tagId']}")
    api.ask("GET", "/tags")
    for kind in ("source", "destination"):
        api.ask("GET", "/connector_definitions", type=kind)
        listed = api.ask("GET", f"/workspaces/{workspace}/definitions/{kind}s")
        api.ask("GET", f"/workspaces/{workspace}/definitions/{kind}s/{listed['data'][0]['id']}")
    ids = {}
    configurations = {
        "source": postgres.configuration(database[0]),
        "destination": account.configuration(schema=schema),
    }
    for kind, configuration in configurations.items():
        ids[kind] = api.actor(kind, kind, configuration)[f"{kind}Id"]
        api.ask("GET", f"/{kind}s/{ids[kind]}", includeSecretCoordinates=True)
        api.ask("PATCH", f"/{kind}s/{ids[kind]}", {"name": "renamed"})
        api.ask("PUT", f"/{kind}s/{ids[kind]}", {"name": kind, "configuration": configuration})
        api.ask("GET", f"/{kind}s", limit=1)
    api.ask("GET", "/streams", sourceId=ids["source"], destinationId=ids["destination"])
    body = {
        "sourceId": ids["source"],
        "destinationId": ids["destination"],
        "schedule": {"scheduleType": "cron", "cronExpression": "0 0 3 * * ?"},
        "tags": [tag],
        "namespaceDefinition": "custom_format",
        "namespaceFormat": schema,
    }
    connection = api.ask("POST", "/connections", body)["connectionId"]
    api.ask("PATCH", f"/connections/{connection}", {"prefix": "x_", "schedule": {"scheduleType": "manual"}})
    api.ask("GET", f"/connections/{connection}")
    api.ask("GET", "/connections", workspaceIds=workspace)
    job = api.sync(connection)
    assert job["status"] == "succeeded", api.reason(job["jobId"])
    api.ask("DELETE", f"/jobs/{job['jobId']}")
    api.ask("GET", "/jobs", connectionId=connection, jobType="sync", status="succeeded", orderBy="createdAt|DESC")
    api.ask("DELETE", f"/tags/{tag['tagId']}", expect=204)
    api.ask("DELETE", f"/connections/{connection}", expect=204)
    api.ask("GET", "/connections", includeDeleted=True)
    for kind, identifier in ids.items():
        api.ask("DELETE", f"/{kind}s/{identifier}", expect=204)
    exchanges = [answer for answer in recorded if answer.request.url.path.startswith(PUBLIC)]
    assert len(exchanges) > 35
    for answer in exchanges:
        answer.read()
        request, response = SentRequest(answer.request), GivenResponse(answer)
        contract.validate_request(request)
        contract.validate_response(request, response)
    spoiled = GivenResponse(exchanges[1])
    spoiled.data = b'{"data": [{"name": 1}]}'
    with pytest.raises(OpenAPIError):
        contract.validate_response(SentRequest(exchanges[1].request), spoiled)

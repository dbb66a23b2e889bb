"""Who may drive the lab's EC2."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from ec2_support import client
from hanger_lab.config import Lab
from hanger_lab.ec2.access import CLOCK_SKEW, Refusal, authorize
from hanger_lab.ec2.application import Application
from hanger_lab.keys import AccessKey, ec2_key

CREATE = b"Action=CreateVpc&Version=2016-11-15&CidrBlock=10.71.0.0%2F16"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
KEY = AccessKey("LABKEY", "secret")


def signed(url: str, body: bytes, service: str = "ec2", key: AccessKey = KEY, **headers: str) -> dict[str, str]:
    request = AWSRequest("POST", url, headers={"Content-Type": FORM, **headers}, data=body)
    SigV4Auth(Credentials(key.access_key, key.secret_key), service, "eu-west-1").add_auth(request)
    return dict(request.headers.items())


def call(endpoint: str, body: bytes | None, headers: dict[str, str], method: str = "POST") -> tuple[int, Any, str]:
    request = urllib.request.Request(endpoint, body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.fixture
def endpoint(ec2: Any) -> str:
    return f"{ec2.meta.endpoint_url}/"


def vpcs(ec2: Any) -> list[str]:
    return [vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


@pytest.mark.parametrize(
    ("method", "extra"),
    [
        ("POST", {"Origin": "https://attacker.example"}),
        ("POST", {"Origin": "null"}),
        ("POST", {"Host": "attacker.example:5566"}),
        ("POST", {"Host": "127.0.0.1.attacker.example"}),
        ("OPTIONS", {"Access-Control-Request-Method": "POST"}),
    ],
)
def test_a_web_page_is_refused_even_with_the_key(
    ec2: Any, endpoint: str, lab: Lab, method: str, extra: dict[str, str]
) -> None:
    headers = signed(endpoint, CREATE, key=ec2_key(lab.directory)) | extra
    status, answered, _ = call(endpoint, CREATE, headers, method)
    assert status == 403
    assert not [name for name in answered if name.lower().startswith("access-control-")]
    assert vpcs(ec2) == []


def test_answers_allow_no_page_to_read_them(endpoint: str, lab: Lab) -> None:
    body = b"Action=DescribeVpcs&Version=2016-11-15"
    status, answered, _ = call(endpoint, body, signed(endpoint, body, key=ec2_key(lab.directory)))
    assert status == 200
    assert not [name for name in answered if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "alter",
    [
        lambda headers: headers.pop("Authorization"),
        lambda headers: headers.update(
            Authorization=headers["Authorization"].replace("Credential=LAB", "Credential=X")
        ),
        lambda headers: headers.update(Authorization=headers["Authorization"][:-8] + "00000000"),
        lambda headers: headers.update(Authorization="Basic bGFiOmxhYg=="),
    ],
    ids=["none", "another key", "another signature", "another scheme"],
)
def test_a_call_without_the_labs_signature_is_refused(
    ec2: Any, endpoint: str, lab: Lab, alter: Callable[[dict[str, str]], Any]
) -> None:
    headers = signed(endpoint, CREATE, key=ec2_key(lab.directory))
    alter(headers)
    status, _, text = call(endpoint, CREATE, headers)
    assert status == 401
    assert "<Response><Errors><Error><Code>AuthFailure</Code>" in text
    assert vpcs(ec2) == []


def test_a_signature_is_for_one_body_only(ec2: Any, endpoint: str, lab: Lab) -> None:
    headers = signed(endpoint, b"Action=DescribeVpcs&Version=2016-11-15", key=ec2_key(lab.directory))
    assert call(endpoint, CREATE, headers)[0] == 401
    assert vpcs(ec2) == []


def test_the_old_well_known_key_opens_nothing(endpoint: str) -> None:
    stranger = boto3.client(
        "ec2",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="lab",
        aws_secret_access_key="not-a-secret",
    )
    with pytest.raises(ClientError, match="AuthFailure"):
        stranger.create_vpc(CidrBlock="10.71.0.0/16")


def test_health_needs_no_key(endpoint: str) -> None:
    assert call(f"{endpoint}healthz", None, {}, "GET")[0] == 200


@pytest.mark.parametrize("path", ["moto-api/", "latest/meta-data/", "favicon.ico"])
def test_motos_own_pages_do_not_exist(endpoint: str, path: str) -> None:
    assert call(f"{endpoint}{path}", None, {}, "GET")[0] == 404


def test_other_services_are_refused_in_their_own_words(endpoint: str, lab: Lab) -> None:
    calls: list[tuple[str, Callable[[Any], Any]]] = [
        ("sqs", lambda aws: aws.create_queue(QueueName="q")),
        ("dynamodb", lambda aws: aws.list_tables()),
        ("cloudformation", lambda aws: aws.list_stacks()),
        ("sns", lambda aws: aws.list_topics()),
    ]
    for service, ask in calls:
        with pytest.raises(ClientError, match=f"the lab has no {service}"):
            ask(client(service, lab, endpoint))


def test_ssm_is_read_only(endpoint: str, lab: Lab) -> None:
    ssm = client("ssm", lab, endpoint)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ssm.put_parameter(Name="/hanger/password", Value="x", Type="SecureString")
    assert ssm.describe_parameters()["Parameters"] == []
    assert client("sts", lab, endpoint).get_caller_identity()["Account"] == "123456789012"


def test_a_call_without_an_action_is_refused(endpoint: str, lab: Lab) -> None:
    body = CREATE.replace(b"Action", b"%41ction")
    status, _, text = call(endpoint, body, signed(endpoint, body, key=ec2_key(lab.directory)))
    assert (status, "MissingAction" in text) == (400, True)


def environ(body: bytes, url: str = "http://127.0.0.1/", **headers: str) -> dict[str, Any]:
    given = {"Host": "127.0.0.1", **signed(url, body, **headers)}
    variables = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()}
    return {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_TYPE": FORM, **variables}


def test_a_recorded_call_is_too_old_soon() -> None:
    recorded = environ(CREATE)
    assert authorize(recorded, CREATE, KEY) == "ec2"
    with pytest.raises(Refusal) as refused:
        authorize(recorded, CREATE, KEY, datetime.now(UTC) + CLOCK_SKEW + timedelta(seconds=2))
    assert refused.value.code == "RequestExpired"


@pytest.mark.parametrize("query", ["b=2&a=1&a-b=3&a=0", "Action=DescribeVpcs&Filter.1.Value=%2Fx%20y&Flag"])
def test_a_query_is_part_of_what_is_signed(query: str) -> None:
    called = environ(b"", url=f"http://127.0.0.1/?{query}") | {"QUERY_STRING": query}
    assert authorize(called, b"", KEY) == "ec2"
    with pytest.raises(Refusal, match="signature"):
        authorize(called | {"QUERY_STRING": f"{query}&b=3"}, b"", KEY)


def test_an_unsigned_body_is_refused() -> None:
    with pytest.raises(Refusal, match="signature"):
        authorize(environ(CREATE, **{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}), CREATE, KEY)


def test_each_lab_has_a_key_of_its_own_that_only_its_owner_reads(lab: Lab) -> None:
    key = ec2_key(lab.directory)
    path = lab.directory / "secrets" / "ec2.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(path.read_text()) == {"access_key": key.access_key, "secret_key": key.secret_key}
    assert ec2_key(lab.directory) == key != ec2_key(lab.directory / "other")
    assert len(key.secret_key) >= 40
    assert key.secret_key not in repr(key)


def test_what_moto_says_to_pages_is_left_out() -> None:
    def moto(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Access-Control-Allow-Origin", "*"), ("Content-Type", "text/xml")])
        return [b"<ok/>"]

    answered: dict[str, Any] = {}
    request = environ(CREATE) | {"wsgi.input": io.BytesIO(CREATE), "CONTENT_LENGTH": str(len(CREATE))}
    application = Application(moto, lambda: None, KEY)
    application(request, lambda status, headers: answered.update(status=status, headers=headers))
    assert answered == {"status": "200 OK", "headers": [("Content-Type", "text/xml")]}


def test_what_moto_lacks_is_refused_at_once(endpoint: str, lab: Lab) -> None:
    ec2 = client("ec2", lab, endpoint)
    with pytest.raises(ClientError, match="UnsupportedOperation") as error:
        ec2.describe_fpga_images()
    assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 0

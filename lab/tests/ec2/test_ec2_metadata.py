"""What an instance hears from its metadata service, and what the API changes about that."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import client, run_instance
from hanger_lab.config import Lab
from hanger_lab.ec2 import metadata_service
from hanger_lab.ec2.metadata_machine import redirection
from hanger_lab.ec2.metadata_service import MetadataService
from werkzeug.test import Client, TestResponse

TTL, TOKEN = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"


class Machine:
    """Asks as one instance."""

    def __init__(self, instance: dict[str, Any]) -> None:
        self._client = Client(MetadataService(b"secret"))
        self.remote = {"REMOTE_ADDR": instance["PrivateIpAddress"]}

    def put(self, ttl: str | None = "60", path: str = "/latest/api/token", **headers: str) -> TestResponse:
        given = headers | ({TTL: ttl} if ttl is not None else {})
        return self._client.put(path, headers=given, environ_overrides=self.remote)

    def get(self, path: str, token: str | None = None) -> TestResponse:
        headers = {TOKEN: token} if token is not None else {}
        return self._client.get(path, headers=headers, environ_overrides=self.remote)

    def read(self, path: str) -> str:
        answer = self.get(f"/latest/{path}", self.put().text)
        assert answer.status_code == 200, path
        return answer.text


@pytest.fixture
def instance(ec2: Any, network: SimpleNamespace) -> dict[str, Any]:
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
    return run_instance(ec2, network, UserData="#cloud-config\n{}\n", MetadataOptions=options)


@pytest.fixture
def machine(instance: dict[str, Any]) -> Machine:
    return Machine(instance)


def change(ec2: Any, instance: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer = ec2.modify_instance_metadata_options(InstanceId=instance["InstanceId"], **options)
    found: dict[str, Any] = answer["InstanceMetadataOptions"]
    return found


def test_a_token_is_needed_where_the_instance_says_so(ec2: Any, instance: dict[str, Any], machine: Machine) -> None:
    assert machine.get("/latest/meta-data/instance-id").status_code == 401
    assert machine.get("/latest/meta-data/instance-id", "AAAA").status_code == 401
    assert machine.read("meta-data/instance-id") == instance["InstanceId"]
    change(ec2, instance, HttpTokens="optional")
    assert machine.get("/latest/meta-data/instance-id").text == instance["InstanceId"]
    assert machine.get("/latest/meta-data/instance-id", "AAAA").status_code == 401


@pytest.mark.parametrize(("ttl", "code"), [(None, 400), ("0", 400), ("21601", 400), ("one", 400), ("21600", 200)])
def test_a_token_is_granted_for_six_hours_at_most(machine: Machine, ttl: str | None, code: int) -> None:
    answer = machine.put(ttl)
    assert answer.status_code == code
    assert answer.headers.get(TTL) == (ttl if code == 200 else None)


def test_a_token_ends(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    token, now = machine.put("5").text, metadata_service.time.time()
    monkeypatch.setattr(metadata_service.time, "time", lambda: now + 4)
    assert machine.get("/latest/meta-data/", token).status_code == 200
    monkeypatch.setattr(metadata_service.time, "time", lambda: now + 6)
    assert machine.get("/latest/meta-data/", token).status_code == 401


def test_a_token_is_for_one_instance(ec2: Any, network: SimpleNamespace, machine: Machine) -> None:
    other = Machine(run_instance(ec2, network))
    assert other.get("/latest/meta-data/ami-id", machine.put().text).status_code == 401
    assert other.get("/latest/meta-data/ami-id").status_code == 200


def test_a_proxy_gets_no_token(machine: Machine) -> None:
    assert machine.put(**{"X-Forwarded-For": "192.0.2.1"}).status_code == 403


def test_a_stranger_hears_nothing(machine: Machine) -> None:
    machine.remote = {"REMOTE_ADDR": "192.0.2.9"}
    assert machine.put().status_code == 404


def test_a_disabled_endpoint_refuses_everything(ec2: Any, instance: dict[str, Any], machine: Machine) -> None:
    token = machine.put().text
    change(ec2, instance, HttpEndpoint="disabled")
    assert (machine.put().status_code, machine.get("/latest/", token).status_code) == (403, 403)


def test_an_option_that_is_not_named_stays(ec2: Any, instance: dict[str, Any]) -> None:
    options = change(ec2, instance, InstanceMetadataTags="enabled")
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 2)
    assert (options["HttpEndpoint"], options["InstanceMetadataTags"]) == ("enabled", "enabled")
    [shown] = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"]
    assert shown["MetadataOptions"]["HttpTokens"] == "required"


@pytest.mark.parametrize("limit", [0, 65])
def test_a_hop_limit_has_limits(ec2: Any, instance: dict[str, Any], limit: int) -> None:
    with pytest.raises(ClientError, match="HttpPutResponseHopLimit"):
        change(ec2, instance, HttpPutResponseHopLimit=limit)


def test_metadata_says_what_the_api_says(instance: dict[str, Any], machine: Machine, network: SimpleNamespace) -> None:
    assert machine.read("") == "dynamic\nmeta-data\nuser-data"
    assert machine.read("user-data") == "#cloud-config\n{}\n"
    listing = machine.read("meta-data/").split("\n")
    assert {"ami-id", "placement/", "public-keys/", "network/"} <= set(listing)
    assert not {"iam/", "tags/"} & set(listing)
    assert machine.read("meta-data") == machine.read("meta-data/")
    assert machine.read("meta-data/ami-id") == instance["ImageId"]
    assert machine.read("meta-data/local-ipv4") == instance["PrivateIpAddress"]
    assert machine.read("meta-data/local-hostname") == instance["PrivateDnsName"]
    assert machine.read("meta-data/placement/availability-zone") == "eu-west-1a"
    assert machine.read("meta-data/placement/region") == "eu-west-1"
    assert machine.read("meta-data/security-groups") == "ssh"
    assert machine.read("meta-data/services/") == "domain\npartition"
    assert machine.read("meta-data/public-keys/") == "0=lab"
    assert machine.read("meta-data/public-keys/0/") == "openssh-key"
    assert machine.read("meta-data/public-keys/0/openssh-key").startswith("ssh-ed25519 ")
    mac = machine.read("meta-data/mac")
    interface = f"meta-data/network/interfaces/macs/{mac}"
    assert machine.read("meta-data/network/interfaces/macs/") == f"{mac}/"
    assert machine.read(f"{interface}/subnet-id") == network.subnet
    assert machine.read(f"{interface}/vpc-ipv4-cidr-blocks") == "10.71.0.0/16"
    document = json.loads(machine.read("dynamic/instance-identity/document"))
    assert (document["instanceId"], document["region"]) == (instance["InstanceId"], "eu-west-1")


@pytest.mark.parametrize("path", ["/latest/meta-data/nothing", "/latest/meta-data/ami-id/", "/later/meta-data/"])
def test_what_does_not_exist_is_not_found(machine: Machine, path: str) -> None:
    assert machine.get(path, machine.put().text).status_code == 404


def test_versions_are_listed(machine: Machine) -> None:
    token = machine.put().text
    assert machine.get("/", token).text.endswith("latest")
    assert machine.get("/2021-03-23/meta-data/ami-id", token).status_code == 200


def test_no_user_data_is_not_found(ec2: Any, network: SimpleNamespace) -> None:
    other = Machine(run_instance(ec2, network))
    assert other.get("/latest/user-data").status_code == 404
    assert other.get("/latest/").text == "dynamic\nmeta-data"


def test_tags_are_shown_when_the_instance_says_so(ec2: Any, instance: dict[str, Any], machine: Machine) -> None:
    ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "Name", "Value": "oltp"}])
    change(ec2, instance, InstanceMetadataTags="enabled")
    assert machine.read("meta-data/tags/instance/") == "Name"
    assert machine.read("meta-data/tags/instance/Name") == "oltp"


def test_the_role_of_the_profile_has_credentials(
    ec2: Any, lab: Lab, instance: dict[str, Any], machine: Machine
) -> None:
    iam = client("iam", lab, ec2.meta.endpoint_url)
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="readers")
    iam.add_role_to_instance_profile(InstanceProfileName="readers", RoleName="reader")
    ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "readers"}, InstanceId=instance["InstanceId"])
    assert json.loads(machine.read("meta-data/iam/info"))["InstanceProfileArn"].endswith("/readers")
    assert machine.read("meta-data/iam/security-credentials/") == "reader"
    credentials = json.loads(machine.read("meta-data/iam/security-credentials/reader"))
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert credentials["Expiration"] > credentials["LastUpdated"]
    assert set(credentials) >= {"Code", "Type", "SecretAccessKey", "Token"}


def test_the_redirection_covers_the_machine_and_its_containers() -> None:
    script = redirection(("192.0.2.1", 5566))
    for hook in ("output", "prerouting"):
        assert f"type nat hook {hook}" in script
    assert script.count("dnat to 192.0.2.1:5566") == 2

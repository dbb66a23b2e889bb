"""Failures on order."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, Start, client, make_network, run_instance
from hanger_lab import cli
from hanger_lab.config import Lab
from hanger_lab.ec2.faults import Fault, Faults
from hanger_lab.keys import ec2_key


@pytest.fixture
def faults(lab: Lab) -> Faults:
    return Faults(lab.directory / "ec2", chance=lambda: 0.295)


def once(ec2: Any, lab: Lab, service: str = "ec2") -> Any:
    """Return a client that does not try again."""
    key = ec2_key(lab.directory)
    return boto3.client(
        service,
        endpoint_url=ec2.meta.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        ("ec2", "describe_vpcs", ("RequestLimitExceeded", 503)),
        ("iam", "list_roles", ("Throttling", 400)),
        ("sts", "get_caller_identity", ("Throttling", 400)),
        ("ssm", "describe_parameters", ("ThrottlingException", 400)),
    ],
)
def test_each_service_throttles_in_its_own_words(
    ec2: Any, lab: Lab, faults: Faults, service: str, call: str, expected: tuple[str, int]
) -> None:
    aws = once(ec2, lab, service)
    faults.order(Fault("throttle", count=1))
    with pytest.raises(ClientError) as error:
        getattr(aws, call)()
    assert refused(error) == expected
    getattr(aws, call)()


def test_the_next_calls_of_one_action_are_throttled(ec2: Any, lab: Lab, faults: Faults) -> None:
    aws = once(ec2, lab)
    faults.order(Fault("throttle", "CreateVpc", 2))
    aws.describe_vpcs()
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestLimitExceeded"):
            aws.create_vpc(CidrBlock="10.71.0.0/16")
    aws.create_vpc(CidrBlock="10.71.0.0/16")
    assert faults.in_force() == []


def test_a_client_that_tries_again_gets_through(ec2: Any, faults: Faults) -> None:
    faults.order(Fault("throttle", "CreateVpc", 2))
    started = time.monotonic()
    ec2.create_vpc(CidrBlock="10.71.0.0/16")
    assert time.monotonic() > started
    assert faults.in_force() == []


@pytest.mark.parametrize(("percent", "strikes"), [(29, False), (30, True)])
def test_a_percentage_strikes_by_chance_and_is_not_used_up(faults: Faults, percent: int, strikes: bool) -> None:
    faults.order(Fault("throttle", percent=percent))
    assert [faults.refusal("ec2", "DescribeVpcs") is not None for _ in range(3)] == [strikes] * 3
    assert len(faults.in_force()) == 1


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        ("ec2", "describe_vpcs", ("RequestExpired", 400)),
        ("iam", "list_roles", ("ExpiredToken", 403)),
        ("sts", "get_caller_identity", ("ExpiredToken", 403)),
        ("ssm", "describe_parameters", ("ExpiredTokenException", 400)),
    ],
)
def test_expired_credentials_open_nothing(
    ec2: Any, lab: Lab, faults: Faults, service: str, call: str, expected: tuple[str, int]
) -> None:
    faults.order(Fault("expired"))
    for _ in range(2):
        with pytest.raises(ClientError) as error:
            getattr(once(ec2, lab, service), call)()
        assert refused(error) == expected
    faults.clear()
    getattr(once(ec2, lab, service), call)()


def test_a_zone_without_capacity_leaves_nothing_behind(
    ec2: Any, lab: Lab, engine: PaperEngine, network: SimpleNamespace, faults: Faults
) -> None:
    aws = once(ec2, lab)
    faults.order(Fault("capacity", "eu-west-1a"))
    with pytest.raises(ClientError) as error:
        run_instance(aws, network)
    assert refused(error) == ("InsufficientInstanceCapacity", 500)
    assert "(eu-west-1a)" in str(error.value)
    assert "eu-west-1b, eu-west-1c" in str(error.value)
    assert not engine.specs
    assert aws.describe_volumes()["Volumes"] == []
    other = aws.create_subnet(VpcId=network.vpc, CidrBlock="10.71.2.0/24", AvailabilityZone="eu-west-1b")["Subnet"]
    run_instance(aws, network, SubnetId=other["SubnetId"])


def test_counted_launches_fail(ec2: Any, lab: Lab, network: SimpleNamespace, faults: Faults) -> None:
    aws = once(ec2, lab)
    faults.order(Fault("capacity", count=1))
    with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
        run_instance(aws, network)
    run_instance(aws, network)


def test_quotas_hold_without_an_order_as_on_aws(ec2: Any, network: SimpleNamespace) -> None:
    for index in range(3):
        ec2.create_vpc(CidrBlock=f"10.{80 + index}.0.0/16")
    with pytest.raises(ClientError, match="VpcLimitExceeded"):
        ec2.create_vpc(CidrBlock="10.90.0.0/16")


def test_a_quota_can_be_lowered(ec2: Any, network: SimpleNamespace, faults: Faults) -> None:
    faults.order(Fault("quota", "vcpus", limit=3))
    run_instance(ec2, network, InstanceType="t3.medium")
    with pytest.raises(ClientError, match=r"VcpuLimitExceeded.*vCPU limit of 3"):
        run_instance(ec2, network, InstanceType="t3.medium")
    faults.order(Fault("quota", "vpcs", limit=0))
    with pytest.raises(ClientError, match="VpcLimitExceeded"):
        ec2.create_vpc(CidrBlock="10.90.0.0/16")


def test_an_order_outlives_the_server(start: Start, lab: Lab, faults: Faults) -> None:
    start()
    faults.order(Fault("throttle", "CreateVpc", 1))
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        once(start(), lab).create_vpc(CidrBlock="10.71.0.0/16")


def test_the_same_order_again_replaces_the_first(faults: Faults) -> None:
    faults.order(Fault("throttle", "CreateVpc", 9))
    faults.order(Fault("capacity", "eu-west-1a"))
    faults.order(Fault("throttle", "CreateVpc", 1))
    assert [(fault.kind, fault.count) for fault in faults.in_force()] == [("capacity", None), ("throttle", 1)]
    faults.clear("capacity")
    assert [fault.kind for fault in faults.in_force()] == ["throttle"]


def command(lab: Lab, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setenv("HANGER_LAB_DIR", str(lab.directory))
    return cli.main(["fault", *words])


@pytest.fixture
def up(lab: Lab) -> None:
    lab.directory.mkdir(parents=True, exist_ok=True)
    lab.facts.write_text('{"ec2": {}}')


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["throttle", "RunInstances"], Fault("throttle", "RunInstances", 1)),
        (["throttle", "ec2:RunInstances", "--count", "3"], Fault("throttle", "RunInstances", 3)),
        (["throttle", "all", "--percent", "30"], Fault("throttle", "all", None, 30)),
        (["throttle", "iam:CreateRole", "--count", "2"], Fault("throttle", "CreateRole", 2)),
        (["capacity"], Fault("capacity")),
        (["capacity", "--zone", "eu-west-1b", "--count", "2"], Fault("capacity", "eu-west-1b", 2)),
        (["quota", "addresses"], Fault("quota", "addresses", limit=0)),
        (["expired", "--count", "4"], Fault("expired", "all", 4)),
    ],
)
def test_the_command_line_orders(
    lab: Lab, faults: Faults, monkeypatch: pytest.MonkeyPatch, words: list[str], expected: Fault
) -> None:
    assert command(lab, monkeypatch, *words) == 0
    assert faults.in_force() == [expected]


@pytest.mark.usefixtures("up")
def test_an_action_that_does_not_exist_is_not_throttled(
    lab: Lab, faults: Faults, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(lab, monkeypatch, "throttle", "RunInstnces") == 1
    assert "RunInstances" in capsys.readouterr().err
    assert faults.in_force() == []


def test_without_a_lab_nothing_is_ordered(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(lab, monkeypatch, "capacity") == 1
    assert "hanger-lab up" in capsys.readouterr().err


def test_the_labs_own_tools_are_spared(ec2: Any, lab: Lab, faults: Faults) -> None:
    from hanger_lab.ec2.faults import USER_AGENT

    faults.order(Fault("expired"))
    tool = client("ec2", lab, ec2.meta.endpoint_url, user_agent=USER_AGENT)
    assert tool.describe_instances()["Reservations"] == []
    assert not (lab.directory / "ec2" / "calls.log").exists()


def test_a_name_is_found_through_the_api(start: Start, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from hanger_lab import fault_commands

    ec2 = start()
    network = make_network(ec2)
    instance = run_instance(
        ec2, network, TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "el"}]}]
    )["InstanceId"]
    key = ec2_key(lab.directory)
    facts = {"ec2": {"region": "eu-west-1", "access_key": key.access_key, "secret_key": key.secret_key}}
    monkeypatch.setattr(fault_commands, "read_facts", lambda lab: facts)
    served = replace(lab, ec2_port=int(ec2.meta.endpoint_url.rpartition(":")[2]))
    assert fault_commands._instance(served, "el") == instance
    with pytest.raises(ValueError, match="0 instances have the Name oltp"):
        fault_commands._instance(served, "oltp")

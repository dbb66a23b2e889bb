from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, Start, client, make_network, run_instance
from hanger_lab.config import Lab


def lines(lab: Lab, name: str) -> list[str]:
    path = lab.directory / "ec2" / name
    return path.read_text().splitlines() if path.exists() else []


def test_each_action_is_noted_once_and_each_change_in_order(ec2: Any, lab: Lab) -> None:
    ec2.describe_vpcs()
    ec2.create_vpc(CidrBlock="10.71.0.0/16")
    ec2.create_vpc(CidrBlock="10.72.0.0/16")
    ec2.describe_vpcs()
    client("sts", lab, ec2.meta.endpoint_url).get_caller_identity()
    client("iam", lab, ec2.meta.endpoint_url).create_role(RoleName="machine", AssumeRolePolicyDocument="{}")
    assert lines(lab, "calls.log") == ["ec2:DescribeVpcs", "ec2:CreateVpc", "sts:GetCallerIdentity", "iam:CreateRole"]
    assert lines(lab, "writes.log") == ["ec2:CreateVpc", "ec2:CreateVpc", "iam:CreateRole"]


def test_a_change_that_fails_is_noted_as_well(ec2: Any, lab: Lab) -> None:
    with pytest.raises(ClientError):
        ec2.delete_vpc(VpcId="vpc-0123456789abcdef0")
    assert lines(lab, "writes.log") == ["ec2:DeleteVpc"]


def test_a_change_is_noted_before_it_is_made(ec2: Any, lab: Lab, engine: PaperEngine) -> None:
    network = make_network(ec2)
    seen: list[str] = []

    def launch(machine: Any) -> None:
        seen.extend(lines(lab, "writes.log"))

    engine.launch = launch  # type: ignore[method-assign]
    run_instance(ec2, network)
    assert seen[-1] == "ec2:RunInstances"


def test_the_journal_goes_on_after_a_restart(start: Start, lab: Lab) -> None:
    start().describe_vpcs()
    start().describe_vpcs()
    assert lines(lab, "calls.log") == ["ec2:DescribeVpcs"]


def test_what_nobody_of_the_lab_signed_is_not_noted(ec2: Any, lab: Lab) -> None:
    stranger = client("ec2", Lab(lab.directory.parent / "other", lab.cache), ec2.meta.endpoint_url)
    with pytest.raises(ClientError, match="AuthFailure"):
        stranger.create_vpc(CidrBlock="10.71.0.0/16")
    assert lines(lab, "calls.log") == []

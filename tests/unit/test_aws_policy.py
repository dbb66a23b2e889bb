"""docs/aws-policy.json is a policy that AWS takes, that can match, and that refuses what is not the project's."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from iam import Access, allows, problems, uncovered

DOCS = Path(__file__).resolve().parents[2] / "docs"
POLICY = json.loads((DOCS / "aws-policy.json").read_text())
REGION = {"aws:RequestedRegion": "eu-west-1"}
EC2 = "arn:aws:ec2:eu-west-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role"
OURS, THEIRS = {"aws:ResourceTag/Project": "thehanger"}, {"aws:ResourceTag/Project": "payroll"}


@pytest.mark.parametrize(
    "name", ["aws-policy.json", "aws-policy-backups.json", "aws-policy-rds.json", "aws-policy-ssm.json"]
)
def test_it_has_no_problem(name: str) -> None:
    policy = json.loads((DOCS / name).read_text())
    assert list(problems(policy)) == []
    assert list(uncovered(policy)) == []


@pytest.mark.parametrize(
    "access",
    [
        Access("ec2:DescribeVpcs", context=REGION),
        Access("ec2:CreateVpc", "vpc", f"{EC2}:vpc/*", {"aws:RequestTag/Project": "thehanger"}),
        Access("ec2:TerminateInstances", "instance", f"{EC2}:instance/i-1", OURS),
        Access("iam:PassRole", "role", f"{ROLE}/thehanger-eu-west-1", {"iam:PassedToService": "ec2.amazonaws.com"}),
    ],
    ids=str,
)
def test_it_allows_what_the_platform_does(access: Access) -> None:
    assert allows(POLICY, access)


@pytest.mark.parametrize(
    "access",
    [
        Access("ec2:DescribeVpcs", context={"aws:RequestedRegion": "us-east-1"}),
        Access("ec2:CreateVpc", "vpc", f"{EC2}:vpc/*", {}),
        Access("ec2:CreateVpc", "vpc", "arn:aws:ec2:us-east-1:1:vpc/*", {"aws:RequestTag/Project": "thehanger"}),
        Access("ec2:CreateSubnet", "vpc", f"{EC2}:vpc/vpc-1", {**THEIRS, "aws:RequestTag/Project": "thehanger"}),
        Access("ec2:TerminateInstances", "instance", f"{EC2}:instance/i-1", THEIRS),
        Access("ec2:TerminateInstances", "instance", f"{EC2}:instance/i-1", {}),
        Access("ec2:DeleteVpc", "vpc", f"{EC2}:vpc/vpc-1", THEIRS),
        Access(
            "ec2:RunInstances",
            "instance",
            f"{EC2}:instance/*",
            {"aws:RequestTag/Project": "thehanger", "ec2:MetadataHttpTokens": "optional"},
        ),
        Access(
            "ec2:RunInstances",
            "volume",
            f"{EC2}:volume/*",
            {"aws:RequestTag/Project": "thehanger", "ec2:Encrypted": "false"},
        ),
        Access("ec2:RunInstances", "subnet", f"{EC2}:subnet/subnet-1", THEIRS),
        Access("ec2:CreateTags", "instance", f"{EC2}:instance/i-1", {**THEIRS, "aws:RequestTag/Project": "thehanger"}),
        Access("ec2:CreateTags", "instance", f"{EC2}:instance/i-1", {"aws:RequestTag/Project": "thehanger"}),
        Access("ec2:CreateTags", "instance", f"{EC2}:instance/i-1", {**OURS, "aws:RequestTag/Project": "payroll"}),
        Access("iam:PassRole", "role", f"{ROLE}/payroll", {"iam:PassedToService": "ec2.amazonaws.com"}),
        Access("iam:PassRole", "role", f"{ROLE}/thehanger-eu-west-1", {"iam:PassedToService": "lambda.amazonaws.com"}),
        Access("iam:CreateUser", "user", "arn:aws:iam::123456789012:user/x"),
    ],
    ids=str,
)
def test_it_refuses_what_is_not_the_projects(access: Access) -> None:
    assert not allows(POLICY, access)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Action": "ec2:CreateVcp"}, "no such action"),
        ({"Action": "ec2:*"}, "name each action"),
        ({"Action": "ec2:DescribeVpcs"}, "needs Resource *"),
        ({"Action": "ec2:CreateVpc", "Resource": "*"}, "name them"),
        ({"Action": "ec2:CreateVpc", "Resource": f"{EC2}:subnet/*"}, "none of the actions knows"),
        ({"Condition": {"StringEquals": {"aws:ResourceTag/Project": "x"}}}, "the statement never matches"),
        ({"Condition": {"StringEqual": {"aws:RequestTag/Project": "x"}}}, "unknown operator"),
        ({"Sid": "Not one word"}, "letters and digits"),
    ],
)
def test_a_mistake_in_a_policy_is_found(change: dict[str, Any], told: str) -> None:
    policy = copy.deepcopy(POLICY)
    statement = next(entry for entry in policy["Statement"] if entry["Sid"] == "CreateTheVpcWithTheTag")
    statement.update(change)
    assert told in " ".join(problems(policy))


def test_a_resource_that_nothing_covers_is_found() -> None:
    policy = copy.deepcopy(POLICY)
    policy["Statement"] = [entry for entry in policy["Statement"] if entry["Sid"] != "CreateInTheVpc"]
    assert list(uncovered(policy)) == ["ec2:CreateSubnet needs a vpc"]

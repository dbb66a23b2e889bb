"""Roles and instance profiles as the modules of amazon.aws use them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import Start, client
from hanger_lab.config import Lab

TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
ALLOW = {"Effect": "Allow", "Action": "ssm:UpdateInstanceInformation", "Resource": "*"}
TAGS = [{"Key": "Project", "Value": "gym"}]


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make(iam: Any) -> None:
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument=document(TRUST), Tags=TAGS)
    iam.put_role_policy(RoleName="machine", PolicyName="agent", PolicyDocument=document(ALLOW))
    iam.create_instance_profile(InstanceProfileName="machine", Tags=TAGS)
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="machine")


def test_profile_role_policy_and_tags_survive_a_restart(start: Start, lab: Lab) -> None:
    make(client("iam", lab, start().meta.endpoint_url))
    iam = client("iam", lab, start().meta.endpoint_url)
    profile = iam.get_instance_profile(InstanceProfileName="machine")["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == ["machine"]
    assert profile["Tags"] == TAGS == iam.list_instance_profile_tags(InstanceProfileName="machine")["Tags"]
    assert iam.list_role_tags(RoleName="machine")["Tags"] == TAGS
    policy = iam.get_role_policy(RoleName="machine", PolicyName="agent")["PolicyDocument"]
    assert policy["Statement"] == [ALLOW]


def test_what_is_in_use_is_not_deleted(ec2: Any, lab: Lab) -> None:
    iam = client("iam", lab, ec2.meta.endpoint_url)
    make(iam)
    iam.create_role(RoleName="second", AssumeRolePolicyDocument=document(TRUST))
    with pytest.raises(ClientError, match="LimitExceeded"):
        iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="second")
    for refused in (
        lambda: iam.delete_role(RoleName="machine"),
        lambda: iam.delete_instance_profile(InstanceProfileName="machine"),
    ):
        with pytest.raises(ClientError, match="DeleteConflict"):
            refused()
    iam.remove_role_from_instance_profile(InstanceProfileName="machine", RoleName="machine")
    with pytest.raises(ClientError, match="DeleteConflict"):
        iam.delete_role(RoleName="machine")
    iam.delete_role_policy(RoleName="machine", PolicyName="agent")
    iam.delete_role(RoleName="machine")
    iam.delete_instance_profile(InstanceProfileName="machine")
    assert iam.list_instance_profiles()["InstanceProfiles"] == []


def test_a_policy_that_is_none_is_refused(ec2: Any, lab: Lab) -> None:
    iam = client("iam", lab, ec2.meta.endpoint_url)
    make(iam)
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.put_role_policy(RoleName="machine", PolicyName="agent", PolicyDocument=document({"Effect": "Allow"}))

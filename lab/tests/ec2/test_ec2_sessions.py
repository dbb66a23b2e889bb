"""Session Manager: which instances take sessions, and what a session's token opens."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, client, run_instance
from hanger_lab import session_plugin
from hanger_lab.config import Lab
from hanger_lab.connect import RouteError
from hanger_lab.ec2.ssm.sessions import NEEDED

TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
PACKAGE = "/amazon-ssm-eu-west-1/latest/debian_amd64/amazon-ssm-agent.deb"


def policy(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def ssm(ec2: Any, lab: Lab) -> Any:
    lab.facts.write_text(json.dumps({"ec2": {"endpoint_url": ec2.meta.endpoint_url}}))
    iam = client("iam", lab, ec2.meta.endpoint_url)
    iam.create_role(
        RoleName="node", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    )
    iam.create_instance_profile(InstanceProfileName="node")
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    return client("ssm", lab, ec2.meta.endpoint_url)


@pytest.fixture
def instance(ec2: Any, ssm: Any, network: SimpleNamespace) -> str:
    return str(run_instance(ec2, network, IamInstanceProfile={"Name": "node"})["InstanceId"])


def allow(ssm: Any, lab: Lab, *actions: str) -> None:
    iam = client("iam", lab, ssm.meta.endpoint_url)
    iam.put_role_policy(RoleName="node", PolicyName="sessions", PolicyDocument=policy(*actions))


def refused(ssm: Any, instance: str) -> bool:
    try:
        ssm.start_session(Target=instance)
    except ClientError as error:
        return error.response["Error"]["Code"] == "TargetNotConnected"
    return False


def test_the_profile_must_allow_what_the_agent_needs(ssm: Any, lab: Lab, instance: str) -> None:
    assert refused(ssm, instance)
    allow(ssm, lab, *NEEDED[:-1])
    assert refused(ssm, instance)
    assert ssm.describe_instance_information()["InstanceInformationList"] == []
    allow(ssm, lab, "ssm:UpdateInstanceInformation", "ssmmessages:*")
    assert not refused(ssm, instance)
    assert [found["InstanceId"] for found in ssm.describe_instance_information()["InstanceInformationList"]] == [
        instance
    ]


def test_awss_own_policy_will_do(ssm: Any, lab: Lab, instance: str) -> None:
    iam = client("iam", lab, ssm.meta.endpoint_url)
    iam.attach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    assert not refused(ssm, instance)


def test_the_agent_must_run_and_the_instance_too(
    ec2: Any, ssm: Any, lab: Lab, instance: str, engine: PaperEngine
) -> None:
    allow(ssm, lab, *NEEDED)
    engine.fail.add("run")
    assert refused(ssm, instance)
    engine.fail.clear()
    assert not refused(ssm, instance)
    ec2.stop_instances(InstanceIds=[instance])
    assert refused(ssm, instance)
    assert refused(ssm, "i-00000000000000000")


def test_a_token_opens_its_session_until_the_session_ends(ssm: Any, lab: Lab, instance: str) -> None:
    allow(ssm, lab, *NEEDED)
    first, other = (ssm.start_session(Target=instance) for _ in range(2))
    found = session_plugin.find(lab, first)
    assert (found.id, found.machine) == (first["SessionId"], f"hanger-{lab.id}-{instance}")
    with pytest.raises(RouteError, match="not its token"):
        session_plugin.find(lab, {**first, "TokenValue": other["TokenValue"]})
    assert ssm.resume_session(SessionId=first["SessionId"])["TokenValue"] == first["TokenValue"]
    ssm.terminate_session(SessionId=first["SessionId"])
    with pytest.raises(RouteError, match="no such session"):
        session_plugin.find(lab, first)
    assert [session["SessionId"] for session in ssm.describe_sessions(State="Active")["Sessions"]] == [
        other["SessionId"]
    ]


def test_documents_are_those_that_the_lab_has(ssm: Any, lab: Lab, instance: str) -> None:
    allow(ssm, lab, *NEEDED)
    with pytest.raises(ClientError, match="InvalidDocument"):
        ssm.start_session(Target=instance, DocumentName="AWS-RunMyOwn")
    with pytest.raises(ClientError, match="InvalidParameters"):
        ssm.start_session(Target=instance, DocumentName="AWS-StartPortForwardingSession", Parameters={})
    document = {"DocumentName": "AWS-StartPortForwardingSession", "Parameters": {"portNumber": ["8000"]}}
    assert session_plugin.find(lab, ssm.start_session(Target=instance, **document)).parameters == {
        "portNumber": ["8000"]
    }


def test_the_agents_package_is_one_and_everybody_may_read_it(ec2: Any, tmp_path: Path) -> None:
    package = tmp_path / "agent.deb"
    package.write_bytes(urllib.request.urlopen(f"{ec2.meta.endpoint_url}{PACKAGE}").read())
    fields = subprocess.run(
        ["dpkg-deb", "--field", str(package), "Package", "Architecture"], check=True, capture_output=True, text=True
    ).stdout
    assert fields == "Package: amazon-ssm-agent\nArchitecture: amd64\n"
    listed = subprocess.run(["dpkg-deb", "--contents", str(package)], check=True, capture_output=True, text=True).stdout
    assert "./usr/bin/amazon-ssm-agent" in listed

from __future__ import annotations

from typing import Any

import pytest
from ec2_support import PaperEngine, Start, client, make_network, run_instance, tcp
from hanger_lab.config import Lab
from hanger_lab.ec2.server import state_file
from hanger_lab.ec2.state import StateError


def instances(ec2: Any) -> dict[str, str]:
    found = [instance for page in ec2.describe_instances()["Reservations"] for instance in page["Instances"]]
    return {instance["InstanceId"]: instance["State"]["Name"] for instance in found}


def test_ids_addresses_and_groups_survive_a_restart(start: Start, engine: PaperEngine) -> None:
    ec2 = start()
    network = make_network(ec2)
    first = run_instance(ec2, network)["InstanceId"]
    ec2 = start()
    assert instances(ec2) == {first: "running"}
    assert ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"][0]["CidrBlock"] == "10.71.0.0/16"
    assert run_instance(ec2, network)["PrivateIpAddress"] == "10.71.1.5"
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(80, cidr="0.0.0.0/0")])
    assert all("dport 80 " in str(files) for files in engine.files.values())
    assert len(engine.states) == 2


def test_a_client_token_survives_a_restart(start: Start, engine: PaperEngine) -> None:
    ec2 = start()
    network = make_network(ec2)
    first = run_instance(ec2, network, ClientToken="once")["InstanceId"]
    assert run_instance(start(), network, ClientToken="once")["InstanceId"] == first


def test_a_switched_off_host_gets_its_machines_back(start: Start, engine: PaperEngine) -> None:
    ec2 = start()
    network = make_network(ec2)
    running, stopped, lost = (run_instance(ec2, network)["InstanceId"] for _ in range(3))
    ec2.stop_instances(InstanceIds=[stopped])
    for name in list(engine.states):
        engine.states[name] = "exited"
        if name.endswith(lost):
            del engine.states[name]
    engine.states["hanger-1-i-0123456789abcdef0"] = "running"
    ec2 = start()
    assert instances(ec2) == {running: "running", stopped: "stopped", lost: "terminated"}
    assert sorted(engine.states.values()) == ["exited", "running"]
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert lost not in {interface["Attachment"]["InstanceId"] for interface in interfaces}


def test_policies_of_aws_are_not_written(start: Start, lab: Lab) -> None:
    ec2 = start()
    iam = client("iam", lab, ec2.meta.endpoint_url)
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument="{}")
    arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    iam.attach_role_policy(RoleName="machine", PolicyArn=arn)
    assert state_file(lab).stat().st_size < 300_000
    iam = client("iam", lab, start().meta.endpoint_url)
    attached = iam.list_attached_role_policies(RoleName="machine")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [arn]


def test_an_unreadable_state_says_what_to_do(start: Start, lab: Lab) -> None:
    start().create_vpc(CidrBlock="10.71.0.0/16")
    state_file(lab).write_bytes(state_file(lab).read_bytes()[:200])
    with pytest.raises(StateError, match="hanger-lab down"):
        start()


def test_the_state_is_for_its_owner_only(start: Start, lab: Lab) -> None:
    start().create_vpc(CidrBlock="10.71.0.0/16")
    assert state_file(lab).stat().st_mode & 0o077 == 0

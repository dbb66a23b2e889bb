from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, run_instance, tcp

PATH = "/var/lib/hanger/seed/security-groups.nft"


def rules_of(engine: PaperEngine, instance: dict[str, Any]) -> str:
    name = next(name for name in engine.files if name.endswith(instance["InstanceId"]))
    return str(engine.files[name][PATH])


def test_authorize_and_revoke_reach_the_machine(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network)
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(8000, cidr="0.0.0.0/0")])
    assert "tcp dport 8000 accept" in rules_of(engine, instance)
    assert engine.calls[-1][0] == "run"
    assert engine.calls[-1][2:] == ("nft", "-f", PATH)
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(8000, cidr="0.0.0.0/0")])
    assert "8000" not in rules_of(engine, instance)


def test_rules_of_other_machines_are_not_written_again(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    run_instance(ec2, network)
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc)["GroupId"]
    before = len(engine.calls)
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[tcp(1, cidr="0.0.0.0/0")])
    assert len(engine.calls) == before


def test_revoke_needs_no_description(ec2: Any, network: SimpleNamespace) -> None:
    described = tcp(5432)
    described["UserIdGroupPairs"] = [{"GroupId": network.group, "Description": "from the EL host"}]
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[described])
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(5432, group=network.group)])
    permissions = ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]["IpPermissions"]
    assert [permission["FromPort"] for permission in permissions] == [22]


def test_rules_that_the_machine_does_not_take_fail_the_call(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace
) -> None:
    instance = run_instance(ec2, network)
    engine.fail = {"run"}
    with pytest.raises(ClientError) as error:
        ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(8000, cidr="0.0.0.0/0")])
    assert error.value.response["Error"]["Code"] == "IncorrectInstanceState"
    permissions = ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]["IpPermissions"]
    assert [permission["FromPort"] for permission in permissions] == [22]
    engine.fail = set()
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(9000, cidr="0.0.0.0/0")])
    assert "8000" not in rules_of(engine, instance)
    assert "tcp dport 9000 accept" in rules_of(engine, instance)


def test_a_stopped_machine_gets_its_rules_for_the_next_boot(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace
) -> None:
    instance = run_instance(ec2, network)
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[tcp(8000, cidr="0.0.0.0/0")])
    assert engine.calls[-1][0] == "put_files"
    assert "tcp dport 8000 accept" in rules_of(engine, instance)


def test_changed_groups_replace_the_old_ones(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network)
    web = ec2.create_security_group(GroupName="web", Description="web", VpcId=network.vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[tcp(80, cidr="0.0.0.0/0")])
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=[web])
    assert "dport 80 " in rules_of(engine, instance)
    assert "dport 22 " not in rules_of(engine, instance)
    shown = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="groupSet")["Groups"]
    assert [group["GroupId"] for group in shown] == [web]
    interface = ec2.describe_network_interfaces()["NetworkInterfaces"][0]
    assert [group["GroupId"] for group in interface["Groups"]] == [web]


def test_an_attribute_that_cannot_be_changed_does_not_empty_the_groups(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace
) -> None:
    instance = run_instance(ec2, network)
    with pytest.raises(ClientError) as error:
        ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], EnaSupport={"Value": True})
    assert error.value.response["Error"]["Code"] == "UnsupportedOperation"
    assert "dport 22 " in rules_of(engine, instance)


def test_a_group_in_use_is_not_deleted(ec2: Any, network: SimpleNamespace) -> None:
    run_instance(ec2, network)
    database = ec2.create_security_group(GroupName="db", Description="db", VpcId=network.vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[tcp(5432, group=network.group)])
    with pytest.raises(ClientError) as error:
        ec2.delete_security_group(GroupId=network.group)
    assert error.value.response["Error"]["Code"] == "DependencyViolation"
    assert database in error.value.response["Error"]["Message"]


def test_a_prefix_list_is_refused(ec2: Any, network: SimpleNamespace) -> None:
    run_instance(ec2, network)
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "PrefixListIds": [{"PrefixListId": "pl-12345678"}]}
    with pytest.raises(ClientError) as error:
        ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[permission])
    assert "prefix lists" in error.value.response["Error"]["Message"]

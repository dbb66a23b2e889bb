from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, client, run_instance, tcp
from hanger_lab.config import Lab
from hanger_lab.machines import ImageError, MachinesError, RangeError

DOCKER_IMAGE, POSTGRESQL_IMAGE = "ami-0082082ce02229f80", "ami-0d9f3eba66e776ff0"


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def message(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Message"])


def describe(ec2: Any, instance_id: str) -> dict[str, Any]:
    instance: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return instance


def machine_of(engine: PaperEngine, instance: dict[str, Any]) -> str:
    return next(name for name in engine.specs if name.endswith(instance["InstanceId"]))


def test_an_instance_is_a_machine(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network, UserData="#!/bin/sh\necho hello\n")
    spec = engine.specs[machine_of(engine, instance)]
    assert str(spec.address) == instance["PrivateIpAddress"] == "10.71.1.4"
    assert spec.image == "hanger-lab/debian-13"
    assert spec.hostname == "ip-10-71-1-4"
    assert "ip-10-71-1-4.eu-west-1.compute.internal" in spec.aliases
    seed = "/var/lib/cloud/seed/nocloud"
    assert "ssh-ed25519 " in spec.files[f"{seed}/meta-data"].content
    assert spec.files[f"{seed}/user-data"].content == b"#!/bin/sh\necho hello\n"
    assert "tcp dport 22 accept" in spec.files["/var/lib/hanger/seed/security-groups.nft"]


def test_the_public_address_is_the_private_one(ec2: Any, network: SimpleNamespace) -> None:
    instance = describe(ec2, run_instance(ec2, network)["InstanceId"])
    assert instance["PublicIpAddress"] == instance["PrivateIpAddress"]


def test_an_instance_without_a_public_address_has_none(ec2: Any, network: SimpleNamespace) -> None:
    interface = {
        "DeviceIndex": 0,
        "SubnetId": network.subnet,
        "Groups": [network.group],
        "AssociatePublicIpAddress": False,
    }
    created = ec2.run_instances(
        ImageId=DOCKER_IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, NetworkInterfaces=[interface]
    )["Instances"][0]
    instance = describe(ec2, created["InstanceId"])
    assert "PublicIpAddress" not in instance
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [network.group]


@pytest.mark.parametrize(("image", "machine"), [(DOCKER_IMAGE, "docker"), (POSTGRESQL_IMAGE, "postgresql")])
def test_the_guides_images_are_chosen_by_id(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace, image: str, machine: str
) -> None:
    instance = run_instance(ec2, network, ImageId=image)
    assert engine.specs[machine_of(engine, instance)].image == f"hanger-lab/{machine}"


def test_debians_newest_image_is_found_by_owner_and_name(ec2: Any) -> None:
    found = ec2.describe_images(Owners=["136693071363"], Filters=[{"Name": "name", "Values": ["debian-13-amd64-*"]}])[
        "Images"
    ]
    newest = max(found, key=lambda image: image["CreationDate"])
    assert (newest["ImageId"], newest["Architecture"]) == ("ami-0b61e0c5a1d23d013", "x86_64")
    assert len(found) == 2


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"InstanceType": "t3.gigantic"}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"PrivateIpAddress": "10.99.0.9"}, "InvalidParameterValue"),
    ],
)
def test_a_wrong_request_launches_nothing(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace, wrong: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, **wrong)
    assert code(error) == expected
    assert not engine.specs
    assert ec2.describe_instances()["Reservations"] == []


def test_a_machine_that_does_not_start_leaves_nothing(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    engine.fail = {"launch"}
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9}}])
    assert code(error) == "InsufficientInstanceCapacity"
    assert "launch was told to fail" in message(error)
    assert ec2.describe_instances()["Reservations"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_volumes()["Volumes"] == []
    assert not engine.states
    assert not engine.networks


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(RangeError("taken"), "InvalidVpc.Range"), (ImageError("no image"), "InvalidAMIID.Unavailable")],
)
def test_what_stays_wrong_is_not_a_lack_of_capacity(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace, failure: MachinesError, expected: str
) -> None:
    def refuse(machine: Any) -> None:
        raise failure

    engine.launch = refuse  # type: ignore[method-assign]
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network)
    assert code(error) == expected
    assert ec2.describe_instances()["Reservations"] == []


def test_the_default_vpc_launches_nothing(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    with pytest.raises(ClientError) as error:
        ec2.run_instances(ImageId=DOCKER_IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    assert code(error) == "VPCIdNotSpecified"
    assert "default VPC" in message(error)
    assert not engine.networks


def test_a_client_token_launches_once(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    first = run_instance(ec2, network, ClientToken="once")
    again = run_instance(ec2, network, ClientToken="once")
    assert first["InstanceId"] == again["InstanceId"]
    assert len(engine.specs) == 1
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, ClientToken="once", InstanceType="t3.large")
    assert code(error) == "IdempotentParameterMismatch"


def test_a_client_token_with_a_profile_launches_once_until_it_has_ended(
    ec2: Any, lab: Lab, engine: PaperEngine, network: SimpleNamespace
) -> None:
    client("iam", lab, ec2.meta.endpoint_url).create_instance_profile(InstanceProfileName="machine")
    request = {"ClientToken": "once", "IamInstanceProfile": {"Name": "machine"}}
    first, again = (run_instance(ec2, network, **request) for _ in range(2))
    assert first["InstanceId"] == again["InstanceId"]
    (association,) = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    assert association["InstanceId"] == first["InstanceId"]
    ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    with pytest.raises(ClientError) as error:
        run_instance(ec2, network, **request)
    assert code(error) == "IdempotentInstanceTerminated"
    assert len(engine.specs) == 1


def test_a_failed_launch_frees_its_client_token(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    engine.fail = {"launch"}
    with pytest.raises(ClientError):
        run_instance(ec2, network, ClientToken="once")
    engine.fail = set()
    instance = run_instance(ec2, network, ClientToken="once")
    assert describe(ec2, instance["InstanceId"])["State"]["Name"] == "running"


def test_stop_start_reboot_act_on_the_machine(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network)
    machine, ids = machine_of(engine, instance), [instance["InstanceId"]]
    ec2.stop_instances(InstanceIds=ids)
    stopped = describe(ec2, ids[0])
    assert (stopped["State"]["Name"], engine.states[machine]) == ("stopped", "exited")
    assert "PublicIpAddress" not in stopped
    with pytest.raises(ClientError) as error:
        ec2.reboot_instances(InstanceIds=ids)
    assert code(error) == "IncorrectInstanceState"
    ec2.start_instances(InstanceIds=ids)
    ec2.reboot_instances(InstanceIds=ids)
    assert describe(ec2, ids[0])["PublicIpAddress"] == instance["PrivateIpAddress"]
    assert [call[0] for call in engine.calls][-3:] == ["stop", "start", "restart"]


def test_a_machine_that_does_not_stop_keeps_the_state(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network)
    engine.fail = {"stop"}
    with pytest.raises(ClientError) as error:
        ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    assert "stop was told to fail" in message(error)
    assert describe(ec2, instance["InstanceId"])["State"]["Name"] == "running"


def test_terminate_removes_machine_interface_and_network(
    ec2: Any, engine: PaperEngine, network: SimpleNamespace
) -> None:
    instance = run_instance(ec2, network)
    with pytest.raises(ClientError) as error:
        ec2.delete_subnet(SubnetId=network.subnet)
    assert code(error) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert not engine.states
    ec2.delete_subnet(SubnetId=network.subnet)
    with pytest.raises(ClientError) as error:
        ec2.delete_vpc(VpcId=network.vpc)
    assert code(error) == "DependencyViolation"
    ec2.delete_security_group(GroupId=network.group)
    ec2.delete_vpc(VpcId=network.vpc)
    assert not engine.networks


def test_a_protected_instance_is_not_terminated(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network, DisableApiTermination=True)
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], DisableApiTermination={"Value": True})
    with pytest.raises(ClientError) as error:
        ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert code(error) == "OperationNotPermitted"
    assert engine.states


def test_addresses_are_not_given_again_soon(ec2: Any, network: SimpleNamespace) -> None:
    first = run_instance(ec2, network)
    ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    assert run_instance(ec2, network)["PrivateIpAddress"] == "10.71.1.5"


def test_a_range_that_the_host_uses_is_refused(ec2: Any, conflicts: list[str]) -> None:
    conflicts.append("eth0 has the address 10.71.0.9")
    with pytest.raises(ClientError) as error:
        ec2.create_vpc(CidrBlock="10.71.0.0/16")
    assert code(error) == "InvalidVpc.Range"
    assert "eth0 has the address 10.71.0.9" in message(error)


def test_volumes_show_what_modules_read(ec2: Any, network: SimpleNamespace) -> None:
    run_instance(ec2, network, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20}}])
    assert ec2.describe_volumes()["Volumes"][0]["SnapshotId"] == ""


def test_peers_rules_follow_a_launch_and_a_termination(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    database = ec2.create_security_group(GroupName="db", Description="db", VpcId=network.vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[tcp(5432, group=network.group)])
    server = run_instance(ec2, network, SecurityGroupIds=[database])
    rules = engine.files[machine_of(engine, server)]
    path = "/var/lib/hanger/seed/security-groups.nft"
    assert "5432" not in rules[path]
    client = run_instance(ec2, network)
    assert "ip saddr { 10.71.1.5 } ip saddr != 10.71.0.1 tcp dport 5432 accept" in rules[path]
    ec2.terminate_instances(InstanceIds=[client["InstanceId"]])
    assert "5432" not in rules[path]

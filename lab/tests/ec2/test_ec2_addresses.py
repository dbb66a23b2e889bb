"""Elastic IPs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import PaperEngine, Start, make_network, run_instance

RULES = "/var/lib/hanger/seed/security-groups.nft"


@pytest.fixture
def public(ec2: Any, network: SimpleNamespace) -> SimpleNamespace:
    attach_gateway(ec2, network)
    return network


def attach_gateway(ec2: Any, network: SimpleNamespace) -> str:
    gateway: str = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    return gateway


def describe(ec2: Any, instance_id: str) -> dict[str, Any]:
    instance: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return instance


def held(engine: PaperEngine, instance_id: str) -> list[str]:
    return [address for name, held in engine.further.items() if name.endswith(instance_id) for address in held.values()]


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_an_associated_address_is_the_machines_and_its_public_one(
    ec2: Any, engine: PaperEngine, public: SimpleNamespace
) -> None:
    instance = run_instance(ec2, public)["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    association = ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)["AssociationId"]
    assert held(engine, instance) == [address["PublicIp"]]
    assert describe(ec2, instance)["PublicIpAddress"] == address["PublicIp"]
    assert describe(ec2, instance)["PrivateIpAddress"] == "10.71.1.4"
    shown = ec2.describe_addresses()["Addresses"][0]
    assert (shown["InstanceId"], shown["AssociationId"], shown["PrivateIpAddress"]) == (
        instance,
        association,
        "10.71.1.4",
    )
    ec2.disassociate_address(AssociationId=association)
    assert held(engine, instance) == []
    assert describe(ec2, instance)["PublicIpAddress"] == "10.71.1.4"
    assert not ec2.describe_addresses()["Addresses"][0].get("InstanceId")
    ec2.release_address(AllocationId=address["AllocationId"])
    assert ec2.describe_addresses()["Addresses"] == []


def test_an_address_moves_unless_that_is_forbidden(ec2: Any, engine: PaperEngine, public: SimpleNamespace) -> None:
    first, second = (run_instance(ec2, public)["InstanceId"] for _ in range(2))
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=first)
    with pytest.raises(ClientError) as error:
        ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=second, AllowReassociation=False)
    assert code(error) == "Resource.AlreadyAssociated"
    assert held(engine, first) == [address["PublicIp"]]
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=second)
    assert (held(engine, first), held(engine, second)) == ([], [address["PublicIp"]])
    assert describe(ec2, first)["PublicIpAddress"] == describe(ec2, first)["PrivateIpAddress"]
    assert describe(ec2, second)["PublicIpAddress"] == address["PublicIp"]


def test_a_second_address_replaces_the_first(ec2: Any, engine: PaperEngine, public: SimpleNamespace) -> None:
    instance = run_instance(ec2, public)["InstanceId"]
    addresses = [ec2.allocate_address(Domain="vpc") for _ in range(2)]
    for address in addresses:
        ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    assert held(engine, instance) == [addresses[1]["PublicIp"]]
    assert [shown.get("InstanceId") or "" for shown in ec2.describe_addresses()["Addresses"]] == ["", instance]


def test_an_address_survives_stop_start_and_a_restart_of_the_lab(start: Start, engine: PaperEngine) -> None:
    ec2 = start()
    network = make_network(ec2)
    attach_gateway(ec2, network)
    instance = run_instance(ec2, network)["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    ec2.stop_instances(InstanceIds=[instance])
    assert describe(ec2, instance)["PublicIpAddress"] == address["PublicIp"]
    ec2 = start()
    ec2.start_instances(InstanceIds=[instance])
    assert describe(ec2, instance)["PublicIpAddress"] == address["PublicIp"]
    assert held(engine, instance) == [address["PublicIp"]]
    second = run_instance(ec2, network)["InstanceId"]
    rules = next(files[RULES] for name, files in engine.files.items() if name.endswith(second))
    assert "10.200.0.1" in rules


def test_what_a_killed_server_left_is_put_right(start: Start, engine: PaperEngine) -> None:
    ec2 = start()
    network = make_network(ec2)
    attach_gateway(ec2, network)
    with_address, without = (run_instance(ec2, network)["InstanceId"] for _ in range(2))
    address = ec2.allocate_address(Domain="vpc")["PublicIp"]
    ec2.associate_address(PublicIp=address, InstanceId=with_address)
    names = {name[-19:]: name for name in engine.states}
    engine.further = {names[without]: dict.fromkeys(engine.further[names[with_address]], "10.200.0.77")}
    start()
    assert (held(engine, with_address), held(engine, without)) == ([address], [])


def test_the_host_is_let_in_from_the_side_of_the_addresses(
    ec2: Any, engine: PaperEngine, public: SimpleNamespace
) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "IpRanges": [{"CidrIp": "203.0.113.7/32"}]}
    ec2.authorize_security_group_ingress(GroupId=public.group, IpPermissions=[permission])
    instance = run_instance(ec2, public)["InstanceId"]
    name = next(name for name in engine.files if name.endswith(instance))
    assert "ip saddr { 10.71.0.1, 203.0.113.7 } tcp dport 8000 accept" in engine.files[name][RULES]
    ec2.associate_address(AllocationId=ec2.allocate_address()["AllocationId"], InstanceId=instance)
    assert "ip saddr { 10.71.0.1, 10.200.0.1, 203.0.113.7 } tcp dport 8000 accept" in engine.files[name][RULES]


def test_a_terminated_instance_lets_its_address_go(ec2: Any, engine: PaperEngine, public: SimpleNamespace) -> None:
    instance = run_instance(ec2, public)["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    with pytest.raises(ClientError) as error:
        ec2.release_address(AllocationId=address["AllocationId"])
    assert code(error) == "InvalidIPAddress.InUse"
    ec2.terminate_instances(InstanceIds=[instance])
    assert "PublicIpAddress" not in describe(ec2, instance)
    assert not ec2.describe_addresses()["Addresses"][0].get("AssociationId")
    ec2.release_address(AllocationId=address["AllocationId"])


def test_the_sixth_address_is_one_too_many(ec2: Any) -> None:
    given = {ec2.allocate_address(Domain="vpc")["PublicIp"] for _ in range(5)}
    assert len(given) == 5
    with pytest.raises(ClientError) as error:
        ec2.allocate_address(Domain="vpc")
    assert code(error) == "AddressLimitExceeded"


def test_addresses_are_not_given_again_soon(ec2: Any) -> None:
    first = ec2.allocate_address(Domain="vpc")
    ec2.release_address(AllocationId=first["AllocationId"])
    assert ec2.allocate_address(Domain="vpc")["PublicIp"] != first["PublicIp"]


def test_tags_are_found_again(ec2: Any) -> None:
    tags = [{"Key": "Project", "Value": "gym"}]
    made = ec2.allocate_address(TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags}])["AllocationId"]
    ec2.allocate_address()
    filters = [{"Name": "tag:Project", "Values": ["gym"]}]
    assert [found["AllocationId"] for found in ec2.describe_addresses(Filters=filters)["Addresses"]] == [made]
    assert ec2.describe_tags()["Tags"][0]["ResourceType"] == "elastic-ip"


def test_a_vpc_without_a_gateway_takes_no_address(ec2: Any, engine: PaperEngine, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network)["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    with pytest.raises(ClientError) as error:
        ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    assert code(error) == "Gateway.NotAttached"
    assert held(engine, instance) == []


def test_a_gateway_stays_while_addresses_are_mapped(ec2: Any, network: SimpleNamespace) -> None:
    gateway = attach_gateway(ec2, network)
    instance = run_instance(ec2, network)["InstanceId"]
    with pytest.raises(ClientError) as error:
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert code(error) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)


def test_a_machine_that_does_not_follow_leaves_the_address_free(
    ec2: Any, engine: PaperEngine, public: SimpleNamespace
) -> None:
    instance = run_instance(ec2, public)["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    engine.fail = {"attach"}
    with pytest.raises(ClientError, match="attach was told to fail"):
        ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance)
    assert not ec2.describe_addresses()["Addresses"][0].get("AssociationId")
    assert describe(ec2, instance)["PublicIpAddress"] == "10.71.1.4"

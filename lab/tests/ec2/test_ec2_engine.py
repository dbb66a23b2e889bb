"""Real machines behind the API: what is open, what is closed, and what survives."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ec2_support import client, forget_moto, free_port, tcp
from hanger_lab import fault_commands, machines
from hanger_lab.config import Lab
from hanger_lab.ec2 import server, truth
from hanger_lab.ec2.faults import Fault, Faults
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.images import catalogue
from hanger_lab.machines import outage

pytestmark = pytest.mark.engine

DEBIAN = next(image.id for image in catalogue().values() if image.machine == "debian-13")
BOOT_SECONDS = 60
ADDRESSES = ("PrivateIpAddress", "PublicIpAddress", "PrivateDnsName", "KeyName", "LaunchTime")
LISTEN = "import http.server as h; h.HTTPServer(('', {port}), h.SimpleHTTPRequestHandler).serve_forever()"


@dataclass
class Live:
    """A running server, its client, and what the tests share."""

    start: Callable[[], Any]
    engine: machines.Engine
    cidr: IPv4Network
    key: Path
    ec2: Any = None
    names: Any = None

    def machine(self, instance: dict[str, Any]) -> str:
        return f"{self.engine.prefix}{instance['InstanceId']}"

    def listen(self, instance: dict[str, Any], port: int) -> None:
        command = ["systemd-run", "--quiet", "python3", "-c", LISTEN.format(port=port)]
        self.engine.run(self.machine(instance), command)
        self.engine.run(self.machine(instance), ["sh", "-c", f"until ss -Hltn | grep -q :{port}; do sleep 0.1; done"])

    def ssh(self, instance: dict[str, Any], command: str) -> str:
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
        login = ["ssh", "-q", "-i", str(self.key), *options, f"admin@{instance['PublicIpAddress']}", command]
        return subprocess.run(login, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def reaches(self, instance: dict[str, Any], address: str, port: int) -> bool:
        probe = f"import socket; socket.create_connection(('{address}', {port}), 1)"
        try:
            self.engine.run(self.machine(instance), ["python3", "-c", probe])
        except machines.MachineError:
            return False
        return True


def is_open(address: str, port: int, *, within: float = 0) -> bool:
    """Return whether the host reaches a port, trying again for some seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        else:
            return True


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    directory = tmp_path_factory.mktemp("lab")
    lab = replace(Lab.from_environment(), directory=directory, ec2_port=free_port())
    try:
        engine = machines.Engine.connect(lab)
    except machines.EngineError as error:
        pytest.skip(f"no Docker engine: {error}")
    key = directory / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    contexts: list[Any] = []

    def stop() -> None:
        while contexts:
            contexts.pop().__exit__(None, None, None)
        forget_moto()

    def start() -> Any:
        stop()
        port = free_port()
        fleet = Fleet(engine, lab.id, catalogue(), lambda name: machines.ensure_image(engine, name))
        conflicts = lambda network: machines.range_conflicts(network, engine.networks())  # noqa: E731
        context = server.running(replace(lab, ec2_port=port), fleet, conflicts)
        context.__enter__()
        contexts.append(context)
        return client("ec2", lab, f"http://127.0.0.1:{port}")

    shared = Live(start, engine, engine.free_range(16), key)
    shared.ec2 = start()
    shared.names = network(shared)
    try:
        yield shared
    finally:
        stop()
        for machine in engine.machines():
            engine.remove(machine.name)
        for name in engine.networks():
            if name.startswith(engine.prefix):
                engine.remove_network(name)


def network(live: Live) -> SimpleNamespace:
    ec2 = live.ec2
    vpc = ec2.create_vpc(CidrBlock=str(live.cidr))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{live.cidr[0]}/24", AvailabilityZone="eu-west-1a")["Subnet"]
    ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    ec2.import_key_pair(KeyName="lab", PublicKeyMaterial=live.key.with_suffix(".pub").read_bytes())
    names = SimpleNamespace(vpc=vpc, subnet=subnet["SubnetId"])
    for name in ("el", "oltp"):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(22, cidr="203.0.113.0/24")])
        setattr(names, name, group)
    ec2.authorize_security_group_ingress(GroupId=names.oltp, IpPermissions=[tcp(5432, group=names.el)])
    return names


def run(live: Live, group: str, **options: Any) -> dict[str, Any]:
    request = {"ImageId": DEBIAN, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "KeyName": "lab"}
    request |= {"SubnetId": live.names.subnet, "SecurityGroupIds": [group]}
    created = live.ec2.run_instances(**(request | options))["Instances"][0]
    return describe(live, created["InstanceId"])


def describe(live: Live, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = live.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return found


@pytest.fixture(scope="module")
def oltp(live: Live) -> dict[str, Any]:
    instance = run(live, live.names.oltp, UserData="#!/bin/sh\necho made > /root/by-user-data\n")
    assert is_open(instance["PublicIpAddress"], 22, within=BOOT_SECONDS)
    live.listen(instance, 5432)
    return instance


@pytest.fixture(scope="module")
def el(live: Live) -> dict[str, Any]:
    instance = run(live, live.names.el)
    assert is_open(instance["PublicIpAddress"], 22, within=BOOT_SECONDS)
    return instance


def test_an_administrator_logs_in_with_the_key(live: Live, oltp: dict[str, Any]) -> None:
    assert live.ssh(oltp, "sudo id -un; hostname") == f"root\nip-{oltp['PrivateIpAddress'].replace('.', '-')}"


def test_user_data_has_run(live: Live, oltp: dict[str, Any]) -> None:
    script = "until [ -s /root/by-user-data ]; do sleep 0.1; done; cat /root/by-user-data"
    assert live.engine.run(live.machine(oltp), ["timeout", "20", "sh", "-c", script]).strip() == "made"


def test_a_port_is_open_to_the_group_that_needs_it_only(live: Live, oltp: dict[str, Any], el: dict[str, Any]) -> None:
    address = oltp["PrivateIpAddress"]
    assert live.reaches(el, address, 5432)
    assert live.reaches(oltp, "127.0.0.1", 5432)
    assert not live.reaches(el, address, 22)
    assert not is_open(address, 5432)


def test_machines_find_each_other_by_name(live: Live, oltp: dict[str, Any], el: dict[str, Any]) -> None:
    assert (
        live.engine.run(live.machine(el), ["getent", "hosts", oltp["PrivateDnsName"]]).split()[0]
        == (oltp["PrivateIpAddress"])
    )


def test_opened_and_revoked_again(live: Live, oltp: dict[str, Any]) -> None:
    permission = [tcp(8000, cidr="203.0.113.7/32")]
    live.listen(oltp, 8000)
    assert not is_open(oltp["PublicIpAddress"], 8000)
    live.ec2.authorize_security_group_ingress(GroupId=live.names.oltp, IpPermissions=permission)
    assert is_open(oltp["PublicIpAddress"], 8000)
    live.ec2.revoke_security_group_ingress(GroupId=live.names.oltp, IpPermissions=permission)
    assert not is_open(oltp["PublicIpAddress"], 8000)


def test_the_vpcs_own_range_does_not_open_to_the_host(live: Live, oltp: dict[str, Any], el: dict[str, Any]) -> None:
    permission = [tcp(8100, cidr=str(live.cidr))]
    live.listen(oltp, 8100)
    live.ec2.authorize_security_group_ingress(GroupId=live.names.oltp, IpPermissions=permission)
    assert live.reaches(el, oltp["PrivateIpAddress"], 8100)
    assert not is_open(oltp["PublicIpAddress"], 8100)


def test_every_kind_of_rule_is_valid(live: Live, el: dict[str, Any]) -> None:
    ranges = [{"CidrIp": text} for text in ("0.0.0.0/0", "10.0.0.0/8", str(live.cidr), "198.51.100.0/24")]
    kinds = [("tcp", 0, 65535), ("udp", 5000, 5010), ("icmp", -1, -1), ("icmp", 8, -1), ("icmp", 3, 4), ("50", -1, -1)]
    rules = [{"IpProtocol": kind, "FromPort": first, "ToPort": last, "IpRanges": ranges} for kind, first, last in kinds]
    rules.append({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": live.names.el}]})
    for rule in rules:
        live.ec2.authorize_security_group_ingress(GroupId=live.names.el, IpPermissions=[rule])
    table = ["nft", "list", "table", "inet", "hanger_security_groups"]
    accepted = live.engine.run(live.machine(el), table)
    assert all(text in accepted for text in ("tcp dport 0-65535", "udp dport 5000-5010", "icmp code", "ip protocol"))
    for rule in rules:
        live.ec2.revoke_security_group_ingress(GroupId=live.names.el, IpPermissions=[rule])
    assert "icmp code" not in live.engine.run(live.machine(el), table)


def test_stop_keeps_the_disk_and_start_the_rules(live: Live, el: dict[str, Any]) -> None:
    live.ssh(el, "touch kept")
    live.ec2.stop_instances(InstanceIds=[el["InstanceId"]])
    assert not is_open(el["PrivateIpAddress"], 22)
    live.ec2.authorize_security_group_ingress(GroupId=live.names.el, IpPermissions=[tcp(8000, cidr="0.0.0.0/0")])
    live.ec2.start_instances(InstanceIds=[el["InstanceId"]])
    again = describe(live, el["InstanceId"])
    assert again["PublicIpAddress"] == el["PublicIpAddress"]
    assert is_open(again["PublicIpAddress"], 22, within=BOOT_SECONDS)
    assert live.ssh(again, "ls") == "kept"
    assert "dport 8000" in live.ssh(again, "sudo nft list table inet hanger_security_groups")


def test_a_restarted_server_knows_its_machines(live: Live, oltp: dict[str, Any]) -> None:
    live.engine.stop(live.machine(oltp))
    live.ec2 = live.start()
    assert describe(live, oltp["InstanceId"])["State"]["Name"] == "running"
    assert is_open(oltp["PublicIpAddress"], 22, within=BOOT_SECONDS)
    assert not is_open(oltp["PublicIpAddress"], 8000)


def test_an_elastic_address_reaches_the_machine_and_moves(live: Live, oltp: dict[str, Any], el: dict[str, Any]) -> None:
    gateway = live.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    live.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=live.names.vpc)
    address = live.ec2.allocate_address(Domain="vpc")
    allocation, ip = address["AllocationId"], address["PublicIp"]
    live.ec2.associate_address(AllocationId=allocation, InstanceId=oltp["InstanceId"])
    assert live.ssh(describe(live, oltp["InstanceId"]), "hostname") == hostname(oltp)
    assert is_open(ip, 22, within=5)
    assert not is_open(ip, 5432)
    routes = live.engine.run(live.machine(oltp), ["ip", "route", "show", "default"])
    assert str(live.cidr[1]) in routes
    live.ec2.associate_address(AllocationId=allocation, InstanceId=el["InstanceId"])
    assert live.ssh(describe(live, el["InstanceId"]), "hostname") == hostname(el)
    live.ec2.stop_instances(InstanceIds=[el["InstanceId"]])
    live.ec2.start_instances(InstanceIds=[el["InstanceId"]])
    assert describe(live, el["InstanceId"])["PublicIpAddress"] == ip
    assert is_open(ip, 22, within=BOOT_SECONDS)
    live.ec2.disassociate_address(PublicIp=ip)
    assert not is_open(ip, 22)
    assert is_open(el["PrivateIpAddress"], 22, within=5)
    live.ec2.release_address(AllocationId=allocation)
    live.names.gateway = gateway


def hostname(instance: dict[str, Any]) -> str:
    return f"ip-{instance['PrivateIpAddress'].replace('.', '-')}"


def test_a_killed_machine_is_stopped_and_starts_with_its_disk(live: Live, el: dict[str, Any]) -> None:
    live.ssh(el, "echo precious > kept; sync")
    outage.kill(live.engine, live.machine(el))
    time.sleep(truth.LISTING_SECONDS)
    shown = describe(live, el["InstanceId"])
    assert (shown["State"]["Name"], shown["StateReason"]["Code"]) == ("stopped", "Server.InternalError")
    live.ec2.start_instances(InstanceIds=[el["InstanceId"]])
    assert is_open(el["PrivateIpAddress"], 22, within=BOOT_SECONDS)
    assert live.ssh(el, "cat kept") == "precious"


def test_a_partition_lets_nothing_in_or_out(live: Live, oltp: dict[str, Any], el: dict[str, Any]) -> None:
    with socket.create_connection((el["PrivateIpAddress"], 22), 5) as connection:
        connection.settimeout(2)
        assert connection.recv(3) == b"SSH"
        faults = Faults(live.engine.lab.directory / "ec2")
        faults.order(Fault("partition", el["InstanceId"]))
        outage.partition(live.engine, live.machine(el))
        assert not is_open(el["PrivateIpAddress"], 22)
        assert not live.reaches(el, oltp["PrivateIpAddress"], 5432)
    live.ec2.reboot_instances(InstanceIds=[el["InstanceId"]])
    assert not is_open(el["PrivateIpAddress"], 22, within=3)
    outage.freeze(live.engine, live.machine(el))
    fault_commands.clear(faults, live.engine)
    assert is_open(el["PrivateIpAddress"], 22, within=BOOT_SECONDS)
    assert faults.in_force() == []


def test_a_frozen_machine_is_impaired_and_goes_on(live: Live, el: dict[str, Any]) -> None:
    def status() -> str:
        time.sleep(truth.LISTING_SECONDS)
        found = live.ec2.describe_instance_status(InstanceIds=[el["InstanceId"]])["InstanceStatuses"][0]
        return str(found["InstanceStatus"]["Status"])

    outage.freeze(live.engine, live.machine(el))
    assert status() == "impaired"
    assert describe(live, el["InstanceId"])["State"]["Name"] == "running"
    outage.thaw(live.engine, live.machine(el))
    assert status() == "ok"
    assert is_open(el["PrivateIpAddress"], 22, within=5)
    outage.freeze(live.engine, live.machine(el))
    live.ec2.stop_instances(InstanceIds=[el["InstanceId"]])
    live.ec2.start_instances(InstanceIds=[el["InstanceId"]])
    assert is_open(el["PrivateIpAddress"], 22, within=BOOT_SECONDS)


def test_a_host_that_was_switched_off_gets_everything_back(
    live: Live, oltp: dict[str, Any], el: dict[str, Any]
) -> None:
    """As far as it can be played: every machine loses its power, the server forgets all but its files."""
    address = live.ec2.allocate_address(Domain="vpc")["PublicIp"]
    live.ec2.associate_address(PublicIp=address, InstanceId=oltp["InstanceId"])
    before = {instance["InstanceId"]: describe(live, instance["InstanceId"]) for instance in (oltp, el)}
    for instance in (oltp, el):
        outage.kill(live.engine, live.machine(instance))
    live.ec2 = live.start()
    for instance_id, shown in before.items():
        now = describe(live, instance_id)
        assert now["State"]["Name"] == "running"
        assert {name: now[name] for name in ADDRESSES} == {name: shown[name] for name in ADDRESSES}
        assert is_open(now["PublicIpAddress"], 22, within=BOOT_SECONDS)
    assert live.ssh(describe(live, oltp["InstanceId"]), "cat /proc/sys/kernel/hostname") == hostname(oltp)
    live.ec2.disassociate_address(PublicIp=address)
    live.ec2.release_address(AllocationId=live.ec2.describe_addresses()["Addresses"][0]["AllocationId"])


def test_no_machine_no_instance(live: Live) -> None:
    before = {machine.name for machine in live.engine.machines()}
    live.engine.create_network(f"{live.engine.prefix}blocker", blocked := live.engine.free_range(24))
    vpc = live.ec2.create_vpc(CidrBlock=str(live.engine.free_range(24)))["Vpc"]["VpcId"]
    with pytest.raises(ClientError, match=r"InvalidVpc\.Range.*blocker"):
        live.ec2.create_vpc(CidrBlock=str(blocked))
    live.ec2.delete_vpc(VpcId=vpc)
    assert {machine.name for machine in live.engine.machines()} == before


def test_terminate_leaves_nothing(live: Live, oltp: dict[str, Any], el: dict[str, Any]) -> None:
    live.ec2.terminate_instances(InstanceIds=[oltp["InstanceId"], el["InstanceId"]])
    assert live.engine.machines() == []
    live.ec2.delete_subnet(SubnetId=live.names.subnet)
    live.ec2.delete_security_group(GroupId=live.names.oltp)
    live.ec2.delete_security_group(GroupId=live.names.el)
    live.ec2.detach_internet_gateway(InternetGatewayId=live.names.gateway, VpcId=live.names.vpc)
    live.ec2.delete_vpc(VpcId=live.names.vpc)
    assert not [name for name in live.engine.networks() if name.startswith(f"{live.engine.prefix}vpc-")]

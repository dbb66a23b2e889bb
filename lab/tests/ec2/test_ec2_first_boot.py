"""Instances with a metadata service: what they make of it at first boot, and what switching them off means."""

from __future__ import annotations

import gzip
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest
from ec2_support import client, forget_moto, free_port, tcp
from hanger_lab import machines
from hanger_lab.config import Lab
from hanger_lab.ec2 import server
from hanger_lab.ec2.fleet import Fleet
from hanger_lab.ec2.images import catalogue
from hanger_lab.machines.cleanup import remove_objects

pytestmark = pytest.mark.engine

ASK = """
import sys, urllib.request
def ask(method, path, **headers):
    request = urllib.request.Request("http://169.254.169.254/latest/" + path, method=method, headers=headers)
    return urllib.request.urlopen(request, timeout=3).read().decode()
token = ask("PUT", "api/token", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
print(ask("GET", sys.argv[1], **{"X-aws-ec2-metadata-token": token}))
"""
MAC = f"python3 -c '{ASK}' meta-data/mac"
# What a container engine makes: a namespace behind a bridge, led out under the machine's own address.
CONTAINER = """set -e
ip netns add inner && ip link add outer type veth peer name eth0 netns inner
ip addr add 172.31.255.1/24 dev outer && ip link set outer up && sysctl -q net.ipv4.ip_forward=1
ip -n inner addr add 172.31.255.2/24 dev eth0 && ip -n inner link set eth0 up && ip -n inner link set lo up
ip -n inner route add default via 172.31.255.1
nft add table ip inner && nft add chain ip inner out '{ type nat hook postrouting priority 100; }'
nft add rule ip inner out ip saddr 172.31.255.0/24 masquerade
"""
CLOUD_CONFIG = """#cloud-config
users:
  - default
  - name: backup
    groups: adm
write_files:
  - path: /etc/hanger-written
    content: written
runcmd:
  - [sh, -c, "id -un >>/root/by-runcmd"]
"""


@dataclass
class Live:
    """A running server with the metadata service, its client, and what the tests share."""

    ec2: Any
    engine: machines.Engine
    key: Path
    subnet: str
    group: str

    def run(self, machine: str = "debian-13", **options: Any) -> dict[str, Any]:
        image = next(image.id for image in catalogue().values() if image.machine == machine)
        request = {"ImageId": image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1, "KeyName": "lab"}
        request |= {"SubnetId": self.subnet, "SecurityGroupIds": [self.group]}
        request |= {"MetadataOptions": {"HttpTokens": "required"}}
        created: dict[str, Any] = self.ec2.run_instances(**(request | options))["Instances"][0]
        return created

    def state(self, instance: dict[str, Any]) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"]
        return str(found[0]["State"]["Name"])

    def inside(self, instance: dict[str, Any], script: str) -> str:
        name = f"{self.engine.prefix}{instance['InstanceId']}"
        return self.engine.run(name, ["sh", "-c", script]).strip()

    def booted(self, instance: dict[str, Any]) -> str:
        """Return what cloud-init says when it has finished."""
        status: list[str] = []

        def finished() -> bool:
            try:
                status[:] = [self.inside(instance, "cloud-init status --wait || :").lstrip(".\n")]
            except machines.MachineError:
                return False
            return bool(status[0])

        until(finished)
        return status[0]

    def ssh(self, instance: dict[str, Any], command: str) -> str:
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
        login = ["ssh", "-q", "-i", str(self.key), *options, f"admin@{instance['PrivateIpAddress']}", command]
        return subprocess.run(login, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not so after {seconds:.0f} s")
        time.sleep(0.2)


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
    services = engine.free_range(24)
    engine.create_network(f"{engine.prefix}services", services)
    fleet = Fleet(engine, lab.id, catalogue(), lambda name: machines.ensure_image(engine, name))
    conflicts = lambda network: machines.range_conflicts(network, engine.networks())  # noqa: E731
    try:
        with server.running(lab, fleet, conflicts, machines_address=str(services[1])):
            ec2 = client("ec2", lab, f"http://127.0.0.1:{lab.ec2_port}")
            cidr = engine.free_range(16)
            vpc = ec2.create_vpc(CidrBlock=str(cidr))["Vpc"]["VpcId"]
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{cidr[0]}/24")["Subnet"]["SubnetId"]
            ec2.import_key_pair(KeyName="lab", PublicKeyMaterial=key.with_suffix(".pub").read_bytes())
            group = ec2.create_security_group(GroupName="ssh", Description="ssh", VpcId=vpc)["GroupId"]
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(22, cidr="203.0.113.0/24")])
            yield Live(ec2, engine, key, subnet, group)
    finally:
        forget_moto()
        remove_objects(engine)


@pytest.fixture(scope="module")
def instance(live: Live) -> dict[str, Any]:
    """An instance of whose user data everything is used: parts of two kinds, compressed."""
    parts = MIMEMultipart()
    parts.attach(MIMEText(CLOUD_CONFIG, "cloud-config"))
    parts.attach(MIMEText("#!/bin/sh\necho script >>/root/by-script\n", "x-shellscript"))
    return live.run(UserData=gzip.compress(parts.as_bytes()))


def test_user_data_is_done_once(live: Live, instance: dict[str, Any]) -> None:
    read = "cat /etc/hanger-written; echo; cat /root/by-runcmd /root/by-script; id -un backup"
    assert live.booted(instance) == "status: done"
    assert live.inside(instance, read).split() == ["written", "root", "script", "backup"]
    live.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    live.ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    assert live.booted(instance) == "status: done"
    assert live.inside(instance, read).split() == ["written", "root", "script", "backup"]


def test_key_and_name_come_from_the_metadata_service(live: Live, instance: dict[str, Any]) -> None:
    assert live.booted(instance) == "status: done"
    name = instance["PrivateDnsName"]
    assert live.ssh(instance, "sudo id -un; hostname -f").split() == ["root", name]
    assert live.inside(instance, "cloud-init query platform; cat /sys/class/net/eth0/address").split() == [
        "ec2",
        live.inside(instance, MAC),
    ]


def test_a_token_goes_as_far_as_the_hop_limit_says(live: Live, instance: dict[str, Any]) -> None:
    assert live.booted(instance) == "status: done"
    live.inside(instance, CONTAINER)
    assert live.inside(instance, MAC)
    with pytest.raises(machines.MachineError):
        live.inside(instance, f"ip netns exec inner {MAC}")
    live.ec2.modify_instance_metadata_options(InstanceId=instance["InstanceId"], HttpPutResponseHopLimit=2)
    assert live.inside(instance, f"ip netns exec inner {MAC}")


def test_a_failing_script_is_in_the_log(live: Live) -> None:
    failing = live.run("debian-12", UserData="#!/bin/sh\necho about to fail\nexit 3\n")
    assert live.booted(failing) == "status: error"
    assert "about to fail" in live.inside(failing, "cat /var/log/cloud-init-output.log")
    assert "scripts-user" in live.inside(failing, "cloud-init status --long || :")
    assert live.ssh(failing, "true") == ""
    live.ec2.terminate_instances(InstanceIds=[failing["InstanceId"]])


def test_reboot_comes_back_and_poweroff_stops(live: Live, instance: dict[str, Any]) -> None:
    assert live.booted(instance) == "status: done"
    before = live.inside(instance, "cat /proc/sys/kernel/random/boot_id")
    live.inside(instance, "systemctl --no-block reboot")

    def rebooted() -> bool:
        try:
            return live.inside(instance, "cat /proc/sys/kernel/random/boot_id") != before
        except machines.MachineError:
            return False

    until(rebooted)
    assert live.booted(instance) == "status: done"
    assert live.state(instance) == "running"
    live.inside(instance, "systemctl --no-block poweroff")
    until(lambda: live.state(instance) == "stopped")
    live.ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    assert live.booted(instance) == "status: done"


def test_poweroff_terminates_where_the_instance_says_so(live: Live) -> None:
    brief = live.run(UserData="#!/bin/sh\npoweroff\n", InstanceInitiatedShutdownBehavior="terminate")
    until(lambda: live.state(brief) == "terminated")
    assert not [machine for machine in live.engine.machines() if machine.name.endswith(brief["InstanceId"])]

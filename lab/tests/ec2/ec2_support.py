"""Machines that exist on paper only, and the requests that the tests of the lab's EC2 share."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from hanger_lab.config import Lab
from hanger_lab.keys import ec2_key
from hanger_lab.machines import EngineError, MachineError, MachineStatus
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrQ6p1yV0mJm6ZJc3cRZbm1qv2nNn0xT1yq0g1u3B4j lab"


Start = Callable[[], Any]


class PaperEngine:
    """Machines as a dictionary, every call as a line; `fail` names the calls that must fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.networks: dict[str, IPv4Network] = {}
        self.specs: dict[str, Any] = {}
        self.states: dict[str, str] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.further: dict[str, dict[str, str]] = {}
        self.exit_codes: dict[str, int] = {}
        self.fail: set[str] = set()

    def _call(self, *words: str) -> None:
        self.calls.append(words)
        if words[0] in self.fail:
            raise MachineError(f"{words[0]} was told to fail")

    def network(self, name: str) -> IPv4Network | None:
        return self.networks.get(name)

    def free_range(self, prefix: int, candidates: Any = (), taken: Any = None) -> IPv4Network:
        used = [*self.networks.values(), *(taken or {}).values()]
        pool = IPv4Network("10.200.0.0/16").subnets(new_prefix=prefix)
        return next(network for network in pool if not any(network.overlaps(other) for other in used))

    def create_network(self, name: str, cidr: IPv4Network, reserved: Any = None, *, internal: bool = False) -> None:
        self._call("create_network", name)
        self.networks[name] = cidr

    def remove_network(self, name: str) -> None:
        self._call("remove_network", name)
        self.networks.pop(name, None)

    def launch(self, machine: Any) -> None:
        self._call("launch", machine.name)
        self.specs[machine.name], self.states[machine.name] = machine, "running"
        self.files[machine.name] = dict(machine.files)

    def start(self, name: str) -> None:
        self._call("start", name)
        self.states[name] = "running"

    def stop(self, name: str) -> None:
        self._call("stop", name)
        self.states[name] = "exited"

    def restart(self, name: str) -> None:
        self._call("restart", name)

    def remove(self, name: str) -> None:
        self._call("remove", name)
        self.states.pop(name, None)
        self.further.pop(name, None)

    def attach(self, name: str, network: str, address: IPv4Address) -> None:
        self._call("attach", name, str(address))
        assert network not in self.further.setdefault(name, {})
        assert str(address) not in [held for networks in self.further.values() for held in networks.values()]
        self.further[name][network] = str(address)

    def detach(self, name: str, network: str) -> None:
        self._call("detach", name)
        self.further.get(name, {}).pop(network, None)

    def put_files(self, name: str, files: Any) -> None:
        self._call("put_files", name)
        self.files[name].update(files)

    def run(self, name: str, command: Any, stdin: bytes | None = None) -> str:
        self._call("run", name, *command)
        return ""

    def machines(self) -> list[Any]:
        if "machines" in self.fail:
            raise EngineError("the engine does not answer")
        return [
            MachineStatus(
                name, "", state, "", {}, addresses=self.further.get(name, {}), exit_code=self.exit_codes.get(name)
            )
            for name, state in self.states.items()
        ]


def make_network(ec2: Any) -> SimpleNamespace:
    vpc = ec2.create_vpc(CidrBlock="10.71.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.71.1.0/24", AvailabilityZone="eu-west-1a")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2.import_key_pair(KeyName="lab", PublicKeyMaterial=PUBLIC_KEY.encode())
    group = ec2.create_security_group(GroupName="ssh", Description="ssh", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp(22, cidr="0.0.0.0/0")])
    return SimpleNamespace(vpc=vpc, subnet=subnet, group=group, key="lab")


def tcp(port: int, *, cidr: str | None = None, group: str | None = None) -> dict[str, Any]:
    permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    if cidr:
        permission["IpRanges"] = [{"CidrIp": cidr}]
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group}]
    return permission


def run_instance(ec2: Any, network: SimpleNamespace, **options: Any) -> dict[str, Any]:
    request = {
        "ImageId": "ami-0b61e0c5a1d23d013",
        "InstanceType": "t3.micro",
        "MinCount": 1,
        "MaxCount": 1,
        "KeyName": network.key,
        "SubnetId": network.subnet,
        "SecurityGroupIds": [network.group],
    }
    instance: dict[str, Any] = ec2.run_instances(**(request | options))["Instances"][0]
    return instance


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(service: str, lab: Lab, endpoint: str, **configuration: Any) -> Any:
    """Return a client that signs with the lab's key."""
    key = ec2_key(lab.directory)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        config=Config(**configuration),
    )


def forget_moto() -> None:
    """Drop every book of every service, as a new process would."""
    for books in BackendDict._instances:
        books.clear()
    BackendDict._instances.clear()
    s3_backends.bucket_accounts.clear()

"""The machines behind the instances: one network per VPC, one machine per instance, its security groups inside it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Protocol

from moto.ec2.exceptions import EC2ClientError

from hanger_lab.ec2 import metadata_machine
from hanger_lab.ec2.images import Image
from hanger_lab.ec2.rules import Ingress, ruleset
from hanger_lab.machines import SEED, ImageError, Machine, MachinesError, MachineStatus, SeedFile, first_boot
from hanger_lab.machines.outage import CUT

log = logging.getLogger(__name__)

RULES_FILE = f"{SEED}/security-groups.nft"
INSTANCE_LABEL = "com.thehanger.instance"
ENDED = ("terminated", "shutting-down")
ELASTIC_PREFIX = 24
Content = str | bytes | SeedFile


class Engine(Protocol):
    """The part of `hanger_lab.machines.Engine` that instances need."""

    def network(self, name: str) -> IPv4Network | None:
        """Return the range of a network."""

    def free_range(
        self, prefix: int, candidates: Sequence[IPv4Network] = (), taken: Mapping[str, IPv4Network] | None = None
    ) -> IPv4Network:
        """Return a range that nobody uses."""

    def create_network(
        self, name: str, cidr: IPv4Network, reserved: IPv4Network | None = None, *, internal: bool = False
    ) -> None:
        """Create a network; one that exists with the same range stays."""

    def remove_network(self, name: str) -> None:
        """Remove a network; absent is fine."""

    def launch(self, machine: Machine) -> None:
        """Create and boot a machine, or leave nothing."""

    def start(self, name: str) -> None:
        """Boot a machine."""

    def stop(self, name: str) -> None:
        """Shut a machine down."""

    def restart(self, name: str) -> None:
        """Reboot a machine."""

    def remove(self, name: str) -> None:
        """Remove a machine with its disk; absent is fine."""

    def attach(self, name: str, network: str, address: IPv4Address) -> None:
        """Give a machine an interface in a further network."""

    def detach(self, name: str, network: str) -> None:
        """Take a machine's interface in a network away; none is fine."""

    def put_files(self, name: str, files: Mapping[str, Content]) -> None:
        """Write files into a machine, running or not."""

    def run(self, name: str, command: Sequence[str], stdin: bytes | None = None) -> str:
        """Run a command in a running machine."""

    def machines(self) -> list[MachineStatus]:
        """List the lab's machines."""


class Fleet:
    """What happens to machines when instances, VPCs and security groups change. Instances are moto's objects."""

    def __init__(
        self, engine: Engine, lab_id: str, images: Mapping[str, Image], image_tag: Callable[[str], str]
    ) -> None:
        """Take the catalogue of AMIs and the function that returns (and builds if need be) an image's tag."""
        self.engine = engine
        self.images = images
        self.metadata: tuple[str, int] | None = None  # where machines ask; without it they find the same in a file
        self._prefix = f"hanger-{lab_id}-"
        self._image_tag = image_tag
        self.changes = 0  # how often machines were changed: a listing from before counts no more
        self._applied: dict[str, str] = {}
        self._elastic_name = f"{self._prefix}addresses"
        self._elastic_range: IPv4Network | None = None

    def name(self, instance_id: str) -> str:
        """Return the name of an instance's machine (and of a VPC's network)."""
        return self._prefix + instance_id

    def launch(self, instances: Iterable[Any]) -> None:
        """Create the machines of new instances and let the others' rules know them; remove them all on failure."""
        launched = []
        try:
            for instance in instances:
                launched.append(instance)
                self._launch(instance)
            if launched:
                self.apply_rules(launched[0].ec2_backend)
        except Exception:
            for instance in launched:
                self._remove(instance)
            self._remove_unused_networks(launched)
            raise

    def start(self, instance: Any) -> None:
        """Boot a stopped machine; its disk and address are those it had."""
        self.changes += 1
        self.engine.start(self.name(instance.id))

    def stop(self, instance: Any) -> None:
        """Shut the machine down and keep its disk."""
        self.changes += 1
        self.engine.stop(self.name(instance.id))

    def reboot(self, instance: Any) -> None:
        """Restart the machine."""
        self.changes += 1
        self.engine.restart(self.name(instance.id))

    def cut(self, instance: Any) -> None:
        """Partition a machine that has just booted."""
        self.engine.run(self.name(instance.id), ["nft", "-f", "-"], CUT.encode())

    def terminate(self, instance: Any) -> None:
        """Remove the machine and its disk."""
        self._remove(instance)

    def remove_network(self, vpc_id: str) -> None:
        """Remove the network of a deleted VPC; none is fine."""
        self.engine.remove_network(self.name(vpc_id))

    def remember(self) -> None:
        """Find the network of Elastic IPs that an earlier server made."""
        self._elastic_range = self.engine.network(self._elastic_name)

    def elastic_network(self, vpcs: Mapping[str, IPv4Network]) -> IPv4Network:
        """Return the range of Elastic IPs, which lies outside of all VPCs; make its network with the first."""
        if self._elastic_range is None:
            self.remember()
        if self._elastic_range is None:
            network = self.engine.free_range(ELASTIC_PREFIX, taken=vpcs)
            self.engine.create_network(self._elastic_name, network, internal=True)
            self._elastic_range = network
        return self._elastic_range

    def set_elastic(self, instance: Any, address: IPv4Address | None) -> None:
        """Give the machine this further address and no other; it keeps the one in the VPC."""
        name = self.name(instance.id)
        machine = next((machine for machine in self.engine.machines() if machine.name == name), None)
        current = machine.addresses.get(self._elastic_name) if machine else None
        if current == (str(address) if address else None):
            return
        if current:
            self.engine.detach(name, self._elastic_name)
        if address:
            self.engine.attach(name, self._elastic_name, address)

    def apply_rules(self, backend: Any) -> None:
        """Bring every machine's rules in line with its groups; raise MachinesError or ValueError when one cannot be."""
        states: dict[str, str] | None = None
        for instance in backend.all_instances():
            if instance.state in ENDED:
                continue
            rules = self._rules(instance)
            if self._applied.get(instance.id) == rules:
                continue
            if states is None:
                states = {machine.name: machine.state for machine in self.engine.machines()}
            name = self.name(instance.id)
            if states.get(name) == "paused":
                continue  # it takes no command: its turn comes when it has been thawed
            self.engine.put_files(name, {RULES_FILE: rules})
            if states.get(name) == "running":
                self.engine.run(name, ["nft", "-f", RULES_FILE])
            self._applied[instance.id] = rules
            log.info("applied security groups to %s", instance.id)

    def _launch(self, instance: Any) -> None:
        self.changes += 1
        backend = instance.ec2_backend
        vpc = backend.get_vpc(instance.vpc_id)
        image = self.images.get(instance.image_id)
        if image is None:
            raise ImageError(f"no machine image belongs to {instance.image_id}")
        if image.machine is None:
            raise ImageError(f"{image.id} is for {image.architecture}, and this host does not run such machines")
        tag = self._image_tag(image.machine)
        self.engine.create_network(self.name(vpc.id), IPv4Network(vpc.cidr_block, strict=False))
        rules = self._rules(instance)
        self.engine.launch(
            Machine(
                name=self.name(instance.id),
                image=tag,
                network=self.name(vpc.id),
                address=IPv4Address(instance.private_ip),
                hostname=instance.private_dns_name.split(".")[0],
                aliases=(instance.private_dns_name, instance.id),
                files=self._first_boot(instance) | {RULES_FILE: rules},
                labels={INSTANCE_LABEL: instance.id},
            )
        )
        self._applied[instance.id] = rules

    def _remove(self, instance: Any) -> None:
        self.changes += 1
        self.engine.remove(self.name(instance.id))
        self._applied.pop(instance.id, None)

    def _remove_unused_networks(self, failed: list[Any]) -> None:
        for backend, vpc_id in {(instance.ec2_backend, instance.vpc_id) for instance in failed}:
            others = (other for other in backend.all_instances() if other not in failed and other.state not in ENDED)
            if not any(other.vpc_id == vpc_id for other in others):
                self.remove_network(vpc_id)

    def _rules(self, instance: Any) -> str:
        vpc = instance.ec2_backend.get_vpc(instance.vpc_id)
        elastic = self._elastic_range
        rules = ruleset(
            permissions(instance), IPv4Network(vpc.cidr_block, strict=False), [elastic[1]] if elastic else []
        )
        return rules + metadata_machine.redirection(self.metadata) if self.metadata else rules

    def _first_boot(self, instance: Any) -> dict[str, Content]:
        if self.metadata:
            return {metadata_machine.CLOUD_CONFIG: metadata_machine.cloud_config()}
        key = instance.ec2_backend.key_pairs.get(instance.key_name)
        data = base64.b64decode(str(instance.user_data or ""))
        return first_boot(instance.private_dns_name.split(".")[0], key.public_key if key else "", data)


@contextmanager
def machine_errors(instance: Any) -> Iterator[None]:
    """Answer a machine's failure as EC2's IncorrectInstanceState, with the reason."""
    try:
        yield
    except (MachinesError, ValueError) as error:
        subject = f"the machine of {instance.id}" if instance else "a machine"
        raise EC2ClientError("IncorrectInstanceState", f"{subject} did not follow: {error}") from error


def permissions(instance: Any) -> list[Ingress]:
    """Return the ingress permissions of all groups of an instance; group references become member addresses."""
    rules = [rule for group in groups_of(instance) for rule in group.ingress_rules]
    if any(rule.prefix_list_id for rule in rules):
        raise ValueError("the lab does not enforce prefix lists in security groups: name CIDRs or groups")
    return [
        Ingress(rule.ip_protocol, _port(rule.from_port), _port(rule.to_port), _rule_sources(instance.ec2_backend, rule))
        for rule in rules
    ]


def groups_of(instance: Any) -> list[Any]:
    """Return the security groups of an instance's network interface."""
    return list(instance.nics[0].group_set)


def _rule_sources(backend: Any, rule: Any) -> frozenset[IPv4Network]:
    if rule.cidr_ipv4:
        return frozenset({IPv4Network(rule.cidr_ipv4, strict=False)})
    referenced = rule.source_group.get("GroupId")
    return frozenset(
        IPv4Network(member.private_ip)
        for member in backend.all_instances()
        if referenced and member.state not in ENDED and referenced in {group.id for group in groups_of(member)}
    )


def _port(value: Any) -> int | None:
    return None if value is None else int(value)

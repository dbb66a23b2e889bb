"""Elastic IPs: addresses of a network of the lab's own, which move between machines as their associations do.

The network is made with the first address. It leads to the host and nowhere else: what an Elastic IP stands for is
how the host reaches a machine. A machine keeps its address in the VPC and its default route there.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses

from hanger_lab.ec2.faults import Faults
from hanger_lab.ec2.fleet import ENDED, Fleet, machine_errors
from hanger_lab.ec2.patches import Method, Patches
from hanger_lab.machines import MachinesError

FIRST = 10


def install(patches: Patches, fleet: Fleet, faults: Faults) -> None:
    """Let machines follow Elastic IPs until `patches` is left."""
    hooks = _Addresses(fleet, faults)
    patches.wrap(ElasticAddressBackend, "allocate_address", hooks.allocate)
    patches.wrap(ElasticAddressBackend, "associate_address", hooks.associate)
    patches.wrap(ElasticAddressBackend, "disassociate_address", hooks.disassociate)
    patches.wrap(ElasticAddressBackend, "release_address", _release)
    patches.wrap(ElasticIPAddresses, "associate_address", _associate_moves)
    patches.assign(NetworkInterface, "check_auto_public_ip", _public_address)
    patches.wrap(NetworkInterface, "stop", _stop)
    patches.wrap(InternetGatewayBackend, "detach_internet_gateway", _detach_gateway)


def elastic(interface: Any) -> Any:
    """Return the Elastic IP of an interface; None when it has none."""
    return next((address for address in interface.ec2_backend.addresses if address.eni is interface), None)


def forget(instance: Any) -> None:
    """Let the addresses of an ended instance go; they stay allocated."""
    for address in instance.ec2_backend.addresses:
        if address.instance is instance or (address.eni and address.eni.instance is instance):
            address.eni.public_ip = None
            address.instance = address.eni = address.association_id = None


def align(fleet: Fleet, backend: Any) -> None:
    """Give every machine the Elastic IP that the books say, and no other."""
    for instance in backend.all_instances():
        if instance.state not in ENDED:
            address = elastic(instance.nics[0])
            fleet.set_elastic(instance, IPv4Address(address.public_ip) if address else None)


class _Addresses:
    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        self._fleet = fleet
        self._faults = faults

    def allocate(
        self, original: Method, backend: Any, domain: str, address: str | None = None, tags: Any = None
    ) -> Any:
        if len(backend.addresses) >= self._faults.limit("addresses"):
            raise EC2ClientError("AddressLimitExceeded", "The maximum number of addresses has been reached.")
        if address:
            raise EC2ClientError("InvalidParameterValue", f"the lab gives addresses out itself, not {address}")
        vpcs = [vpc for other in _backends() for vpc in other.vpcs.values()]
        ranges = {vpc.id: IPv4Network(vpc.cidr_block, strict=False) for vpc in vpcs}
        try:
            network = self._fleet.elastic_network(ranges)
        except MachinesError as error:
            raise EC2ClientError("InsufficientAddressCapacity", f"the lab has no range for them: {error}") from error
        free = _free_address(backend, network)
        backend.hanger_last_elastic = free
        return original(backend, "vpc", address=free, tags=tags)

    def associate(
        self,
        original: Method,
        backend: Any,
        instance: Any = None,
        eni: Any = None,
        address: str | None = None,
        allocation_id: str | None = None,
        reassociate: bool = False,
    ) -> Any:
        found = backend.address_by_ip([address]) if address else backend.address_by_allocation([allocation_id])
        elastic_ip, interface = found[0], eni or instance.nics[0]
        if elastic_ip.eni is interface:
            return elastic_ip
        if elastic_ip.eni is None or reassociate:
            _check_target(backend, interface)
            for other in (elastic_ip, elastic(interface)):
                if other is not None and other.eni is not None:
                    backend.disassociate_address(address=other.public_ip)
            if interface.instance:
                with machine_errors(interface.instance):
                    self._fleet.set_elastic(interface.instance, IPv4Address(elastic_ip.public_ip))
        result = original(backend, instance, eni, address, allocation_id, reassociate)
        elastic_ip.instance = interface.instance
        self._apply_rules(backend, interface.instance)
        return result

    def disassociate(
        self, original: Method, backend: Any, address: str | None = None, association_id: str | None = None
    ) -> None:
        found = backend.address_by_ip([address]) if address else backend.address_by_association([association_id])
        interface = found[0].eni
        if interface and interface.instance:
            with machine_errors(interface.instance):
                self._fleet.set_elastic(interface.instance, None)
        original(backend, address, association_id)
        if interface:
            interface.public_ip = None
            if interface.instance and interface.instance.state == "running":
                interface.check_auto_public_ip()
            self._apply_rules(backend, interface.instance)

    def _apply_rules(self, backend: Any, instance: Any) -> None:
        """Let the host in from the side of its new address, as far as the groups do."""
        with machine_errors(instance):
            self._fleet.apply_rules(backend)


def _backends() -> list[Any]:
    return [backend for _, _, backend in ec2_backends.iter_backends()]


def _free_address(backend: Any, network: IPv4Network) -> str:
    """Return the next address after the last one given out, so that addresses return as late as they can."""
    taken = {address.public_ip for other in _backends() for address in other.addresses}
    usable = [str(address) for address in islice(network.hosts(), FIRST - 1, None)]
    last = getattr(backend, "hanger_last_elastic", None)
    start = usable.index(last) + 1 if last in usable else 0
    for address in (*usable[start:], *usable[:start]):
        if address not in taken:
            return address
    raise EC2ClientError("InsufficientAddressCapacity", f"no address is left in {network}")


def _check_target(backend: Any, interface: Any) -> None:
    if interface.instance and interface.instance.state in ENDED:
        raise EC2ClientError("InvalidInstanceID", f"The instance '{interface.instance.id}' is not in a valid state")
    gateways = backend.internet_gateways.values()
    if not any(gateway.vpc and gateway.vpc.id == interface.vpc_id for gateway in gateways):
        message = f"Network {interface.vpc_id} is not attached to any internet gateway"
        raise EC2ClientError("Gateway.NotAttached", message)


def _release(original: Method, backend: Any, address: str | None = None, allocation_id: str | None = None) -> None:
    found = backend.address_by_ip([address]) if address else backend.address_by_allocation([allocation_id])
    if found[0].eni:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
    backend.addresses.remove(found[0])


def _associate_moves(original: Method, response: Any) -> Any:
    """Move an associated address unless the caller forbids it, as EC2 does; moto wants permission."""
    response._get_params().setdefault("AllowReassociation", True)
    return original(response)


def _public_address(interface: Any) -> None:
    """Give an interface its Elastic IP; else, when it asks for a public address, its private one.

    Both worlds connect to `public_ip_address`, and the host reaches private addresses.
    """
    if address := elastic(interface):
        interface.public_ip = address.public_ip
    elif str(interface.public_ip_auto_assign).lower() == "true":
        interface.public_ip = interface.private_ip_address


def _stop(original: Method, interface: Any) -> None:
    original(interface)
    if address := elastic(interface):
        interface.public_ip = address.public_ip


def _detach_gateway(original: Method, backend: Any, internet_gateway_id: str, vpc_id: str) -> Any:
    public = (instance for instance in backend.all_instances() if instance.state not in ENDED and instance.public_ip)
    if any(instance.vpc_id == vpc_id for instance in public):
        raise DependencyViolationError(
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway."
        )
    return original(backend, internet_gateway_id, vpc_id)

"""Where moto differs from EC2 in what amazon.aws notices, corrected while the lab runs. No machine is touched here."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

import moto.iam.models
from moto import settings
from moto.ec2 import utils as ec2_utils
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import tags as ec2_tags
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from hanger_lab.config import Lab
from hanger_lab.ec2 import attributes, identity, parameters, regions, volumes
from hanger_lab.ec2.images import ROOT_DEVICE, Image
from hanger_lab.ec2.patches import Method, Patches

RESERVED_BY_AWS = 4
IAM_PARTITION = "aws"


def install(patches: Patches, images: Mapping[str, Image]) -> None:
    """Correct moto until `patches` is left."""
    patches.assign(settings, "ENABLE_AMI_VALIDATION", True)
    patches.assign(settings, "ENABLE_KEYPAIR_VALIDATION", True)
    patches.assign(moto.iam.models, "load_iam_aws_managed_policies", lambda: True)
    patches.wrap(moto.iam.models.IAMBackend, "_init_aws_policies", _policies_of_one_partition)
    patches.assign(AmiBackend, "_load_amis", lambda backend: add_images(backend, images))
    _correct_tags(patches)
    identity.install(patches)
    parameters.install(patches, images)
    regions.install(patches)
    volumes.install(patches)
    attributes.install(patches)
    patches.assign(NetworkInterface, "group_set", property(lambda interface: interface._group_set))
    patches.assign(Subnet, "get_available_subnet_ip", _next_address)
    patches.assign(Subnet, "request_ip", _check_address)
    patches.assign(SecurityGroupRule, "__eq__", _same_rule)
    patches.wrap(SecurityGroupBackend, "delete_security_group", _delete_security_group)
    patches.wrap(SubnetBackend, "delete_subnet", _delete_subnet)
    patches.wrap(VPCBackend, "delete_vpc", _delete_vpc)


def add_images(backend: Any, images: Mapping[str, Image]) -> None:
    """Put the lab's images into the EC2 backend of its region that does not have them yet."""
    if backend.region_name != Lab.region:
        return
    for image in images.values():
        if image.id in backend.amis:
            continue
        backend.amis[image.id] = Ami(
            backend,
            image.id,
            name=image.name,
            description=image.description,
            owner_id=image.owner,
            public=True,
            virtualization_type="hvm",
            architecture=image.architecture,
            creation_date=image.created,
            image_location=f"{image.owner or backend.account_id}/{image.name}",
            hypervisor="xen",
            root_device_type="ebs",
            root_device_name=ROOT_DEVICE,
            boot_mode="uefi-preferred",
        )


def _correct_tags(patches: Patches) -> None:
    """Use EC2's names of resource types: modules filter by them and report `changed` for ever otherwise."""
    names = {"eipalloc": "elastic-ip", "nat": "natgateway", "h": "dedicated-host", "fl": "vpc-flow-log"}
    patches.assign(ec2_tags, "EC2_PREFIX_TO_RESOURCE", ec2_utils.EC2_PREFIX_TO_RESOURCE | names)


def _policies_of_one_partition(original: Method, backend: Any) -> Any:
    """Load AWS's policies for the public partition: moto asks all six of them who the caller is at the first call."""
    return original(backend) if backend.region_name == IAM_PARTITION else []


def _taken(subnet: Any) -> set[str]:
    interfaces = subnet.ec2_backend.enis.values()
    return {
        address["PrivateIpAddress"]
        for interface in interfaces
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }


def _next_address(subnet: Any, instance: Any) -> str:
    """Return the next free address after the last one given out, so that addresses return as late as they can."""
    size = subnet.cidr.num_addresses
    taken, last = _taken(subnet), getattr(subnet, "hanger_last_offset", RESERVED_BY_AWS - 1)
    usable = size - 1 - RESERVED_BY_AWS
    for step in range(1, usable + 1):
        offset = RESERVED_BY_AWS + (last - RESERVED_BY_AWS + step) % usable
        address = str(subnet.cidr[offset])
        if address not in taken:
            subnet.hanger_last_offset = offset
            return address
    raise EC2ClientError("InsufficientFreeAddressesInSubnet", f"{subnet.id} has no free address left")


def _check_address(subnet: Any, ip: str, instance: Any) -> None:
    inside = list(subnet.cidr)[RESERVED_BY_AWS:-1]
    if IPv4Address(ip) not in inside:
        raise EC2ClientError("InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range")
    if ip in _taken(subnet):
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {ip} is in use.")


def _same_rule(rule: Any, other: object) -> bool:
    """Compare what a rule permits; descriptions and owner ids do not count, as on EC2."""
    return isinstance(other, SecurityGroupRule) and _identity(rule) == _identity(other)


def _identity(rule: Any) -> tuple[Any, ...]:
    ports = (rule.from_port, rule.to_port) if rule.ip_protocol != "-1" else ()
    sources = (rule.cidr_ipv4, rule.cidr_ipv6, rule.source_group.get("GroupId"), rule.prefix_list_id)
    return (rule.ip_protocol, *ports, *sources)


def _delete_security_group(original: Method, backend: Any, name: str | None = None, group_id: str | None = None) -> Any:
    found = backend.get_security_group_by_name_or_id(group_id or name)
    if found and not found.is_default:
        users = [eni.id for eni in backend.enis.values() if found.id in {group.id for group in eni.group_set}]
        groups = (group for groups in backend.groups.values() for group in groups.values() if group.id != found.id)
        rules = (rule for group in groups for rule in (*group.ingress_rules, *group.egress_rules))
        users += [rule.group_id for rule in rules if rule.source_group.get("GroupId") == found.id]
        if users:
            names = ", ".join(sorted(set(users)))
            raise DependencyViolationError(f"resource {found.id} has a dependent object: {names}")
    return original(backend, name=name, group_id=group_id)


def _delete_subnet(original: Method, backend: Any, subnet_id: str) -> Any:
    users = [eni.id for eni in backend.enis.values() if eni.subnet.id == subnet_id]
    if users:
        raise DependencyViolationError(
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted: {', '.join(users)}"
        )
    return original(backend, subnet_id)


def _delete_vpc(original: Method, backend: Any, vpc_id: str) -> Any:
    users = [gateway.id for gateway in backend.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id]
    users += [group.id for group in backend.groups[vpc_id].values() if not group.is_default]
    if users:
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted: {', '.join(users)}")
    return original(backend, vpc_id)

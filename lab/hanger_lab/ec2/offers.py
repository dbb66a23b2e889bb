"""What the lab's EC2 has to offer: instance types by zone and architecture, capacity, and how much of it."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

from hanger_lab.ec2.faults import Faults

_CAPACITY = (
    "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). Our system "
    "will be working on provisioning additional capacity. You can currently get {type} capacity by not specifying an "
    "Availability Zone in your request or choosing {others}."
)
_UNSUPPORTED = (
    "Your requested instance type ({type}) is not supported in your requested Availability Zone ({zone}). Please retry "
    "your request by not specifying an Availability Zone or choosing {others}."
)
_ARCHITECTURE = (
    "The architecture '{type}' of the specified instance type does not match the architecture '{image}' of the "
    "specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use "
    "'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI."
)
_VCPUS = (
    "You have requested more vCPU capacity than your current vCPU limit of {limit} allows for the instance bucket that "
    "the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
    "adjustment to this limit."
)
USING_VCPUS = ("pending", "running")


def check_type(name: str, architecture: str | None = None) -> None:
    """Raise EC2's error for an instance type that does not exist or does not run an architecture."""
    if name not in INSTANCE_TYPES:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{name}' for InstanceType.")
    supported = INSTANCE_TYPES[name].get("ProcessorInfo", {}).get("SupportedArchitectures", [])
    if architecture and architecture not in supported:
        text = _ARCHITECTURE.format(type=", ".join(supported), image=architecture)
        raise EC2ClientError("InvalidParameterValue", text)


def check_offer(name: str, architecture: str, zone: str, region: str) -> None:
    """Raise EC2's error for a type that does not exist, does not run an architecture, or is not in a zone."""
    check_type(name, architecture)
    zones = zones_of(name, region)
    if not zones:
        message = "The requested configuration is currently not supported. Please check the documentation for "
        raise EC2ClientError("Unsupported", f"{message}supported configurations.")
    if zone not in zones:
        raise EC2ClientError("Unsupported", _in_words(_UNSUPPORTED, name, zone, zones))


def check_launch(backend: Any, instances: list[Any], faults: Faults) -> None:
    """Raise EC2's error for instances that EC2 does not offer where they are asked for, or has no room for."""
    for instance in instances:
        check_offer(instance.instance_type, instance.architecture, instance.availability_zone, backend.region_name)
    check_capacity(backend, instances, faults)


def check_capacity(backend: Any, instances: list[Any], faults: Faults) -> None:
    """Raise EC2's error when these instances are more than the account may have, or than there is room for."""
    if not instances:
        return
    limit = faults.limit("vcpus")
    if start_vcpus(backend, instances) > limit:
        raise EC2ClientError("VcpuLimitExceeded", _VCPUS.format(limit=limit))
    if faults.no_capacity(instances[0].availability_zone):
        name, zone = instances[0].instance_type, instances[0].availability_zone
        zones = zones_of(name, backend.region_name)
        raise EC2ClientError("InsufficientInstanceCapacity", _in_words(_CAPACITY, name, zone, zones))


def _in_words(text: str, name: str, zone: str, zones: set[str]) -> str:
    return text.format(type=name, zone=zone, others=", ".join(sorted(zones - {zone})) or "another type")


def start_vcpus(backend: Any, instances: list[Any]) -> int:
    """Return how many vCPUs run once these instances do."""
    running = {instance.id: instance for instance in backend.all_instances() if instance.state in USING_VCPUS}
    running |= {instance.id: instance for instance in instances}
    return sum(vcpus(instance.instance_type) for instance in running.values())


def vcpus(name: str) -> int:
    """Return the virtual processors of an instance type."""
    return int(INSTANCE_TYPES.get(name, {}).get("VCpuInfo", {}).get("DefaultVCpus", 1))


def zones_of(name: str, region: str) -> set[str]:
    """Return the zones of a region where a type is offered."""
    offers = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, [])
    return {offer["Location"] for offer in offers if offer["InstanceType"] == name}

"""EC2 calls that act on machines: moto's methods, each followed or preceded by what the fleet does.

A call that the machines cannot follow fails, and moto's books are put back to what they were before it.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.vpcs import VPCBackend

from hanger_lab.ec2 import addresses, offers, volumes
from hanger_lab.ec2.faults import Faults
from hanger_lab.ec2.fleet import Fleet, machine_errors
from hanger_lab.ec2.images import ROOT_DEVICE
from hanger_lab.ec2.patches import Method, Patches
from hanger_lab.machines import ImageError, MachinesError, RangeError

NO_TOKEN = "ABCDE"  # noqa: S105 - what moto passes when the caller gave no client token
RangeConflicts = Callable[[IPv4Network], list[str]]


def install(patches: Patches, fleet: Fleet, range_conflicts: RangeConflicts, faults: Faults) -> None:
    """Put the fleet behind moto's EC2 until `patches` is left."""
    hooks = _Hooks(fleet, range_conflicts, faults)
    patches.wrap(InstanceBackend, "run_instances", hooks.run_instances)
    patches.wrap(InstanceBackend, "start_instances", hooks.start_instances)
    patches.wrap(Instance, "start", hooks.start)
    patches.wrap(Instance, "stop", hooks.stop)
    patches.wrap(Instance, "reboot", hooks.reboot)
    patches.wrap(Instance, "terminate", hooks.terminate)
    patches.wrap(VPCBackend, "create_vpc", hooks.create_vpc)
    patches.wrap(VPCBackend, "delete_vpc", hooks.delete_vpc)
    for name in ("authorize_security_group_ingress", "revoke_security_group_ingress", "modify_security_group_rules"):
        patches.wrap(SecurityGroupBackend, name, hooks.change_rules)
    patches.wrap(InstanceBackend, "modify_instance_security_groups", hooks.change_instance_groups)
    patches.wrap(NetworkInterfaceBackend, "modify_network_interface_attribute", hooks.change_interface_groups)
    addresses.install(patches, fleet, faults)


class _Hooks:
    def __init__(self, fleet: Fleet, range_conflicts: RangeConflicts, faults: Faults) -> None:
        self._fleet = fleet
        self._faults = faults
        self._range_conflicts = range_conflicts

    def run_instances(
        self, original: Method, backend: Any, image_id: str, count: int, *args: Any, **kwargs: Any
    ) -> Any:
        token, request = kwargs.get("client_token"), _fingerprint(image_id, count, args, kwargs)
        for reservation in backend.reservations.values():
            if token != NO_TOKEN and getattr(reservation, "client_token", None) == token:
                if reservation.client_request != request:
                    raise EC2ClientError(
                        "IdempotentParameterMismatch", f"the client token {token} was used for another request"
                    )
                if all(instance.state in ("shutting-down", "terminated") for instance in reservation.instances):
                    raise EC2ClientError(
                        "IdempotentInstanceTerminated", f"the instance of the client token {token} was terminated"
                    )
                for instance in reservation.instances:
                    # moto gives the first one its profile after this, and would refuse to do it twice.
                    backend.iam_instance_profile_associations.pop(instance.id, None)
                return reservation
        if len(kwargs.get("nics") or []) > 1:
            raise EC2ClientError("AttachmentLimitExceeded", "an instance of the lab has one network interface")
        interfaces = copy.deepcopy(kwargs.get("nics") or [])
        mappings = self._block_devices(image_id, kwargs)
        with _nothing_left_behind(backend):
            reservation = original(backend, image_id, count, *args, **kwargs)
            for instance in reservation.instances:
                _settle_interface(instance, interfaces)
                volumes.settle(instance, mappings)
            _refuse_default_vpc(reservation.instances)
            offers.check_launch(backend, reservation.instances, self._faults)
            try:
                self._fleet.launch(reservation.instances)
            except (MachinesError, ValueError) as error:
                raise EC2ClientError(_launch_error(error), f"the lab could not start it: {error}") from error
        reservation.client_token, reservation.client_request = token, request
        return reservation

    def _block_devices(self, image_id: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Put the image's root volume into a request that brings no launch template of its own."""
        if image_id in self._fleet.images and not request.get("launch_template"):
            request["block_device_mappings"] = volumes.complete(request.get("block_device_mappings"), ROOT_DEVICE)
        return list(request.get("block_device_mappings") or [])

    def start(self, original: Method, instance: Any) -> Any:
        _require(instance, "running", "stopped")
        with machine_errors(instance):
            self._fleet.start(instance)
            self._keep_cut(instance)
        return original(instance)

    def stop(self, original: Method, instance: Any) -> Any:
        _require(instance, "running", "stopped")
        with machine_errors(instance):
            self._fleet.stop(instance)
        return original(instance)

    def reboot(self, original: Method, instance: Any) -> Any:
        _require(instance, "running")
        with machine_errors(instance):
            self._fleet.reboot(instance)
            self._keep_cut(instance)
        return original(instance)

    def terminate(self, original: Method, instance: Any) -> Any:
        if instance.state == "terminated":
            return copy.copy(instance.instance_state)
        with machine_errors(instance):
            self._fleet.terminate(instance)
        previous = original(instance)
        addresses.forget(instance)
        if self._faults.partitioned(instance.id):
            self._faults.clear("partition", instance.id)
        with machine_errors(instance):
            self._fleet.apply_rules(instance.ec2_backend)
        return previous

    def _keep_cut(self, instance: Any) -> None:
        if self._faults.partitioned(instance.id):
            self._fleet.cut(instance)

    def start_instances(self, original: Method, backend: Any, instance_ids: list[str]) -> Any:
        instances = backend.get_multi_instances_by_id(instance_ids)
        offers.check_capacity(
            backend, [instance for instance in instances if instance.state == "stopped"], self._faults
        )
        return original(backend, instance_ids)

    def create_vpc(self, original: Method, backend: Any, cidr_block: str, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("is_default"):
            if len(backend.vpcs) >= self._faults.limit("vpcs"):
                raise EC2ClientError("VpcLimitExceeded", "The maximum number of VPCs has been reached.")
            self._check_range(backend, cidr_block)
        return original(backend, cidr_block, *args, **kwargs)

    def delete_vpc(self, original: Method, backend: Any, vpc_id: str) -> Any:
        live = (instance for instance in backend.all_instances() if instance.state != "terminated")
        if not any(instance.vpc_id == vpc_id for instance in live):
            try:
                self._fleet.remove_network(vpc_id)
            except MachinesError as error:
                raise EC2ClientError("DependencyViolation", f"the network of {vpc_id} is in use: {error}") from error
        return original(backend, vpc_id)

    def change_rules(self, original: Method, backend: Any, *args: Any, **kwargs: Any) -> Any:
        groups = [group for groups in backend.groups.values() for group in groups.values()]
        before = [(group, copy.deepcopy(group.ingress_rules)) for group in groups]
        try:
            result = original(backend, *args, **kwargs)
            with machine_errors(None):
                self._fleet.apply_rules(backend)
        except Exception:
            for group, rules in before:
                group.ingress_rules = rules
            raise
        return result

    def change_instance_groups(self, original: Method, backend: Any, instance_id: str, group_ids: list[str]) -> Any:
        if not group_ids:
            raise EC2ClientError("UnsupportedOperation", "the lab cannot change this attribute of an instance")
        instance = backend.get_instance(instance_id)
        self._set_groups(backend, instance.nics[0], group_ids)
        return original(backend, instance_id, group_ids)

    def change_interface_groups(
        self, original: Method, backend: Any, eni_id: str, group_ids: list[str], *args: Any, **kwargs: Any
    ) -> Any:
        if group_ids:
            self._set_groups(backend, backend.get_network_interface(eni_id), group_ids)
        return original(backend, eni_id, group_ids, *args, **kwargs)

    def _set_groups(self, backend: Any, interface: Any, group_ids: list[str]) -> None:
        groups = backend.describe_security_groups(group_ids=group_ids)
        before = interface._group_set
        _assign_groups(interface, groups)
        try:
            with machine_errors(interface.instance):
                self._fleet.apply_rules(backend)
        except Exception:
            _assign_groups(interface, before)
            raise

    def _check_range(self, backend: Any, cidr_block: str) -> None:
        try:
            network = IPv4Network(cidr_block, strict=False)
        except (AddressValueError, NetmaskValueError):
            return  # moto answers with EC2's error
        reasons = self._range_conflicts(network)
        if reasons:
            raise EC2ClientError(
                "InvalidVpc.Range", f"{cidr_block} is in use on this host: {'; '.join(reasons)}. Choose another range"
            )


def _refuse_default_vpc(instances: list[Any]) -> None:
    for instance in instances:
        vpc = instance.ec2_backend.get_vpc(instance.vpc_id)
        if vpc.is_default:
            raise EC2ClientError(
                "VPCIdNotSpecified",
                f"nothing starts in the default VPC of the lab ({vpc.cidr_block} may be in use on this host): "
                "create a VPC and a subnet, and name the subnet",
            )


def _launch_error(error: Exception) -> str:
    """Return EC2's code for a failed launch: clients try again on a lack of capacity, and not on what stays wrong."""
    if isinstance(error, RangeError):
        return "InvalidVpc.Range"
    return "InvalidAMIID.Unavailable" if isinstance(error, ImageError) else "InsufficientInstanceCapacity"


def _require(instance: Any, *states: str) -> None:
    if instance.state not in states:
        raise EC2ClientError(
            "IncorrectInstanceState", f"This instance '{instance.id}' is {instance.state}: the call needs {states[0]}."
        )


def _fingerprint(image_id: str, count: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return what identifies a RunInstances request."""
    texts = [image_id, str(count), *map(str, args), *(f"{name}={kwargs[name]}" for name in sorted(kwargs))]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _settle_interface(instance: Any, specifications: list[dict[str, Any]]) -> None:
    """Let the instance show its interface's groups, and the interface end with it unless the caller said otherwise."""
    interface = instance.nics[0]
    _assign_groups(interface, list(dict.fromkeys(interface._group_set)))
    given = specifications[0] if specifications else {}
    if "NetworkInterfaceId" not in given and given.get("DeleteOnTermination") is not False:
        interface.delete_on_termination = True


def _assign_groups(interface: Any, groups: list[Any]) -> None:
    interface._group_set = groups
    if interface.instance:
        interface.instance.security_groups = list(groups)


@contextmanager
def _nothing_left_behind(backend: Any) -> Iterator[None]:
    """Forget every instance, volume, interface and tag that a failed call has made."""
    books = [backend.reservations, backend.volumes, backend.enis, backend.tags]
    before = [set(book) for book in books]
    try:
        yield
    except Exception:
        for book, keys in zip(books, before, strict=True):
            for key in set(book) - keys:
                del book[key]
        raise

"""Where moto differs from RDS in what the platform notices, corrected while the lab runs."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.rds.exceptions import InvalidParameterValue, RDSClientError
from moto.rds.models import DBInstance, RDSBackend, rds_backends

from hanger_lab.ec2.patches import Method, Patches
from hanger_lab.ec2.rds import parameters

NEWEST = {"13": "13.22", "14": "14.19", "15": "15.14", "16": "16.10", "17": "17.6"}
GP3 = {"iops": 3000, "storage_throughput": 125}
SHORTEST_PASSWORD = 8


def install(patches: Patches) -> None:
    """Correct moto until `patches` is left."""
    parameters.install(patches)
    patches.wrap(RDSBackend, "create_db_instance", _create)
    patches.wrap(RDSBackend, "create_subnet_group", _create_subnet_group)
    patches.wrap(RDSBackend, "delete_subnet_group", _delete_subnet_group)
    patches.wrap(RDSBackend, "delete_db_parameter_group", _delete_parameter_group)
    patches.wrap(DBInstance, "update", _update)
    patches.wrap(SecurityGroupBackend, "delete_security_group", _delete_security_group)
    patches.wrap(SubnetBackend, "delete_subnet", _delete_subnet)


def _create(original: Method, backend: Any, db_kwargs: Any) -> Any:
    if db_kwargs.get("engine") != "postgres":
        raise InvalidParameterValue("Invalid DB engine: the lab has postgres")
    if len(db_kwargs.get("master_user_password") or "") < SHORTEST_PASSWORD:
        raise InvalidParameterValue("The parameter MasterUserPassword is not a valid password.")
    version = str(db_kwargs.get("engine_version") or "17")
    if version not in NEWEST and version not in NEWEST.values():
        raise RDSClientError("InvalidParameterCombination", f"Cannot find version {version} for postgres")
    defaults = GP3 if db_kwargs.get("storage_type") == "gp3" else {}
    given = {**defaults, **dict(db_kwargs.items()), "engine_version": NEWEST.get(version, version)}
    return original(backend, given)


def _update(original: Method, instance: Any, **changes: Any) -> None:
    former = instance.db_parameter_group_name
    original(instance, **changes)
    if instance.db_parameter_group_name != former:
        instance.hanger_waits_for_reboot = True


def _create_subnet_group(
    original: Method, backend: Any, subnet_name: str, description: str, subnets: list[Any], tags: Any
) -> Any:
    if len({subnet.availability_zone for subnet in subnets}) < 2:
        message = "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement."
        raise RDSClientError("DBSubnetGroupDoesNotCoverEnoughAZs", message)
    return original(backend, subnet_name=subnet_name, description=description, subnets=subnets, tags=tags)


def _delete_subnet_group(original: Method, backend: Any, subnet_name: str) -> Any:
    _refuse_used("InvalidDBSubnetGroupStateFault", "subnet group", subnet_name, _by_subnet_group(backend, subnet_name))
    return original(backend, subnet_name)


def _delete_parameter_group(original: Method, backend: Any, db_parameter_group_name: str) -> Any:
    users = [each for each in backend.databases.values() if each.db_parameter_group_name == db_parameter_group_name]
    _refuse_used("InvalidDBParameterGroupState", "parameter group", db_parameter_group_name, users)
    return original(backend, db_parameter_group_name)


def _refuse_used(code: str, kind: str, name: str, users: list[Any]) -> None:
    if users:
        names = ", ".join(user.db_instance_identifier for user in users)
        raise RDSClientError(code, f"One or more database instances are still members of the {kind} {name}: {names}")


def _by_subnet_group(backend: Any, name: str) -> list[Any]:
    return [each for each in backend.databases.values() if getattr(each, "_db_subnet_group_name", None) == name]


def _delete_security_group(original: Method, backend: Any, name: str | None = None, group_id: str | None = None) -> Any:
    found = backend.get_security_group_by_name_or_id(group_id or name)
    if found:
        users = [each for each in _instances(backend) if found.id in each.vpc_security_group_ids]
        _refuse_dependent(f"resource {found.id} has a dependent object", users)
    return original(backend, name=name, group_id=group_id)


def _delete_subnet(original: Method, backend: Any, subnet_id: str) -> Any:
    users = [
        each
        for each in _instances(backend)
        if subnet_id in {subnet.id for subnet in getattr(each.db_subnet_group, "_subnets", [])}
    ]
    _refuse_dependent(f"The subnet '{subnet_id}' has dependencies and cannot be deleted", users)
    return original(backend, subnet_id)


def _refuse_dependent(message: str, users: list[Any]) -> None:
    if users:
        raise DependencyViolationError(f"{message}: {', '.join(user.db_instance_identifier for user in users)}")


def _instances(backend: Any) -> list[Any]:
    return [
        each
        for each in rds_backends[backend.account_id][backend.region_name].databases.values()
        if getattr(each, "db_subnet_group", None) is not None
    ]

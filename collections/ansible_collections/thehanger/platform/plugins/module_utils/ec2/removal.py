# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing what a teardown names. What is gone already is as good as removed, so that a second run finishes a first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .client import Aws, together
from .errors import Ec2Error
from .observe import observe
from .power import wait_until
from .run import pauses
from .teardown import Teardown, Thing, plan_teardown

PATIENCE = 120.0
MOST_AT_A_TIME = 1000  # objects that S3 deletes with one call
_GONE = ("NotFound", "NoSuchEntity", "NoSuchBucket", "Gateway.NotAttached")
# AWS lets go of an interface or an address some seconds after its instance is gone.
_IN_USE = ("DependencyViolation", "VolumeInUse", "IncorrectState", "InvalidIPAddress.InUse", "DeleteConflict")


@dataclass
class Remover:
    """Removes things of each kind; `patience` is how many seconds something may stay in use."""

    aws: Aws
    timeout: float
    patience: float
    removed: list[Thing] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self, teardown: Teardown) -> None:
        """Remove wave by wave; what cannot be removed becomes a problem, and the waves after it are tried too."""
        for wave in teardown.waves:
            instances = [thing for thing in wave if thing.kind == "instance"]
            groups = [thing for thing in wave if thing.kind == "security group"]
            others = [thing for thing in wave if thing.kind not in ("instance", "security group")]
            work: dict[str, Callable[[], Any]] = {
                f"{thing.kind} {thing.id}": partial(self._one, thing) for thing in others
            }
            work |= {"instances": partial(self._instances, instances), "groups": partial(self._groups, groups)}
            together(work)
            # What a later wave waits for may be what a problem keeps.
            self.patience = 0 if self.problems else self.patience

    def _instances(self, instances: Sequence[Thing]) -> None:
        if not instances:
            return
        protected = [thing for thing in instances if thing.data["termination_protection"]]
        ids = [thing.id for thing in instances]
        try:
            together({thing.id: partial(self._lift_protection, thing) for thing in protected})
            with self.aws.explained(f"Terminating {', '.join(ids)}"):
                self.aws.client("ec2").terminate_instances(InstanceIds=ids)
            deadline = time.monotonic() + self.timeout
            wait_until(self.aws, ids, lambda state: state == "terminated", "become terminated", deadline)
        except Ec2Error as failure:
            self.problems.append(failure.message)
        else:
            self.removed += instances

    def _lift_protection(self, thing: Thing) -> None:
        self._call("ec2", "modify_instance_attribute", InstanceId=thing.id, DisableApiTermination={"Value": False})

    def _groups(self, groups: Sequence[Thing]) -> None:
        """Remove groups; rules that name groups go first, since they keep those groups alive."""
        together({thing.id: partial(self._empty, thing) for thing in groups})
        together({thing.id: partial(self._one, thing) for thing in groups})

    def _empty(self, group: Thing) -> None:
        rules = [_permission(rule) for rule in group.data["rules"] if str(rule["source"]).startswith("sg-")]
        if not rules:
            return
        try:
            self._call("ec2", "revoke_security_group_ingress", GroupId=group.id, IpPermissions=rules)
        except Ec2Error as failure:
            self.problems.append(f"rules of security group {group.id}: {failure.message}")

    def _one(self, thing: Thing) -> None:
        """Remove one thing, patiently."""
        remove: Callable[[Thing], None] = getattr(self, "_" + thing.kind.lower().replace(" ", "_"))
        deadline = time.monotonic() + self.patience
        for pause in pauses(longest=5):
            try:
                remove(thing)
            except Ec2Error as failure:
                if failure.details.get("code") in _IN_USE and time.monotonic() < deadline:
                    time.sleep(pause)
                    continue
                self.problems.append(f"{thing.kind} {thing.id}: {failure.message}")
            else:
                self.removed.append(thing)
            return

    def _key_pair(self, thing: Thing) -> None:
        self._call("ec2", "delete_key_pair", KeyName=thing.id)

    def _elastic_ip_address(self, thing: Thing) -> None:
        self._call("ec2", "release_address", AllocationId=thing.id)

    def _volume(self, thing: Thing) -> None:
        self._call("ec2", "delete_volume", VolumeId=thing.id)

    def _security_group(self, thing: Thing) -> None:
        self._call("ec2", "delete_security_group", GroupId=thing.id)

    def _internet_gateway(self, thing: Thing) -> None:
        for vpc_id in thing.vpc_ids:
            self._call("ec2", "detach_internet_gateway", InternetGatewayId=thing.id, VpcId=vpc_id)
        self._call("ec2", "delete_internet_gateway", InternetGatewayId=thing.id)

    def _subnet(self, thing: Thing) -> None:
        self._call("ec2", "delete_subnet", SubnetId=thing.id)

    def _route_table(self, thing: Thing) -> None:
        filters = [{"Name": "route-table-id", "Values": [thing.id]}]
        for table in self.aws.list("ec2", "describe_route_tables", "RouteTables", Filters=filters):
            for link in table["Associations"]:
                self._call("ec2", "disassociate_route_table", AssociationId=link["RouteTableAssociationId"])
        self._call("ec2", "delete_route_table", RouteTableId=thing.id)

    def _vpc(self, thing: Thing) -> None:
        self._call("ec2", "delete_vpc", VpcId=thing.id)

    def _instance_profile(self, thing: Thing) -> None:
        for role in thing.data["roles"]:
            self._call("iam", "remove_role_from_instance_profile", InstanceProfileName=thing.id, RoleName=role)
        self._call("iam", "delete_instance_profile", InstanceProfileName=thing.id)

    def _role(self, thing: Thing) -> None:
        for policy in self._listed("list_role_policies", "PolicyNames", thing.id):
            self._call("iam", "delete_role_policy", RoleName=thing.id, PolicyName=policy)
        for policy in self._listed("list_attached_role_policies", "AttachedPolicies", thing.id):
            self._call("iam", "detach_role_policy", RoleName=thing.id, PolicyArn=policy["PolicyArn"])
        self._call("iam", "delete_role", RoleName=thing.id)

    def _bucket(self, thing: Thing) -> None:
        keys = [{"Key": entry["Key"]} for entry in self.aws.list("s3", "list_objects_v2", "Contents", Bucket=thing.id)]
        for start in range(0, len(keys), MOST_AT_A_TIME):
            batch = {"Objects": keys[start : start + MOST_AT_A_TIME], "Quiet": True}
            with self.aws.explained("Removing (s3:delete_objects)"):
                errors = _delete_objects(self.aws.client("s3"), Bucket=thing.id, Delete=batch).get("Errors", [])
            if errors:
                first, more = errors[0], len(errors) - 1
                raise Ec2Error(f"{thing.id}: {first['Key']} and {more} more stay: {first['Message']}")
        self._call("s3", "delete_bucket", Bucket=thing.id)

    def _listed(self, operation: str, key: str, role: str) -> Iterable[Any]:
        try:
            return self.aws.list("iam", operation, key, RoleName=role)
        except Ec2Error as failure:
            if _is_gone(failure):
                return []
            raise

    def _call(self, service: str, operation: str, **parameters: Any) -> None:
        try:
            with self.aws.explained(f"Removing ({service}:{operation})"):
                getattr(self.aws.client(service), operation)(**parameters)
        except Ec2Error as failure:
            if not _is_gone(failure):
                raise


def _delete_objects(client: Any, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.delete_objects(**parameters)
    return answer


def _is_gone(failure: Ec2Error) -> bool:
    code = str(failure.details.get("code", ""))
    return any(part in code for part in _GONE)


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    """Write a rule from a group as EC2 takes it."""
    pair = {"GroupId": rule["source"]}
    if rule["description"]:
        pair["Description"] = rule["description"]
    permission: dict[str, Any] = {"IpProtocol": rule["protocol"], "UserIdGroupPairs": [pair]}
    for key, name in (("from_port", "FromPort"), ("to_port", "ToPort")):
        if rule[key] is not None:
            permission[name] = rule[key]
    return permission


def remove(aws: Aws, project: str, buckets: Sequence[str], timeout: float, check_mode: bool) -> dict[str, Any]:
    """Remove everything of a project, look again, and return what a module returns; raises Ec2Error with all problems.

    Its buckets are looked for on request, by their purpose, since that takes permissions that nobody else needs. In
    check mode, only say what would be removed.
    """
    found = _observed(aws, project, buckets)
    plan = plan_teardown(found, project)
    told = {
        "kept": [thing.shown() for thing in plan.kept],
        "foreign": list(plan.foreign),
        "filled": [row["name"] for row in found["buckets"] if row["filled"]],
    }
    if check_mode or not plan.going:
        return {"changed": bool(plan.going), "removed": [thing.shown() for thing in plan.going], "left": [], **told}
    remover = Remover(aws, timeout, min(timeout, PATIENCE))
    remover.run(plan)
    remaining = _left(partial(_observed, aws, project, buckets), project, plan, remover)
    there = {thing.id for thing in remaining}
    followed = [thing for thing in plan.following if thing.id not in there]
    left = [thing.shown() for thing in remaining]
    removed = [thing.shown() for thing in (*remover.removed, *followed)]
    if remover.problems or left:
        names = ", ".join(f"{row['kind']} {row['id']}" for row in left) or "nothing"
        message = f"Not everything could be removed. {' '.join(remover.problems)} Still there: {names}. Run again."
        raise Ec2Error(message, changed=bool(removed), problems=remover.problems, left=left, removed=removed, **told)
    return {"changed": True, "left": [], "removed": removed, **told}


def _observed(aws: Aws, project: str, buckets: Sequence[str]) -> dict[str, Any]:
    found = observe(aws, project)
    names = [f"{project.lower()}-{purpose}-{found['account']}-{aws.region}" for purpose in buckets]
    found["buckets"] = [row for name in names if (row := _bucket(aws, name))]
    return found


def _bucket(aws: Aws, name: str) -> dict[str, Any] | None:
    """Return a bucket with its tags, and whether there is something in it; None when there is no such bucket."""
    try:
        with aws.explained("Reading (s3:get_bucket_tagging)"):
            tags = aws.client("s3").get_bucket_tagging(Bucket=name)["TagSet"]
    except Ec2Error as failure:
        if failure.details.get("code") in ("NoSuchBucket", "404"):
            return None
        if failure.details.get("code") != "NoSuchTagSet":
            raise
        tags = []
    with aws.explained("Reading (s3:list_objects_v2)"):
        filled = aws.client("s3").list_objects_v2(Bucket=name, MaxKeys=1)["KeyCount"] > 0
    return {"name": name, "tags": {tag["Key"]: tag["Value"] for tag in tags}, "filled": filled}


def _left(look: Callable[[], dict[str, Any]], project: str, plan: Teardown, remover: Remover) -> list[Thing]:
    """Look again until nothing is left but what was to be kept; AWS may list what is gone for some seconds."""
    kept = {thing.id for thing in plan.kept}
    deadline = time.monotonic() + (0 if remover.problems else remover.patience)
    while True:
        again = plan_teardown(look(), project)
        left = [thing for thing in (*again.going, *again.fading, *again.kept) if thing.id not in kept]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(1)

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be removed of a project, in which order, and what stays because of others. Nothing here calls AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .client import Row

# What is in one wave depends on nothing in the same or a later one, and goes at the same time.
WAVES = (
    ("instance", "key pair"),
    ("Elastic IP address", "volume", "security group", "instance profile", "bucket"),
    ("internet gateway", "route table", "subnet", "role"),
    ("VPC",),
)
_NETWORK = ("security group", "internet gateway", "subnet", "route table", "VPC")


@dataclass(frozen=True)
class Thing:
    """Something of the project's: its kind, its id, its name, and how it was observed."""

    kind: str
    id: str
    name: str = ""
    vpc_ids: tuple[str, ...] = ()
    data: Row = field(default_factory=dict)

    def shown(self) -> dict[str, str]:
        """Return what a module returns of it."""
        return {"kind": self.kind, "id": self.id, "name": self.name}


@dataclass(frozen=True)
class Teardown:
    """Things that go, wave by wave; things that stay because others use them; and those others.

    `following` are volumes that end with their instance, and `fading` those that are being deleted. Nobody asks AWS to
    delete these: where a policy demands the project's tag, it may deny that for a volume that is gone.
    """

    waves: Sequence[Sequence[Thing]]
    kept: Sequence[Thing]
    foreign: Sequence[Row]
    following: Sequence[Thing] = ()
    fading: Sequence[Thing] = ()

    @property
    def going(self) -> list[Thing]:
        """Everything that goes, in order."""
        return [thing for wave in [*self.waves[:1], self.following, *self.waves[1:]] for thing in wave]


def plan_teardown(found: Mapping[str, Any], project: str) -> Teardown:
    """Order what was found. The network of a VPC in which something is not the project's stays for those others."""
    things = [thing for thing in _things(found) if _is_ours(thing, project)]
    strangers = [
        {
            "kind": thing.kind,
            "id": thing.id,
            "vpc_id": "",
            "why": f"has the project's name, but no tag Project={project}",
        }
        for thing in _things(found)
        if not _is_ours(thing, project)
    ]
    own = {thing.id for thing in things if thing.kind == "VPC"}
    held = {row["vpc_id"] for row in found.get("foreign", [])} & own
    kept = [thing for thing in things if thing.kind in _NETWORK and held & set(thing.vpc_ids)]
    fading = [thing for thing in things if thing.kind == "volume" and thing.data["state"] in ("deleting", "deleted")]
    ending = {thing.id for thing in things if thing.kind == "instance"}
    following = [
        thing
        for thing in things
        if thing.data.get("delete_on_termination") and thing.data["instance_id"] in ending and thing not in fading
    ]
    going = [thing for thing in things if thing not in [*kept, *fading, *following]]
    waves = [[thing for thing in going if thing.kind in kinds] for kinds in WAVES]
    return Teardown([wave for wave in waves if wave], kept, [*found.get("foreign", []), *strangers], following, fading)


def _is_ours(thing: Thing, project: str) -> bool:
    # Found by their names, since IAM and S3 cannot be asked for tags.
    return thing.kind not in ("instance profile", "role", "bucket") or thing.data["tags"].get("Project") == project


def _things(found: Mapping[str, Any]) -> Iterable[Thing]:
    for row in found.get("instances", []):
        yield Thing("instance", row["id"], row["name"], data=row)
    for row in found.get("key_pairs", []):
        yield Thing("key pair", row["name"], row["name"], data=row)
    for row in found.get("addresses", []):
        yield Thing("Elastic IP address", row["allocation_id"], row["public_ip"], data=row)
    for row in found.get("volumes", []):
        yield Thing("volume", row["id"], row["tags"].get("Name", ""), data=row)
    for row in found.get("security_groups", []):
        yield Thing("security group", row["id"], row["name"], (row["vpc_id"],), row)
    for row in found.get("internet_gateways", []):
        yield Thing("internet gateway", row["id"], row["tags"].get("Name", ""), tuple(row["vpc_ids"]), row)
    for row in found.get("subnets", []):
        yield Thing("subnet", row["id"], row["tags"].get("Name", ""), (row["vpc_id"],), row)
    for row in found.get("route_tables", []):
        if not row["main"]:
            yield Thing("route table", row["id"], row["tags"].get("Name", ""), (row["vpc_id"],), row)
    for row in found.get("vpcs", []):
        yield Thing("VPC", row["id"], row["tags"].get("Name", ""), (row["id"],), row)
    for row in found.get("buckets", []):
        yield Thing("bucket", row["name"], row["name"], data=row)
    for kind, key in (("instance profile", "instance_profile"), ("role", "role")):
        if found.get(key):
            yield Thing(kind, found[key]["name"], found[key]["name"], data=found[key])

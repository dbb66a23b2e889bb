# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances' part of a plan: launches, changes in place, and what needs a stop and so a permission."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .client import Row
from .context import LIVE, Context, architecture_of, type_problem
from .desired import Desired
from .plan import AFTERWARDS, MACHINES, POWER, Plan, plan_tags
from .ttl import has_expired

HOP_LIMIT = 1
_LOOSE = ("available", "creating")


def plan_instances(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context) -> None:
    """Plan every instance, its volumes and its address."""
    plan.problems.extend(context.image_problems)
    alive: dict[str, list[Row]] = {}
    for entry in found["instances"]:
        if entry["state"] in LIVE:
            alive.setdefault(entry["name"], []).append(entry)
    launching = False
    for instance in desired.instances:
        name = desired.full(instance["name"])
        same = alive.pop(name, [])
        if len(same) > 1:
            ids = ", ".join(sorted(entry["id"] for entry in same))
            plan.problems.append(
                f"{desired.variable('instances')}, instance {instance['name']}: {ids} all carry the name {name}. "
                "Terminate the ones that are not needed"
            )
        if same:
            _keep(plan, desired, found, context, instance, same[0])
        else:
            launching = True
            _launch(plan, desired, found, context, instance)
        _address(plan, desired, found, instance, same[0] if same else None)
    if launching and has_expired(desired.ttl, datetime.now(UTC)):
        plan.problems.append(
            f"{desired.variable('ttl')}: {desired.ttl} is past, so nothing is launched. Set a later one, or none"
        )
    for name, entries in sorted(alive.items()):
        for entry in entries:
            plan.differs(
                name or entry["id"],
                "instance",
                entry["state"],
                "not described",
                "terminating it, or playbooks/destroy.yml",
            )
    used = plan.known.get("volume", {}).values()
    for volume in found["volumes"]:
        if not volume["instance_id"] and volume["state"] in _LOOSE and volume["id"] not in used:
            name = volume["tags"].get("Name") or volume["id"]
            plan.differs(name, "volume", "attached to nothing", "not described", f"deleting {volume['id']} by hand")


def _launch(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context, instance: Row) -> None:
    name = desired.full(instance["name"])
    pinned = instance.get("subnet")
    subnets = [subnet for subnet in desired.subnets if not pinned or subnet["name"] == pinned]
    zones = [zone for subnet in subnets if (zone := _zone(desired, context, subnet))]
    if problem := type_problem(desired, context, instance, zones):
        plan.problems.append(problem)
        return
    image = context.images.get(instance["name"])
    if image is None:
        return
    where = f"{desired.variable('instances')}, instance {instance['name']}"
    root = instance["root_volume"]
    if root["size"] < image["root_size"]:
        plan.problems.append(
            f"{where}: root_volume.size {root['size']} is smaller than the {image['root_size']} GiB of its image"
        )
    offered = context.offers.get(instance["type"], frozenset())
    able = [subnet for subnet in subnets if not zones or _zone(desired, context, subnet) in offered]
    volumes = [{**root, "device": image["root_device"]}, *instance["volumes"]]
    sizes = " + ".join(f"{volume['size']} GiB" for volume in volumes)
    plan.step(
        MACHINES,
        "launch",
        f"Launch {name} ({instance['type']}, {image['name'] or image['id']}, {sizes})",
        name=name,
        type=instance["type"],
        image_id=image["id"],
        subnets=[subnet["name"] for subnet in able],
        # In a network of somebody else, its subnets say whether addresses are public.
        public_address=not desired.vpc_id,
        groups=list(instance["security_groups"]),
        key_name=desired.key_name if desired.with_key else "",
        profile=desired.profile if desired.with_profile else "",
        hop_limit=instance.get("metadata_hop_limit") or HOP_LIMIT,
        termination_protection=bool(instance.get("termination_protection")),
        user_data=instance.get("user_data") or "",
        volumes=volumes,
        tags=desired.instance_tags(instance),
        # Part of the idempotency token, so that an instance that was terminated is not meant again.
        ended=sorted(entry["id"] for entry in found["instances"] if entry["name"] == name),
    )


def _zone(desired: Desired, context: Context, subnet: Row) -> str:
    if desired.vpc_id:
        return next((each["availability_zone"] for each in context.subnets if each["id"] == subnet.get("id")), "")
    return str(subnet["availability_zone"])


def _keep(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context, instance: Row, entry: Row) -> None:
    name = desired.full(instance["name"])
    plan.knows("instance", name, entry["id"])
    groups = sorted(plan.id_of("group", group) for group in instance["security_groups"])
    if groups != entry["security_group_ids"]:
        says = f"Put {name} into the security groups {', '.join(instance['security_groups'])}"
        plan.step(MACHINES, "set_groups", says, id=entry["id"], groups=list(instance["security_groups"]))
    hops = instance.get("metadata_hop_limit") or HOP_LIMIT
    if entry["http_tokens"] != "required" or entry["hop_limit"] != hops:
        says = f"Require tokens for the metadata of {name}, {hops} hop(s) away"
        plan.step(MACHINES, "set_metadata", says, id=entry["id"], hop_limit=hops)
    protect = bool(instance.get("termination_protection"))
    if entry["termination_protection"] != protect:
        says = f"{'Protect' if protect else 'No longer protect'} {name} from termination"
        plan.step(MACHINES, "set_protection", says, id=entry["id"], protect=protect)
    if desired.with_profile and not entry["profile_arn"].endswith(f"/{desired.profile}"):
        if entry["profile_arn"]:
            plan.differs(name, "instance profile", entry["profile_arn"], desired.profile, "replacing it by hand")
        else:
            says = f"Give {name} the instance profile {desired.profile}"
            plan.step(MACHINES, "set_profile", says, id=entry["id"], profile=desired.profile)
    if desired.with_key and entry["key_name"] != desired.key_name:
        plan.differs(name, "key pair", entry["key_name"], desired.key_name, "launching the instance anew")
    pinned = instance.get("subnet")
    if pinned and plan.id_of("subnet", pinned) != entry["subnet_id"]:
        plan.differs(name, "subnet", entry["subnet_id"], pinned, "launching the instance anew")
    plan_tags(plan, name, entry, desired.instance_tags(instance))
    _volumes(plan, desired, found, instance, entry)
    _type(plan, desired, context, instance, entry)


def _type(plan: Plan, desired: Desired, context: Context, instance: Row, entry: Row) -> None:
    """Plan another type, which needs a stop; without permission it is drift. A stopped instance is started."""
    name = desired.full(instance["name"])
    stopped = entry["state"] in ("stopped", "stopping")
    if entry["type"] != instance["type"]:
        if not desired.allow_resize:
            plan.differs(name, "type", entry["type"], instance["type"], f"{desired.variable('allow_resize')}: true")
        elif problem := type_problem(desired, context, instance, [entry["availability_zone"]]):
            plan.problems.append(problem)
            return
        elif (
            entry["architecture"] and architecture_of(context.architectures[instance["type"]]) != entry["architecture"]
        ):
            plan.problems.append(
                f"{desired.variable('instances')}, instance {instance['name']}: {instance['type']} cannot run what was "
                f"installed for {entry['architecture']}. Choose another type for {entry['architecture']}"
            )
            return
        else:
            says = f"Stop {name}, make it a {instance['type']} instead of a {entry['type']}, and start it"
            plan.step(POWER, "resize", says, id=entry["id"], type=instance["type"], name=name)
            return
    if stopped:
        plan.step(POWER, "start", f"Start {name}", id=entry["id"], name=name)


def _volumes(plan: Plan, desired: Desired, found: Mapping[str, Any], instance: Row, entry: Row) -> None:
    name = desired.full(instance["name"])
    where = f"{desired.variable('instances')}, instance {instance['name']}"
    here = {volume["device"]: volume for volume in found["volumes"] if volume["instance_id"] == entry["id"]}
    for volume in [{**instance["root_volume"], "device": entry["root_device"]}, *instance["volumes"]]:
        device = volume["device"]
        tags = desired.instance_tags(instance)
        known = here.pop(device, None)
        if known is None:
            if device == entry["root_device"]:
                continue
            _new_volume(plan, found, name, entry, volume, {**tags, "Name": f"{name}-{device}"})
            continue
        # One that was added later keeps its own name, by which it is found when a run ends before it is attached.
        if known["tags"].get("Name") == f"{name}-{device}":
            tags = {**tags, "Name": f"{name}-{device}"}
        plan_tags(plan, f"the volume {device} of {name}", known, tags)
        if not known["encrypted"]:
            plan.differs(f"{name} {device}", "encryption", "none", "encrypted", "launching the instance anew")
        changes = {
            key: volume[key]
            for key in ("size", "type", "iops", "throughput")
            # What AWS tells as 0 is not known, and what is described as 0 is left to AWS.
            if volume.get(key) and known[key] and volume[key] != known[key]
        }
        if not changes:
            continue
        if "type" in changes:
            # All in one change: AWS allows the next after six hours.
            changes |= {key: volume[key] for key in ("iops", "throughput") if volume.get(key)}
        texts = {key: f"{known[key]} GiB" if key == "size" else str(known[key] or "none") for key in changes}
        if changes.get("size", known["size"]) < known["size"]:
            plan.differs(
                f"{name} {device}", "size", texts["size"], f"{changes['size']} GiB", "nothing: volumes only grow"
            )
        elif not desired.allow_resize:
            for key, value in changes.items():
                should = f"{value} GiB" if key == "size" else value
                plan.differs(f"{name} {device}", key, texts[key], should, f"{desired.variable('allow_resize')}: true")
        else:
            text = ", ".join(f"{key} {texts[key]} -> {value}" for key, value in changes.items())
            plan.step(
                MACHINES,
                "modify_volume",
                f"Change the volume {device} of {name}: {text}",
                id=known["id"],
                **{"changes": changes},
            )
    for device in sorted(here):
        plan.differs(f"{name} {device}", "volume", "attached", "not described", f"detaching it by hand ({where})")


def _new_volume(plan: Plan, found: Mapping[str, Any], name: str, entry: Row, volume: Row, tags: Row) -> None:
    """Add a volume to an instance that runs; one that a run created and did not attach is found by its name."""
    loose = next(
        (
            each
            for each in found["volumes"]
            if not each["instance_id"] and each["tags"].get("Name") == tags["Name"] and each["state"] in _LOOSE
        ),
        None,
    )
    if loose is None:
        says = f"Create a volume of {volume['size']} GiB for {name}"
        zone = entry["availability_zone"]
        plan.step(MACHINES, "create_volume", says, name=tags["Name"], zone=zone, volume=volume, tags=tags)
    else:
        plan.knows("volume", tags["Name"], loose["id"])
    says = f"Attach it to {name} as {volume['device']}"
    plan.step(AFTERWARDS, "attach_volume", says, name=tags["Name"], instance=name, device=volume["device"])


def _address(plan: Plan, desired: Desired, found: Mapping[str, Any], instance: Row, entry: Row | None) -> None:
    """Plan an Elastic IP address; it carries the instance's name and is found by it."""
    name = desired.full(instance["name"])
    known = next((each for each in found["addresses"] if each["tags"].get("Name") == name), None)
    if not instance.get("elastic_ip"):
        if known:
            plan.differs(name, "Elastic IP address", known["public_ip"], "not described", "releasing it by hand")
        return
    tags = desired.tags_of(name)
    if known is None:
        plan.step(MACHINES, "allocate_address", f"Allocate an Elastic IP address for {name}", name=name, tags=tags)
    else:
        plan.knows("address", name, known["allocation_id"])
        plan_tags(plan, f"the Elastic IP address of {name}", known, tags)
    if known is None or entry is None or known["instance_id"] != entry["id"]:
        says = f"Associate the Elastic IP address with {name}"
        plan.step(AFTERWARDS, "associate_address", says, name=name)

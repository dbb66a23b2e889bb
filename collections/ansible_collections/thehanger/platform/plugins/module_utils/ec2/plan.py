# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the project as it is to the project as it should be: steps in stages, nothing done.

A step is a dictionary: `action`, `stage`, `says` (the step in words) and what the action needs. Things that do not
exist yet are meant by name. Steps of one stage do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from .client import Row
from .context import POLICY_NAME, Context
from .desired import TTL_TAG, Desired
from .errors import nearest

ANYWHERE = "0.0.0.0/0"
# Power has a stage of its own, since much cannot be changed of an instance that is stopping.
CREATE, FILL, CONNECT, ROUTE, MACHINES, POWER, AFTERWARDS = range(1, 8)


@dataclass
class Plan:
    """Steps, what differs but is left as it is, problems that forbid to begin, and ids by kind and name."""

    steps: list[Row] = field(default_factory=list)
    drift: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def step(self, stage: int, action: str, says: str, **details: Any) -> None:
        """Add a step."""
        self.steps.append({"stage": stage, "action": action, "says": says, **details})

    def knows(self, kind: str, name: str, entry_id: str) -> None:
        """Remember the id of something that exists."""
        self.known.setdefault(kind, {})[name] = entry_id

    def id_of(self, kind: str, name: str) -> str:
        """Return the id of something that exists, or nothing."""
        return self.known.get(kind, {}).get(name, "")

    def differs(self, name: str, what: str, is_: Any, should: Any, apply_with: str) -> None:
        """Report a difference that this plan does not remove, with what would."""
        self.drift.append({"name": name, "what": what, "from": is_, "to": should, "apply_with": apply_with})


def plan_tags(plan: Plan, what: str, entry: Row, tags: Mapping[str, str]) -> None:
    """Bring tags in line; tags of others stay."""
    wrong = {key: value for key, value in tags.items() if entry["tags"].get(key) != value}
    entry_id = str(entry.get("id") or entry.get("allocation_id"))
    if wrong:
        says = f"Tag {what} with {', '.join(f'{key}={value}' for key, value in wrong.items())}"
        plan.step(MACHINES, "tag", says, id=entry_id, tags=wrong)
    if TTL_TAG in entry["tags"] and TTL_TAG not in tags:
        plan.step(MACHINES, "untag", f"Remove the tag {TTL_TAG} from {what}", id=entry_id, keys=[TTL_TAG])


def plan_network(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context) -> None:
    """Plan VPC, subnets, gateway and route, or check the ones that are there to be used."""
    if desired.vpc_id:
        _use_network(plan, desired, context)
        return
    name = desired.project
    vpc = _vpc(plan, desired, found, context)
    _subnets(plan, desired, found, context, vpc)
    gateways = [
        each for each in found["internet_gateways"] if not each["vpc_ids"] or (vpc and vpc["id"] in each["vpc_ids"])
    ]
    attached = [each for each in gateways if each["vpc_ids"]]
    gateway = next(iter([*attached, *gateways]), None)
    if gateway is None:
        plan.step(FILL, "create_gateway", "Create an internet gateway", tags=desired.tags_of(name))
    else:
        plan.knows("gateway", "", gateway["id"])
        plan_tags(plan, "the internet gateway", gateway, desired.tags_of(name))
    if gateway is None or not attached:
        plan.step(CONNECT, "attach_gateway", "Attach the internet gateway to the VPC")
    _route(plan, found, vpc, gateway)


def _vpc(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context) -> Row | None:
    variable = desired.variable("vpc_cidr")
    if len(found["vpcs"]) > 1:
        names = ", ".join(f"{vpc['id']} ({vpc['cidr']})" for vpc in found["vpcs"])
        plan.problems.append(
            f"{desired.variable('project')}: several VPCs carry the tag Project={desired.project}: {names}. "
            "Remove the tag from the one that is not the platform's, or choose another project"
        )
    vpc: Row | None = next(iter(found["vpcs"]), None)
    if vpc is None:
        mine = ip_network(desired.vpc_cidr)
        for other in context.vpcs:
            if mine.overlaps(ip_network(other["cidr"])):
                plan.warnings.append(
                    f"{variable}: {mine} overlaps {other['cidr']} of {other['id']}; the two can never be peered. "
                    "Choose another range if they should be"
                )
        says = f"Create the VPC {desired.project} ({desired.vpc_cidr})"
        plan.step(CREATE, "create_vpc", says, cidr=desired.vpc_cidr, tags=desired.tags_of(desired.project))
        plan.step(FILL, "name_hosts", "Give names to the VPC's addresses")
        return None
    plan.knows("vpc", "", vpc["id"])
    if vpc["cidr"] != desired.vpc_cidr:
        plan.problems.append(
            f"{variable}: the project's VPC {vpc['id']} has {vpc['cidr']}, not {desired.vpc_cidr}, and AWS cannot "
            f"change that. Set {variable}: {vpc['cidr']}, or destroy the platform first"
        )
    if not vpc["dns_hostnames"]:
        plan.step(FILL, "name_hosts", "Give names to the VPC's addresses")
    plan_tags(plan, "the VPC", vpc, desired.tags_of(desired.project))
    return vpc


def _subnets(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context, vpc: Row | None) -> None:
    here = [subnet for subnet in found["subnets"] if vpc and subnet["vpc_id"] == vpc["id"]]
    for subnet in desired.subnets:
        full = desired.full(subnet["name"])
        where = f"{desired.variable('subnets')}, subnet {subnet['name']}"
        known = next((each for each in here if each["tags"].get("Name") == full), None)
        zone = subnet["availability_zone"]
        if known is None:
            if context.zones and zone not in context.zones:
                near = nearest(zone, context.zones)
                plan.problems.append(f"{where}: {desired.region} has no availability zone {zone}.{near}")
            says = f"Create the subnet {full} ({subnet['cidr']} in {zone})"
            tags = desired.tags_of(full)
            plan.step(FILL, "create_subnet", says, name=subnet["name"], cidr=subnet["cidr"], zone=zone, tags=tags)
            continue
        plan.knows("subnet", subnet["name"], known["id"])
        for what, is_, should in (
            ("range", known["cidr"], subnet["cidr"]),
            ("availability zone", known["availability_zone"], zone),
        ):
            if is_ != should:
                plan.differs(
                    full, f"{what} of the subnet", is_, should, "nothing: AWS cannot change it; use a new name"
                )
        plan_tags(plan, f"the subnet {full}", known, desired.tags_of(full))


def _route(plan: Plan, found: Mapping[str, Any], vpc: Row | None, gateway: Row | None) -> None:
    """Route in the VPC's own table, which cannot be orphaned; a table that somebody gave a subnet is left alone."""
    tables = [table for table in found["route_tables"] if vpc and table["vpc_id"] == vpc["id"]]
    main = next((table for table in tables if table["main"]), None)
    if main:
        plan.knows("route_table", "", main["id"])
        route = next((each for each in main["routes"] if each["destination"] == ANYWHERE), None)
        if gateway and route and route["gateway_id"] == gateway["id"]:
            return
        if route:
            says = f"Replace the VPC's default route through {route['gateway_id'] or 'nothing'}"
            plan.step(ROUTE, "replace_route", f"{says} by the internet gateway")
            return
    plan.step(ROUTE, "create_route", "Route to the internet through the gateway")


def _use_network(plan: Plan, desired: Desired, context: Context) -> None:
    variable = desired.variable("vpc_id")
    ids = [vpc["id"] for vpc in context.vpcs]
    if desired.vpc_id not in ids:
        plan.problems.append(
            f"{variable}: {desired.region} has no VPC {desired.vpc_id}.{nearest(desired.vpc_id, ids)} "
            "List them with: aws ec2 describe-vpcs"
        )
        return
    plan.knows("vpc", "", desired.vpc_id)
    there = {subnet["id"]: subnet for subnet in context.subnets}
    for subnet in desired.subnets:
        where = f"{desired.variable('subnets')}, subnet {subnet['name']}"
        known = there.get(subnet["id"])
        if known is None:
            plan.problems.append(
                f"{where}: the VPC {desired.vpc_id} has no subnet {subnet['id']}.{nearest(subnet['id'], there)}"
            )
            continue
        plan.knows("subnet", subnet["name"], known["id"])
        zone = subnet.get("availability_zone")
        if zone and zone != known["availability_zone"]:
            plan.problems.append(f"{where}: {subnet['id']} is in {known['availability_zone']}, not in {zone}")


def plan_groups(plan: Plan, desired: Desired, found: Mapping[str, Any]) -> None:
    """Plan security groups and their rules: exactly the ones described, nothing else stays open."""
    vpc_id = plan.id_of("vpc", "")
    here = {group["name"]: group for group in found["security_groups"] if group["vpc_id"] == vpc_id}
    for group in desired.groups:
        if known := here.get(desired.full(group["name"])):
            plan.knows("group", group["name"], known["id"])
    names = {plan.id_of("group", group["name"]): group["name"] for group in desired.groups}
    for group in desired.groups:
        full = desired.full(group["name"])
        known = here.get(full)
        if known is None:
            says = f"Create the security group {full}"
            tags = desired.tags_of(full)
            details = {"name": group["name"], "full": full, "description": group["description"], "tags": tags}
            plan.step(FILL, "create_group", says, **details)
        else:
            plan_tags(plan, f"the security group {full}", known, desired.tags_of(full))
            if known["description"] != group["description"]:
                should = group["description"]
                plan.differs(full, "description", known["description"], should, "nothing: AWS cannot change it")
        has = [_named(rule, names) for rule in known["rules"]] if known else []
        revoke = [rule for rule in has if rule not in group["rules"]]
        authorize = [rule for rule in group["rules"] if rule not in has]
        if revoke or authorize:
            says = f"Change the rules of {full}: " + "; ".join(
                [*(f"close {rule_text(rule)}" for rule in revoke), *(f"open {rule_text(rule)}" for rule in authorize)]
            )
            plan.step(CONNECT, "change_rules", says, name=group["name"], revoke=revoke, authorize=authorize)
    described = {desired.full(group["name"]) for group in desired.groups}
    for name in sorted(set(here) - described):
        plan.differs(name, "security group", "there", "not described", "deleting it by hand once nothing uses it")


def _named(rule: Row, names: Mapping[str, str]) -> Row:
    """Return an observed rule in the words of the options: a group of ours by its name."""
    group = names.get(rule["source"], "")
    return {
        "protocol": rule["protocol"],
        "from_port": rule["from_port"],
        "to_port": rule["to_port"],
        "source": "" if group else rule["source"],
        "group": group,
        "description": rule["description"],
    }


def rule_text(rule: Row) -> str:
    """Return a rule in words."""
    first, last = rule["from_port"], rule["to_port"]
    ports = "" if first in (None, -1) else f" {first}" if first == last else f" {first}-{last}"
    protocol = "everything" if rule["protocol"] == "-1" else rule["protocol"]
    return f"{protocol}{ports} from {rule['source'] or rule['group']}"


def plan_key(plan: Plan, desired: Desired, context: Context, key_exists: bool, public_key: str) -> None:
    """Plan the key pair; refuses one whose private key is not here or is another."""
    if not desired.with_key:
        return
    variable = desired.variable("private_key_path")
    if context.key_pair is None:
        says = f"Import the public key as {desired.key_name}"
        plan.step(CREATE, "import_key", says, name=desired.key_name, tags=desired.tags_of(desired.key_name))
        return
    if not key_exists:
        plan.problems.append(
            f"{variable}: EC2 has the key pair {desired.key_name}, but there is no private key at "
            f"{desired.private_key_path}. Copy it there from the computer that built the platform, or choose another "
            f"{desired.variable('key_name')}"
        )
    elif public_key and context.key_public and _material(public_key) != _material(context.key_public):
        plan.problems.append(
            f"{variable}: {desired.private_key_path} does not belong to the key pair {desired.key_name} of EC2. "
            f"Set the path of the right key, or choose another {desired.variable('key_name')}"
        )
    if context.key_pair["tags"].get("Project") == desired.project:
        tags = desired.tags_of(desired.key_name)
        plan_tags(plan, f"the key pair {desired.key_name}", context.key_pair, tags)


def _material(public_key: str) -> list[str]:
    return public_key.split()[:2]


def plan_profile(plan: Plan, desired: Desired, found: Mapping[str, Any], context: Context) -> None:
    """Plan the instances' role and profile, where they need one."""
    if not desired.with_profile:
        return
    name, tags = desired.profile, desired.tags_of(desired.profile)
    if found["role"] is None:
        plan.step(CREATE, "create_role", f"Create the role {name} for the instances", name=name, tags=tags)
    document = {"Version": "2012-10-17", "Statement": list(desired.policy)}
    if found["role"] is None or context.policy != document:
        says = f"Allow the role {name} what its policy says"
        plan.step(FILL, "put_role_policy", says, name=name, policy=POLICY_NAME, document=document)
    profile = found["instance_profile"]
    if profile is None:
        plan.step(FILL, "create_profile", f"Create the instance profile {name}", name=name, tags=tags)
    if profile is None or name not in profile["roles"]:
        plan.step(CONNECT, "fill_profile", f"Put the role into the instance profile {name}", name=name)

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project as it should be: a module's options in one shape, for the checks and the plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from itertools import islice
from typing import Any

from .client import Row
from .observe import profile_name

TTL_TAG = "hanger_ttl"
VOLUME_DEFAULTS = {"type": "gp3", "iops": 0, "throughput": 0}
_PORTS = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class Desired:
    """What the options ask for. Names of groups, instances and subnets are those of the options."""

    project: str
    region: str
    tags: Mapping[str, str]
    ttl: str
    vpc_id: str
    vpc_cidr: str
    subnets: Sequence[Row]
    groups: Sequence[Row]
    admin_cidrs: Sequence[str]
    admin_from_anywhere: bool
    services: Sequence[Row]
    services_open: bool
    access: str
    key_name: str
    private_key_path: str
    policy: Sequence[Row]
    images: Mapping[str, Row]
    image: str
    type_list: str
    type_lists: Sequence[str]
    instances: Sequence[Row]
    allow_resize: bool
    prefix: str = field(default="")

    @property
    def with_key(self) -> bool:
        """Whether instances get a key pair."""
        return self.access == "ssh"

    @property
    def with_profile(self) -> bool:
        """Whether instances get an instance profile: only when somebody needs what it allows."""
        return bool(self.policy)

    @property
    def profile(self) -> str:
        """The name of the instance profile and of its role."""
        return profile_name(self.project, self.region)

    def variable(self, name: str) -> str:
        """Return the variable of an option as its user knows it."""
        return f"{self.prefix}{name}"

    def full(self, name: str) -> str:
        """Return a name as it stands in EC2."""
        return f"{self.project}-{name}"

    def image_of(self, instance: Row) -> str:
        """Return the name of an instance's image."""
        return str(instance.get("image") or self.image)

    def tags_of(self, name: str, **more: str) -> dict[str, str]:
        """Return the tags of something with a name."""
        return {**self.tags, "Name": name, **more}

    def instance_tags(self, instance: Row) -> dict[str, str]:
        """Return an instance's tags; the inventory reads groups and login from them."""
        login = str(self.images.get(self.image_of(instance), {}).get("login") or "admin")
        own = {"hanger_roles": ",".join(instance["hanger_roles"]), "hanger_login": login}
        return {**self.tags_of(self.full(instance["name"]), **own), **(instance.get("tags") or {})}


def read_desired(options: Mapping[str, Any], region: str, admin_cidrs: Sequence[str]) -> Desired:
    """Bring a module's options into shape; fills in what follows from others, checks nothing."""
    tags = {str(key): str(value) for key, value in (options["tags"] or {}).items()}
    types = (options["instance_types"] or {}).get(options["type_list"], {})
    instances = [
        {
            **instance,
            "type": instance.get("type") or types.get(instance["name"], ""),
            "root_volume": _volume(instance["root_volume"]),
            "volumes": [_volume(volume) for volume in instance.get("volumes") or []],
        }
        for instance in options["instances"]
    ]
    return Desired(
        project=options["project"],
        region=region,
        tags={**tags, "Project": options["project"], **({TTL_TAG: options["ttl"]} if options["ttl"] else {})},
        ttl=options["ttl"],
        vpc_id=options["vpc_id"],
        vpc_cidr=options["vpc_cidr"],
        subnets=_subnets(options),
        groups=_groups(options, admin_cidrs),
        admin_cidrs=[_canonical(each) for each in admin_cidrs],
        admin_from_anywhere=options["admin_from_anywhere"],
        services=options["services"] or [],
        services_open=options["services_open"],
        access=options["access"],
        key_name=options["key_name"],
        private_key_path=options["private_key_path"],
        policy=options["profile_policy"] or [],
        images=options["images"] or {},
        image=options["image"],
        type_list=options["type_list"],
        type_lists=sorted(options["instance_types"] or {}),
        instances=instances,
        allow_resize=options["allow_resize"],
        prefix=options["variable_prefix"],
    )


def needs_admins(options: Mapping[str, Any]) -> bool:
    """Tell whether any rule admits the administrators' addresses."""
    rules = (rule for group in options["security_groups"] for rule in group.get("rules") or [])
    return any(rule.get("admins") for rule in rules) or bool(options["services_open"] and options["services"])


def _subnets(options: Mapping[str, Any]) -> list[Row]:
    """Give subnets without a range one of their own: a /24 where the VPC is large enough, else a quarter of it."""
    subnets = [dict(subnet) for subnet in options["subnets"]]
    if options["vpc_id"]:
        return subnets
    try:
        vpc = ip_network(options["vpc_cidr"])
    except ValueError:
        return subnets
    blocks = list(islice(vpc.subnets(new_prefix=min(max(24, vpc.prefixlen + 2), vpc.max_prefixlen)), len(subnets)))
    for subnet, block in zip(subnets, blocks, strict=False):
        subnet["cidr"] = subnet.get("cidr") or str(block)
    return subnets


def _groups(options: Mapping[str, Any], admin_cidrs: Sequence[str]) -> list[Row]:
    """Spell out each group's rules: one for each range of ports and source."""
    groups = []
    for group in options["security_groups"]:
        rules = [*(group.get("rules") or [])]
        if options["services_open"]:
            rules += [
                {"proto": "tcp", "ports": [service["port"]], "admins": True, "description": service["name"]}
                for service in options["services"] or []
                if service["security_group"] == group["name"]
            ]
        spelled = [row for rule in rules for row in _rule(rule, admin_cidrs)]
        unique = {
            (row["protocol"], row["from_port"], row["to_port"], row["source"], row["group"]): row for row in spelled
        }
        groups.append({"name": group["name"], "description": group["description"], "rules": list(unique.values())})
    return groups


def _rule(rule: Row, admin_cidrs: Sequence[str]) -> list[Row]:
    protocol = {"all": "-1"}.get(rule.get("proto") or "tcp", rule.get("proto") or "tcp")
    ranges = [ports_of(str(ports)) for ports in rule.get("ports") or []] or [(None, None)]
    if protocol in ("icmp", "icmpv6") and ranges == [(None, None)]:
        ranges = [(-1, -1)]
    sources = [*(rule.get("cidrs") or []), *(admin_cidrs if rule.get("admins") else [])]
    targets = [(_canonical(source), "") for source in sources] + ([("", rule["group"])] if rule.get("group") else [])
    return [
        {
            "protocol": protocol,
            "from_port": first,
            "to_port": last,
            "source": source,
            "group": group,
            "description": rule.get("description") or "",
        }
        for first, last in ranges
        for source, group in targets
    ]


def _canonical(source: str) -> str:
    """Spell a range as AWS does, so that it can be compared; what is none is left to the checks."""
    try:
        return str(ip_network(source)) if "/" in source else source
    except ValueError:
        return source


def ports_of(text: str) -> tuple[int | None, int | None]:
    """Read a port or a range of ports; one that is neither gives an impossible range, for the checks to refuse."""
    match = _PORTS.fullmatch(text.strip())
    if match is None:
        return (-2, -2)
    return int(match[1]), int(match[2] or match[1])


def _volume(volume: Row) -> Row:
    return {**VOLUME_DEFAULTS, **{key: value for key, value in volume.items() if value not in (None, "")}}

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told from the options alone: every problem names its variable, what is wrong, and what to write instead.

All problems are collected, so that they can be mended in one go.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from .client import Row
from .desired import Desired
from .errors import nearest
from .ttl import expiry

_ONE_ADDRESS = {4: 32, 6: 128}
# A range with a shorter prefix is more of the world than anybody can mean; each version's private ones may be admitted.
_WIDE = {4: 8, 6: 16}
_LOCAL = IPv6Network("fc00::/7")


def problems_of(desired: Desired) -> list[str]:
    """Return everything that is wrong with the options."""
    return [
        *_ranges(desired),
        *_names(desired),
        *_rules(desired),
        *_services(desired),
        *_instances(desired),
        *_key(desired),
        *(f"{desired.variable('ttl')}: {problem}" for problem in [ttl_problem(desired.ttl)] if problem),
    ]


def cidr_problem(text: str) -> str:
    """Say what is wrong with an address range and how to write it; nothing when it is right."""
    try:
        ip_network(text)
    except ValueError as error:
        try:
            address = ip_address(text)
            return f"{text!r} is no range: write {address}/{_ONE_ADDRESS[address.version]} for this one address"
        except ValueError:
            pass
        if "/" not in text or "host bits" not in str(error):
            return f"{text!r} is no range of addresses such as 203.0.113.7/32"
        loose = ip_network(text, strict=False)
        one = f"{text.partition('/')[0]}/{loose.max_prefixlen}"
        return f"{text!r} has bits set behind its prefix: write {loose} for the whole range or {one} for one address"
    else:
        return "" if "/" in text else f"{text!r} is no range: write {text}/{ip_network(text).prefixlen}"


def ttl_problem(ttl: str) -> str:
    """Say what is wrong with a ttl; nothing when it is right or empty."""
    try:
        if ttl:
            expiry(ttl)
    except ValueError:
        return f"{ttl!r} is no date such as 2026-12-31 and no time in UTC such as 2026-12-31T18:00:00Z"
    return ""


def _ranges(desired: Desired) -> list[str]:
    found = [
        f"{desired.variable('admin_cidrs')}: {problem}"
        for each in desired.admin_cidrs
        if (problem := cidr_problem(each))
    ]
    if desired.vpc_id:
        return found + _existing_network(desired)
    variable = desired.variable("vpc_cidr")
    if problem := cidr_problem(desired.vpc_cidr):
        return [*found, f"{variable}: {problem}"]
    vpc = ip_network(desired.vpc_cidr)
    if not isinstance(vpc, IPv4Network) or not 16 <= vpc.prefixlen <= 28:
        return [*found, f"{variable}: {vpc} is not between /16 and /28, the sizes that AWS allows"]
    placed: dict[str, IPv4Network | IPv6Network] = {}
    for subnet in desired.subnets:
        name, where = subnet["name"], f"{desired.variable('subnets')}, subnet {subnet['name']}"
        if subnet.get("id"):
            found.append(f"{where}: it names the id of an existing subnet, so set {desired.variable('vpc_id')} as well")
            continue
        if problem := cidr_problem(str(subnet.get("cidr") or "")):
            found.append(f"{where}: {problem}")
            continue
        network = ip_network(subnet["cidr"])
        if not isinstance(network, IPv4Network) or not network.subnet_of(vpc):
            found.append(f"{where}: {network} is outside {vpc}, which {variable} says")
        elif network.prefixlen > 28:
            found.append(f"{where}: {network} is smaller than /28, the smallest that AWS allows")
        for other, range_ in placed.items():
            if network.version == range_.version and network.overlaps(range_):
                found.append(f"{where}: {network} overlaps {range_} of the subnet {other}")
        if not subnet.get("availability_zone"):
            found.append(f"{where}: availability_zone is missing")
        placed[name] = network
    return found


def _existing_network(desired: Desired) -> list[str]:
    return [
        f"{desired.variable('subnets')}, subnet {subnet['name']}: id is missing. In an existing VPC "
        f"({desired.variable('vpc_id')} is {desired.vpc_id}) every subnet names an existing one"
        for subnet in desired.subnets
        if not subnet.get("id")
    ]


def _names(desired: Desired) -> list[str]:
    lists = {"subnets": desired.subnets, "security_groups": desired.groups, "instances": desired.instances}
    found = [
        f"{desired.variable(option)}: {name} is there {count} times; every name must be unique"
        for option, entries in lists.items()
        for name, count in Counter(entry["name"] for entry in entries).items()
        if count > 1
    ]
    return found if desired.subnets else [*found, f"{desired.variable('subnets')}: at least one subnet is needed"]


def _rules(desired: Desired) -> list[str]:
    names = [group["name"] for group in desired.groups]
    variable = desired.variable("security_groups")
    found = []
    for group in desired.groups:
        where = f"{variable}, group {group['name']}"
        for rule in group["rules"]:
            if rule["group"] and rule["group"] not in names:
                found.append(
                    f"{where}: a rule names the group {rule['group']}, which nobody defines."
                    f"{nearest(rule['group'], names)}"
                )
            if (
                rule["source"]
                and rule["source"] not in desired.admin_cidrs
                and (problem := cidr_problem(rule["source"]))
            ):
                found.append(f"{where}: {problem}")
            first, last = rule["from_port"], rule["to_port"]
            if first is not None and first != -1 and not 0 <= first <= last <= 65535:
                found.append(f"{where}: ports are numbers from 0 to 65535, or ranges such as 8000-8010")
            if _is_wide(rule["source"]) and not desired.admin_from_anywhere:
                found.append(
                    f"{where}: {rule['source']} would open port {first} to the whole world. Name your own addresses in "
                    f"{desired.variable('admin_cidrs')}, or set {desired.variable('admin_from_anywhere')}: true "
                    "if you really mean it"
                )
    return list(dict.fromkeys(found))


def _is_wide(source: str) -> bool:
    try:
        network = ip_network(source)
    except ValueError:
        return False
    local = isinstance(network, IPv6Network) and network.subnet_of(_LOCAL)
    return network.prefixlen < _WIDE[network.version] and not local


def _services(desired: Desired) -> list[str]:
    names = [group["name"] for group in desired.groups]
    return [
        f"{desired.variable('services')}, service {service['name']}: nobody defines the group "
        f"{service['security_group']}.{nearest(service['security_group'], names)}"
        for service in desired.services
        if service["security_group"] not in names
    ]


def _instances(desired: Desired) -> list[str]:
    groups = [group["name"] for group in desired.groups]
    subnets = [subnet["name"] for subnet in desired.subnets]
    found = []
    for instance in desired.instances:
        where = f"{desired.variable('instances')}, instance {instance['name']}"
        found += [
            f"{where}: nobody defines the security group {name}.{nearest(name, groups)}"
            for name in instance["security_groups"]
            if name not in groups
        ]
        if instance.get("subnet") and instance["subnet"] not in subnets:
            found.append(
                f"{where}: nobody defines the subnet {instance['subnet']}.{nearest(instance['subnet'], subnets)}"
            )
        if not instance["type"]:
            found.append(
                f"{where}: it has no type, and {desired.variable('instance_types')} has none for this name in the list "
                f"{desired.type_list!r}. There are the lists {', '.join(desired.type_lists) or '(none)'}"
            )
        if desired.image_of(instance) not in desired.images:
            name = desired.image_of(instance)
            found.append(
                f"{where}: {desired.variable('images')} has no image {name}.{nearest(name, desired.images)} "
                "Describe an AMI of your own there: {name: {id: ami-..., login: ...}}"
            )
        found += _volumes(where, instance)
    return found


def _volumes(where: str, instance: Row) -> Iterable[str]:
    devices = Counter(volume.get("device") for volume in instance["volumes"])
    yield from (f"{where}: two volumes have the device {device}" for device, count in devices.items() if count > 1)
    for volume in [instance["root_volume"], *instance["volumes"]]:
        if not 1 <= int(volume.get("size") or 0) <= 65536:
            yield f"{where}: a volume's size is between 1 and 65536 GiB, not {volume.get('size')}"


def _key(desired: Desired) -> list[str]:
    path = Path(desired.private_key_path).expanduser()
    if not desired.with_key or not path.exists():
        return []
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return [
            f"{desired.variable('private_key_path')}: others may read {path} (mode {mode:04o}), so SSH refuses it. "
            f"Run: chmod 600 {path}"
        ]
    return []

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a project's tag, read with few calls at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from . import shapes
from .client import Aws, Row, filters, tags_of, together
from .errors import Ec2Error

ALIVE = ("pending", "running", "stopping", "stopped", "shutting-down")
# Of what AWS makes itself with a VPC, and removes with it.
_OWN_INTERFACES = ("interface", "efa")

Reading = Callable[[], Any]


def profile_name(project: str, region: str) -> str:
    """Return the name of the project's role and instance profile; IAM knows no regions, hence the region in it."""
    return f"{project}-{region}"


def observe(aws: Aws, project: str, foreign: bool = True) -> dict[str, Any]:
    """Return what carries the tag Project=<project> in the region, and on request what else is in its networks."""
    tagged = {"tag:Project": project}
    ec2 = partial(aws.list, "ec2")
    name = profile_name(project, aws.region)
    first = together(
        {
            "account": partial(_account, aws),
            "vpcs": partial(ec2, "describe_vpcs", "Vpcs", Filters=filters(tagged)),
            "subnets": partial(ec2, "describe_subnets", "Subnets", Filters=filters(tagged)),
            "gateways": partial(ec2, "describe_internet_gateways", "InternetGateways", Filters=filters(tagged)),
            "tables": partial(ec2, "describe_route_tables", "RouteTables", Filters=filters(tagged)),
            "groups": partial(ec2, "describe_security_groups", "SecurityGroups", Filters=filters(tagged)),
            "keys": partial(ec2, "describe_key_pairs", "KeyPairs", Filters=filters(tagged)),
            "reservations": partial(
                ec2, "describe_instances", "Reservations", Filters=filters({**tagged, "instance-state-name": ALIVE})
            ),
            "volumes": partial(ec2, "describe_volumes", "Volumes", Filters=filters(tagged)),
            "addresses": partial(ec2, "describe_addresses", "Addresses", Filters=filters(tagged)),
            "profile": partial(_identity, aws, "get_instance_profile", "InstanceProfile", InstanceProfileName=name),
            "role": partial(_identity, aws, "get_role", "Role", RoleName=name),
        }
    )
    instances = [entry for reservation in first["reservations"] for entry in reservation["Instances"]]
    vpc_ids = sorted(vpc["VpcId"] for vpc in first["vpcs"])
    named = {vpc_id: partial(_names_hosts, aws, vpc_id) for vpc_id in vpc_ids}
    second = together({**_protections(aws, instances), **named, **_networks(aws, vpc_ids, foreign)})
    tables = {table["RouteTableId"]: table for table in [*first["tables"], *second.get("tables", [])]}
    found: dict[str, Any] = {
        "account": first["account"],
        "region": aws.region,
        "vpcs": [{**shapes.vpc(entry), "dns_hostnames": second[entry["VpcId"]]} for entry in first["vpcs"]],
        "subnets": [shapes.subnet(entry) for entry in first["subnets"]],
        "internet_gateways": [shapes.internet_gateway(entry) for entry in first["gateways"]],
        "route_tables": [
            shapes.route_table(entry)
            for entry in tables.values()
            if tags_of(entry).get("Project") == project or shapes.is_main(entry)
        ],
        "security_groups": [shapes.security_group(entry) for entry in first["groups"]],
        "key_pairs": [shapes.key_pair(entry) for entry in first["keys"]],
        "instances": [shapes.instance(entry, second[entry["InstanceId"]]) for entry in instances],
        "volumes": [shapes.volume(entry) for entry in first["volumes"]],
        "addresses": [shapes.address(entry) for entry in first["addresses"]],
        "instance_profile": shapes.instance_profile(first["profile"]),
        "role": shapes.role(first["role"]),
        "foreign": [],
    }
    if foreign:
        found["foreign"] = _foreign(project, second)
    return found


def _account(aws: Aws) -> str:
    with aws.explained("Asking who we are (sts:GetCallerIdentity)"):
        return str(aws.client("sts").get_caller_identity()["Account"])


def _identity(aws: Aws, operation: str, key: str, **parameters: str) -> Row | None:
    try:
        with aws.explained(f"Reading (iam:{operation})"):
            entry: Row = getattr(aws.client("iam"), operation)(**parameters)[key]
            return entry
    except Ec2Error as failure:
        if failure.details.get("code") == "NoSuchEntity":
            return None
        raise


def _names_hosts(aws: Aws, vpc_id: str) -> bool:
    with aws.explained("Reading (ec2:describe_vpc_attribute)"):
        answer = aws.client("ec2").describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")
    return bool(answer["EnableDnsHostnames"]["Value"])


def _protections(aws: Aws, instances: Sequence[Row]) -> dict[str, Reading]:
    return {entry["InstanceId"]: partial(_protection, aws, entry["InstanceId"]) for entry in instances}


def _protection(aws: Aws, instance_id: str) -> bool:
    try:
        with aws.explained("Reading (ec2:describe_instance_attribute)"):
            answer = aws.client("ec2").describe_instance_attribute(
                InstanceId=instance_id, Attribute="disableApiTermination"
            )
    except Ec2Error as failure:
        # It was terminated since it was listed.
        if failure.details.get("code") == "InvalidInstanceID.NotFound":
            return False
        raise
    return bool(answer.get("DisableApiTermination", {}).get("Value", False))


def _networks(aws: Aws, vpc_ids: Sequence[str], foreign: bool) -> dict[str, Reading]:
    if not vpc_ids:
        return {}
    ec2 = partial(aws.list, "ec2")
    inside = filters({"vpc-id": vpc_ids})
    readings: dict[str, Reading] = {
        "tables": partial(ec2, "describe_route_tables", "RouteTables", Filters=inside),
    }
    if foreign:
        readings |= {
            "subnets": partial(ec2, "describe_subnets", "Subnets", Filters=inside),
            "gateways": partial(
                ec2,
                "describe_internet_gateways",
                "InternetGateways",
                Filters=filters({"attachment.vpc-id": vpc_ids}),
            ),
            "groups": partial(ec2, "describe_security_groups", "SecurityGroups", Filters=inside),
            "reservations": partial(
                ec2,
                "describe_instances",
                "Reservations",
                Filters=[*inside, *filters({"instance-state-name": ALIVE})],
            ),
            "interfaces": partial(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=inside),
            "endpoints": partial(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=inside),
            "nat": partial(
                ec2,
                "describe_nat_gateways",
                "NatGateways",
                Filter=[*inside, *filters({"state": ["pending", "available"]})],
            ),
            "peerings": partial(
                ec2,
                "describe_vpc_peering_connections",
                "VpcPeeringConnections",
                Filters=filters({"requester-vpc-info.vpc-id": vpc_ids, "status-code": ["active", "provisioning"]}),
            ),
        }
    return readings


def _foreign(project: str, read: dict[str, Any]) -> list[Row]:
    """Name what lies in the project's networks without its tag and is not made by AWS with the network."""

    def stranger(entry: Row) -> bool:
        return tags_of(entry).get("Project") != project

    rows: list[Row] = []

    def add(kind: str, entry_id: str, vpc_id: str, why: str) -> None:
        rows.append({"kind": kind, "id": entry_id, "vpc_id": vpc_id, "why": why})

    untagged = f"without the tag Project={project}"
    instances = [entry for reservation in read.get("reservations", []) for entry in reservation["Instances"]]
    for entry in filter(stranger, instances):
        add("instance", entry["InstanceId"], entry["VpcId"], untagged)
    for entry in filter(stranger, read.get("subnets", [])):
        add("subnet", entry["SubnetId"], entry["VpcId"], untagged)
    for entry in filter(stranger, read.get("gateways", [])):
        add("internet gateway", entry["InternetGatewayId"], entry["Attachments"][0]["VpcId"], untagged)
    for entry in filter(stranger, read.get("tables", [])):
        if not shapes.is_main(entry):
            add("route table", entry["RouteTableId"], entry["VpcId"], untagged)
    for entry in filter(stranger, read.get("groups", [])):
        if entry["GroupName"] != "default":
            add("security group", entry["GroupId"], entry["VpcId"], untagged)
    for entry in filter(stranger, read.get("endpoints", [])):
        add("VPC endpoint", entry["VpcEndpointId"], entry["VpcId"], untagged)
    for entry in filter(stranger, read.get("nat", [])):
        add("NAT gateway", entry["NatGatewayId"], entry["VpcId"], untagged)
    for entry in read.get("peerings", []):
        add("peering", entry["VpcPeeringConnectionId"], entry["RequesterVpcInfo"]["VpcId"], "peered with another VPC")
    ours = {entry["InstanceId"] for entry in instances}
    for entry in read.get("interfaces", []):
        attached = (entry.get("Attachment") or {}).get("InstanceId")
        if attached not in ours and stranger({"Tags": entry.get("TagSet")}):
            service = entry.get("InterfaceType", "interface") not in _OWN_INTERFACES
            why = f"belongs to a service of AWS: {entry.get('Description', '')}" if service else "not attached by us"
            add("network interface", entry["NetworkInterfaceId"], entry["VpcId"], why)
    return rows

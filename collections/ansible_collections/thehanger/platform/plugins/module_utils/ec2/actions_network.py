# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that make a network: VPC, subnets, gateway, route, security groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from .client import ClientError, Row
from .errors import Ec2Error
from .run import Run, code_of, fine, tagging


def create_vpc(run: Run, step: Row) -> None:
    """Create the VPC; its own route table comes with it."""
    vpc = run.ec2.create_vpc(CidrBlock=step["cidr"], TagSpecifications=tagging("vpc", step["tags"]))["Vpc"]
    run.remember("vpc", "", vpc["VpcId"])
    run.remember("route_table", "", _main_table(run, vpc["VpcId"]))


def _main_table(run: Run, vpc_id: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
    for _attempt in range(20):
        tables = run.ec2.describe_route_tables(Filters=filters)["RouteTables"]
        if tables:
            return str(tables[0]["RouteTableId"])
        time.sleep(0.5)
    raise Ec2Error(f"The VPC {vpc_id} has no route table of its own after ten seconds. Run again.")


def name_hosts(run: Run, step: Row) -> None:
    """Let addresses have names."""
    vpc_id = run.id_of("vpc")
    run.eventually(run.ec2.modify_vpc_attribute, VpcId=vpc_id, EnableDnsHostnames={"Value": True})


def create_subnet(run: Run, step: Row) -> None:
    """Create a subnet."""
    answer = run.eventually(
        run.ec2.create_subnet,
        VpcId=run.id_of("vpc"),
        CidrBlock=step["cidr"],
        AvailabilityZone=step["zone"],
        TagSpecifications=tagging("subnet", step["tags"]),
    )
    run.remember("subnet", step["name"], answer["Subnet"]["SubnetId"])


def create_gateway(run: Run, step: Row) -> None:
    """Create the internet gateway."""
    answer = run.ec2.create_internet_gateway(TagSpecifications=tagging("internet-gateway", step["tags"]))
    run.remember("gateway", "", answer["InternetGateway"]["InternetGatewayId"])


def attach_gateway(run: Run, step: Row) -> None:
    """Attach it to the VPC."""
    with fine("Resource.AlreadyAssociated"):
        run.eventually(run.ec2.attach_internet_gateway, InternetGatewayId=run.id_of("gateway"), VpcId=run.id_of("vpc"))


def create_route(run: Run, step: Row) -> None:
    """Add the default route."""
    run.eventually(run.ec2.create_route, **_default_route(run))


def replace_route(run: Run, step: Row) -> None:
    """Change the default route."""
    run.eventually(run.ec2.replace_route, **_default_route(run))


def _default_route(run: Run) -> Row:
    table = run.id_of("route_table")
    return {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": run.id_of("gateway")}


def create_group(run: Run, step: Row) -> None:
    """Create a security group, still closed."""
    answer = run.eventually(
        run.ec2.create_security_group,
        VpcId=run.id_of("vpc"),
        GroupName=step["full"],
        Description=step["description"],
        TagSpecifications=tagging("security-group", step["tags"]),
    )
    run.remember("group", step["name"], answer["GroupId"])


def change_rules(run: Run, step: Row) -> None:
    """Close and open what a group admits."""
    group = run.id_of("group", step["name"])
    revoke, authorize = (_permissions(run, step[key]) for key in ("revoke", "authorize"))
    _change(run, run.ec2.revoke_security_group_ingress, group, revoke, "InvalidPermission.NotFound")
    _change(run, run.ec2.authorize_security_group_ingress, group, authorize, "InvalidPermission.Duplicate")


def _change(run: Run, call: Callable[..., Any], group: str, permissions: list[Row], done: str) -> None:
    """Change all rules with one call; AWS refuses all for one that is `done`, so then they are changed one by one."""
    if not permissions:
        return
    try:
        run.eventually(call, GroupId=group, IpPermissions=permissions)
    except ClientError as failure:
        if code_of(failure) != done:
            raise
        for permission in permissions:
            with fine(done):
                run.eventually(call, GroupId=group, IpPermissions=[permission])


def _permissions(run: Run, rules: Iterable[Row]) -> list[Row]:
    permissions = []
    for rule in rules:
        about = {"Description": rule["description"]} if rule["description"] else {}
        permission: Row = {"IpProtocol": rule["protocol"]}
        if rule["from_port"] is not None:
            permission |= {"FromPort": rule["from_port"], "ToPort": rule["to_port"]}
        source = rule["source"]
        if rule["group"] or source.startswith("sg-"):
            group_id = run.id_of("group", rule["group"]) if rule["group"] else source
            permission["UserIdGroupPairs"] = [{"GroupId": group_id, **about}]
        elif source.startswith("pl-"):
            permission["PrefixListIds"] = [{"PrefixListId": source, **about}]
        elif ":" in source:
            permission["Ipv6Ranges"] = [{"CidrIpv6": source, **about}]
        else:
            permission["IpRanges"] = [{"CidrIp": source, **about}]
        permissions.append(permission)
    return permissions

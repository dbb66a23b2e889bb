# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's answers as the plain dictionaries that plans and playbooks read."""

from __future__ import annotations

from .client import Row, tags_of


def vpc(entry: Row) -> Row:
    """Shape a VPC."""
    return {"id": entry["VpcId"], "cidr": entry["CidrBlock"], "tags": tags_of(entry)}


def subnet(entry: Row) -> Row:
    """Shape a subnet."""
    return {
        "id": entry["SubnetId"],
        "vpc_id": entry["VpcId"],
        "cidr": entry["CidrBlock"],
        "availability_zone": entry["AvailabilityZone"],
        "tags": tags_of(entry),
    }


def internet_gateway(entry: Row) -> Row:
    """Shape an internet gateway."""
    return {
        "id": entry["InternetGatewayId"],
        "vpc_ids": [attachment["VpcId"] for attachment in entry.get("Attachments") or []],
        "tags": tags_of(entry),
    }


def is_main(entry: Row) -> bool:
    """Tell whether a route table is its VPC's main one."""
    return any(association.get("Main") for association in entry.get("Associations") or [])


def route_table(entry: Row) -> Row:
    """Shape a route table; the route within the VPC is left out."""
    routes = [
        {
            "destination": route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock") or "",
            "gateway_id": route.get("GatewayId") or route.get("NatGatewayId") or "",
        }
        for route in entry.get("Routes") or []
        if route.get("GatewayId") != "local"
    ]
    subnets = [link["SubnetId"] for link in entry.get("Associations") or [] if link.get("SubnetId")]
    return {
        "id": entry["RouteTableId"],
        "vpc_id": entry["VpcId"],
        "main": is_main(entry),
        "routes": routes,
        "subnet_ids": subnets,
        "tags": tags_of(entry),
    }


def security_group(entry: Row) -> Row:
    """Shape a security group: an ingress rule for each source."""
    rules = []
    for permission in entry.get("IpPermissions") or []:
        sources = [
            *((each["CidrIp"], each) for each in permission.get("IpRanges") or []),
            *((each["CidrIpv6"], each) for each in permission.get("Ipv6Ranges") or []),
            *((each["GroupId"], each) for each in permission.get("UserIdGroupPairs") or []),
            *((each["PrefixListId"], each) for each in permission.get("PrefixListIds") or []),
        ]
        rules += [
            {
                "protocol": permission["IpProtocol"],
                "from_port": permission.get("FromPort"),
                "to_port": permission.get("ToPort"),
                "source": source,
                "description": each.get("Description", ""),
            }
            for source, each in sources
        ]
    return {
        "id": entry["GroupId"],
        "name": entry["GroupName"],
        "vpc_id": entry.get("VpcId", ""),
        "description": entry.get("Description", ""),
        "rules": rules,
        "tags": tags_of(entry),
    }


def key_pair(entry: Row) -> Row:
    """Shape a key pair."""
    return {
        "id": entry.get("KeyPairId", ""),
        "name": entry["KeyName"],
        "tags": tags_of(entry),
    }


def instance(entry: Row, termination_protection: bool) -> Row:
    """Shape an instance; its name is that of its tag."""
    tags = tags_of(entry)
    metadata = entry.get("MetadataOptions") or {}
    return {
        "id": entry["InstanceId"],
        "name": tags.get("Name", ""),
        "state": entry["State"]["Name"],
        "type": entry["InstanceType"],
        "image_id": entry.get("ImageId", ""),
        "architecture": entry.get("Architecture", ""),
        "availability_zone": entry.get("Placement", {}).get("AvailabilityZone", ""),
        "subnet_id": entry.get("SubnetId", ""),
        "vpc_id": entry.get("VpcId", ""),
        "private_ip": entry.get("PrivateIpAddress", ""),
        "public_ip": entry.get("PublicIpAddress", ""),
        "security_group_ids": sorted(group["GroupId"] for group in entry.get("SecurityGroups") or []),
        "key_name": entry.get("KeyName", ""),
        "profile_arn": (entry.get("IamInstanceProfile") or {}).get("Arn", ""),
        "http_tokens": metadata.get("HttpTokens", ""),
        "hop_limit": metadata.get("HttpPutResponseHopLimit", 0),
        "termination_protection": termination_protection,
        "root_device": entry.get("RootDeviceName", ""),
        "tags": tags,
    }


def volume(entry: Row) -> Row:
    """Shape a volume; `device` and `instance_id` are empty when it is attached to nothing."""
    attachment = (entry.get("Attachments") or [{}])[0]
    return {
        "id": entry["VolumeId"],
        "size": entry["Size"],
        "type": entry.get("VolumeType", ""),
        "iops": entry.get("Iops", 0),
        "throughput": entry.get("Throughput", 0),
        "encrypted": bool(entry.get("Encrypted", False)),
        "state": entry.get("State", ""),
        "instance_id": attachment.get("InstanceId", ""),
        "device": attachment.get("Device", ""),
        "delete_on_termination": bool(attachment.get("DeleteOnTermination", False)),
        "tags": tags_of(entry),
    }


def address(entry: Row) -> Row:
    """Shape an Elastic IP address."""
    return {
        "allocation_id": entry["AllocationId"],
        "public_ip": entry["PublicIp"],
        "instance_id": entry.get("InstanceId") or "",
        "tags": tags_of(entry),
    }


def instance_profile(entry: Row | None) -> Row | None:
    """Shape an instance profile."""
    if entry is None:
        return None
    return {
        "name": entry["InstanceProfileName"],
        "arn": entry["Arn"],
        "roles": [each["RoleName"] for each in entry.get("Roles") or []],
        "tags": tags_of(entry),
    }


def role(entry: Row | None) -> Row | None:
    """Shape a role."""
    if entry is None:
        return None
    return {"name": entry["RoleName"], "tags": tags_of(entry)}

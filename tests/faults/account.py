"""All that stands in the lab's account and in its engine, told without ids, so that two builds can be compared."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from hanger_lab.config import Lab
from hanger_lab.ec2.faults import USER_AGENT
from hanger_lab.ec2.fleet import INSTANCE_LABEL
from hanger_lab.machines import Engine
from hanger_lab.machines.model import LAB_LABEL

GONE = ("terminated", "shutting-down")
Row = dict[str, Any]


class Account:
    """The lab's account and the machines behind it, seen from outside: what it asks is not in the journals."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.engine = Engine.connect(lab)
        facts = json.loads(lab.facts.read_text())["ec2"]
        session = boto3.Session(facts["access_key"], facts["secret_key"], region_name=facts["region"])
        config = Config(user_agent=USER_AGENT, proxies={})
        self.ec2, self.iam = (
            session.client(name, endpoint_url=facts["endpoint_url"], config=config) for name in ("ec2", "iam")
        )

    @property
    def journal(self) -> Path:
        """The calls that may have changed something, one a line."""
        return self.lab.directory / "ec2" / "writes.log"

    def writes(self) -> list[str]:
        """Return the calls that may have changed something, in order."""
        return self.journal.read_text().split() if self.journal.exists() else []

    def instances(self) -> dict[str, Row]:
        """Return the instances that are not terminated by their Name."""
        found = [row for page in self.ec2.describe_instances()["Reservations"] for row in page["Instances"]]
        return {_tags(row).get("Name", row["InstanceId"]): row for row in found if row["State"]["Name"] not in GONE}

    def machine(self, name: str) -> str:
        """Return the name of the machine behind an instance."""
        return f"{self.engine.prefix}{self.instances()[name]['InstanceId']}"

    def describe(self) -> dict[str, list[Row]]:
        """Return all that stands beside the account's default VPC, sorted, with names instead of ids."""
        raw = self._raw()
        default = {vpc["VpcId"] for vpc in raw["Vpcs"] if vpc["IsDefault"]}
        names = _names(raw)
        return {
            kind: sorted((_plain(row, names) for row in rows if row.get("VpcId") not in default), key=json.dumps)
            for kind, rows in raw.items()
        }

    def untagged(self, project: str) -> list[str]:
        """Return what does not carry the project's tag; what AWS makes with a VPC cannot."""
        return [
            f"{kind}: {row}"
            for kind, rows in self.describe().items()
            for row in rows
            if not (kind == "RouteTables" or row.get("GroupName") == "default")
            and row.get("Tags", {}).get("Project") != project
        ]

    def orphans(self) -> list[str]:
        """Return what hangs in the air: gateways and addresses without a use, machines without an instance, …"""
        raw, expected = self._raw(), {row["InstanceId"] for row in self.instances().values()}
        found = [
            *(f"gateway {row['InternetGatewayId']}" for row in raw["InternetGateways"] if not row["Attachments"]),
            *(f"address {row['PublicIp']}" for row in raw["Addresses"] if not row.get("InstanceId")),
            *(f"volume {row['VolumeId']}" for row in raw["Volumes"] if not row["Attachments"]),
            *(f"profile {row['InstanceProfileName']}" for row in raw["InstanceProfiles"] if not row["Roles"]),
        ]
        label = {"label": f"{LAB_LABEL}={self.lab.id}"}
        client, prefix = self.engine.client, self.engine.prefix
        containers = client.containers.list(all=True, filters=label)
        machines = {container.labels.get(INSTANCE_LABEL, container.name) for container in containers}
        vpcs = {row["VpcId"] for row in raw["Vpcs"]}
        networks = {network.name.removeprefix(prefix) for network in client.networks.list(filters=label)}
        disks = {disk.name.removeprefix(prefix).removesuffix("-docker") for disk in client.volumes.list(filters=label)}
        found += [f"machine {name}" for name in sorted(machines - expected)]
        found += [f"instance {name} without a machine" for name in sorted(expected - machines)]
        found += [f"network {name}" for name in sorted(networks - vpcs - {"services"})]
        found += [f"engine volume {name}" for name in sorted(disks - expected)]
        return found

    def _raw(self) -> dict[str, list[Row]]:
        ec2, iam = self.ec2, self.iam
        return {
            "Vpcs": ec2.describe_vpcs()["Vpcs"],
            "Subnets": ec2.describe_subnets()["Subnets"],
            "InternetGateways": ec2.describe_internet_gateways()["InternetGateways"],
            "RouteTables": ec2.describe_route_tables()["RouteTables"],
            "SecurityGroups": ec2.describe_security_groups()["SecurityGroups"],
            "KeyPairs": ec2.describe_key_pairs()["KeyPairs"],
            "Instances": list(self.instances().values()),
            "Volumes": ec2.describe_volumes()["Volumes"],
            "Addresses": ec2.describe_addresses()["Addresses"],
            "Roles": [iam.get_role(RoleName=row["RoleName"])["Role"] for row in iam.list_roles()["Roles"]],
            "InstanceProfiles": [
                iam.get_instance_profile(InstanceProfileName=row["InstanceProfileName"])["InstanceProfile"]
                for row in iam.list_instance_profiles()["InstanceProfiles"]
            ],
        }


def this_lab() -> Lab:
    """Return the lab that the environment names."""
    return Lab.from_environment(os.environ)


# What differs between two builds of the same: ids that nothing names, addresses, times, fingerprints.
_DIFFERENT = {
    *("Arn", "AssociationId", "AttachmentId", "CreateDate", "AttachTime", "CreateTime", "LaunchTime", "OwnerId"),
    *("ClientToken", "MacAddress", "NetworkInterfaceId", "OwnerId", "PrivateDnsName", "PrivateIpAddress", "RoleId"),
    *("PublicDnsName", "PublicIp", "PublicIpAddress", "ReservationId", "RouteTableAssociationId", "RequesterId"),
    *("AllocationId", "KeyFingerprint", "KeyPairId", "InstanceProfileId", "PrivateIpAddresses", "SubnetArn", "Id"),
    *("SecurityGroupArn", "UsageOperationUpdateTime", "StateTransitionReason", "AmiLaunchIndex", "RoleLastUsed"),
    *("AvailableIpAddressCount", "SourceDestCheck", "Association", "PublicIpv4Pool", "DhcpOptionsId"),
}


def _names(raw: Mapping[str, list[Row]]) -> dict[str, str]:
    """Return a name for every id that others may hold."""
    names = {row["VpcId"]: row["CidrBlock"] for row in raw["Vpcs"]}
    names |= {row["SubnetId"]: row["CidrBlock"] for row in raw["Subnets"]}
    names |= {row["InternetGatewayId"]: "gateway" for row in raw["InternetGateways"]}
    names |= {row["RouteTableId"]: "table" for row in raw["RouteTables"]}
    names |= {row["GroupId"]: row["GroupName"] for row in raw["SecurityGroups"]}
    names |= {row["InstanceId"]: _tags(row).get("Name", "instance") for row in raw["Instances"]}
    names |= {row["VolumeId"]: "volume" for row in raw["Volumes"]}
    return names


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        kept = {key: entry for key, entry in value.items() if key not in _DIFFERENT}
        plain = {key: _plain(entry, names) for key, entry in kept.items()}
        if "Tags" in plain:
            plain["Tags"] = _tags(value)
        return plain
    if isinstance(value, list):
        return sorted((_plain(entry, names) for entry in value), key=lambda entry: json.dumps(entry, default=str))
    return names.get(value, value) if isinstance(value, str) else value


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    tags: Iterable[Row] = row.get("Tags") or []
    return {tag["Key"]: tag["Value"] for tag in tags}

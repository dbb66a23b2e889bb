"""What an instance's metadata service knows: a tree of names and texts, made from the API's books at each question."""

from __future__ import annotations

import base64
import hmac
import json
import string
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends

from hanger_lab.machines.model import mac_address

Tree = dict[str, Any]
IAM_PARTITION = "aws"
CREDENTIALS_LAST = timedelta(hours=6)
CREDENTIALS_CHANGE = timedelta(hours=1)
TIME = "%Y-%m-%dT%H:%M:%SZ"
_BASE32 = string.ascii_uppercase + "234567"


class PublicKeys(dict[str, Any]):
    """The one directory whose listing shows a name beside each number."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__({"0": {"openssh-key": key}})
        self.name = name


def tree(instance: Any, secret: bytes, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Tree:
    """Return everything under `/latest/` of an instance; `secret` makes its temporary credentials."""
    found: Tree = {
        "dynamic": {"instance-identity": {"document": _identity_document(instance)}},
        "meta-data": _meta_data(instance, secret, now()),
    }
    if instance.user_data:
        found["user-data"] = base64.b64decode(str(instance.user_data))
    return found


def look_up(found: Tree, path: str) -> bytes | None:
    """Return the text at a path or the listing of a directory, None for what does not exist."""
    place: Any = found
    words = path.strip("/").split("/") if path.strip("/") else []
    for word in words:
        if not isinstance(place, dict) or word not in place:
            return None
        place = place[word]
    if isinstance(place, dict):
        return "\n".join(_listing(place)).encode()
    if path.endswith("/"):
        return None
    return place if isinstance(place, bytes) else str(place).encode()


def _listing(directory: dict[str, Any]) -> Iterable[str]:
    if isinstance(directory, PublicKeys):
        return [f"0={directory.name}"]
    if "meta-data" in directory:
        return sorted(directory)
    return [f"{name}/" if isinstance(value, dict) else name for name, value in sorted(directory.items())]


def _meta_data(instance: Any, secret: bytes, now: datetime) -> Tree:
    backend, interface = instance.ec2_backend, instance.nics[0]
    mac = mac_address(instance.private_ip)
    groups = [group.name for group in interface.group_set]
    found: Tree = {
        "ami-id": instance.image_id,
        "ami-launch-index": str(instance.ami_launch_index),
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": {"ami": instance.root_device_name, "root": instance.root_device_name},
        "hostname": instance.private_dns_name,
        "instance-action": "none",
        "instance-id": instance.id,
        "instance-life-cycle": "on-demand",
        "instance-type": instance.instance_type,
        "local-hostname": instance.private_dns_name,
        "local-ipv4": instance.private_ip,
        "mac": mac,
        "network": {"interfaces": {"macs": {mac: _interface(instance, interface, mac, groups)}}},
        "placement": _placement(instance, backend),
        "profile": "default-hvm",
        "reservation-id": _reservation_id(instance),
        "security-groups": "\n".join(groups),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "system": "nitro",
    }
    if instance.public_ip:
        found |= {"public-hostname": instance.public_dns_name or "", "public-ipv4": instance.public_ip}
    key = backend.key_pairs.get(instance.key_name)
    if key:
        found["public-keys"] = PublicKeys(instance.key_name, key.public_key.strip())
    if iam := _iam(instance, secret, now):
        found["iam"] = iam
    if instance.metadata_options.instance_metadata_tags == "enabled":
        found["tags"] = {"instance": {tag["key"]: tag["value"] for tag in instance.get_tags()}}
    return found


def _interface(instance: Any, interface: Any, mac: str, groups: list[str]) -> Tree:
    backend, subnet = instance.ec2_backend, interface.subnet
    vpc = backend.get_vpc(subnet.vpc_id)
    found: Tree = {
        "device-number": "0",
        "interface-id": interface.id,
        "local-hostname": instance.private_dns_name,
        "local-ipv4s": instance.private_ip,
        "mac": mac,
        "owner-id": backend.account_id,
        "security-group-ids": "\n".join(group.id for group in interface.group_set),
        "security-groups": "\n".join(groups),
        "subnet-id": subnet.id,
        "subnet-ipv4-cidr-block": subnet.cidr_block,
        "vpc-id": vpc.id,
        "vpc-ipv4-cidr-block": vpc.cidr_block,
        "vpc-ipv4-cidr-blocks": "\n".join(block["cidr_block"] for block in vpc.cidr_block_association_set),
    }
    if instance.public_ip:
        found |= {
            "ipv4-associations": {instance.public_ip: instance.private_ip},
            "public-hostname": instance.public_dns_name or "",
            "public-ipv4s": instance.public_ip,
        }
    return found


def _placement(instance: Any, backend: Any) -> Tree:
    subnet = instance.nics[0].subnet
    return {
        "availability-zone": instance.placement.zone,
        "availability-zone-id": str(subnet.availability_zone_id),
        "region": backend.region_name,
    }


def _reservation_id(instance: Any) -> str:
    reservations = list(instance.ec2_backend.reservations.values())
    return next((each.id for each in reservations if instance in each.instances), "")


def _identity_document(instance: Any) -> str:
    document = {
        "accountId": instance.ec2_backend.account_id,
        "architecture": instance.architecture,
        "availabilityZone": instance.placement.zone,
        "billingProducts": None,
        "devpayProductCodes": None,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "kernelId": None,
        "marketplaceProductCodes": None,
        "pendingTime": instance.launch_time.strftime(TIME),
        "privateIp": instance.private_ip,
        "ramdiskId": None,
        "region": instance.ec2_backend.region_name,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _iam(instance: Any, secret: bytes, now: datetime) -> Tree:
    profile = _profile(instance)
    if profile is None:
        return {}
    since = _changed(now)
    info = {
        "Code": "Success",
        "LastUpdated": since.strftime(TIME),
        "InstanceProfileArn": profile.arn,
        "InstanceProfileId": profile.id,
    }
    roles = {
        role.name: json.dumps(_credentials(instance, role.name, secret, since), indent=2) for role in profile.roles
    }
    return {"info": json.dumps(info, indent=2), "security-credentials": dict(roles)}


def role_credentials(instance: Any, secret: bytes, now: datetime) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yield the roles of an instance with each of their credentials that holds now, as the service tells them."""
    profile = _profile(instance)
    since = _changed(now)
    while profile is not None and since + CREDENTIALS_LAST > now:
        for role in profile.roles:
            yield role, _credentials(instance, role.name, secret, since)
        since -= CREDENTIALS_CHANGE


def _changed(now: datetime) -> datetime:
    """Return when the credentials that are told now were new."""
    return datetime.fromtimestamp(now.timestamp() // CREDENTIALS_CHANGE.seconds * CREDENTIALS_CHANGE.seconds, UTC)


def _profile(instance: Any) -> Any:
    arn = (instance.iam_instance_profile or {}).get("Arn")
    profiles = list(iam_backends[instance.ec2_backend.account_id][IAM_PARTITION].instance_profiles.values())
    return next((profile for profile in profiles if profile.arn == arn), None)


def _credentials(instance: Any, role: str, secret: bytes, since: datetime) -> dict[str, str]:
    """Return credentials in the shape of real ones. They open S3, as far as the role's policies go."""

    def made(purpose: str) -> bytes:
        return hmac.digest(secret, f"{purpose} {instance.id} {role} {since}".encode(), "sha512")

    return {
        "Code": "Success",
        "LastUpdated": since.strftime(TIME),
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIA" + "".join(_BASE32[byte % 32] for byte in made("key")[:16]),
        "SecretAccessKey": base64.b64encode(made("secret")[:30]).decode(),
        "Token": base64.b64encode(made("token") * 4).decode(),
        "Expiration": (since + CREDENTIALS_LAST).strftime(TIME),
    }

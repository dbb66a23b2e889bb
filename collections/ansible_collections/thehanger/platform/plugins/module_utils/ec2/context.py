# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan needs to know beyond the project's own things; read only where there is something to create."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import shapes
from .client import Aws, Row, filters, tags_of, together
from .desired import Desired
from .errors import Ec2Error
from .observe import Reading

POLICY_NAME = "platform"
LIVE = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True)
class Context:
    """Facts about the account and the region. `images` are by instance, `offers` are zones by type."""

    vpcs: Sequence[Row] = ()
    subnets: Sequence[Row] = ()
    zones: Sequence[str] = ()
    key_pair: Row | None = None
    key_public: str = ""
    policy: Row | None = None
    architectures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    offers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    images: Mapping[str, Row] = field(default_factory=dict)
    image_problems: Sequence[str] = ()


def missing_instances(desired: Desired, found: Mapping[str, Any]) -> list[Row]:
    """Return the instances that do not exist yet, or no longer."""
    alive = {instance["name"] for instance in found["instances"] if instance["state"] in LIVE}
    return [instance for instance in desired.instances if desired.full(instance["name"]) not in alive]


def types_to_ask(desired: Desired, found: Mapping[str, Any]) -> list[str]:
    """Return the types that an instance is to be launched with or changed to."""
    alive = {entry["name"]: entry["type"] for entry in found["instances"] if entry["state"] in LIVE}
    return sorted({each["type"] for each in desired.instances if alive.get(desired.full(each["name"])) != each["type"]})


def read_context(aws: Aws, desired: Desired, found: Mapping[str, Any]) -> Context:
    """Read what planning needs; an instance type or an image that does not exist is left to the plan to tell."""
    ec2 = partial(aws.list, "ec2")
    missing, types = missing_instances(desired, found), types_to_ask(desired, found)
    readings: dict[str, Reading] = {}
    if desired.vpc_id or not found["vpcs"]:
        readings["vpcs"] = partial(ec2, "describe_vpcs", "Vpcs")
    if desired.vpc_id:
        readings["subnets"] = partial(ec2, "describe_subnets", "Subnets", Filters=filters({"vpc-id": [desired.vpc_id]}))
    elif len(found["subnets"]) < len(desired.subnets):
        readings["zones"] = partial(ec2, "describe_availability_zones", "AvailabilityZones")
    if desired.with_key:
        named = filters({"key-name": desired.key_name})
        readings["keys"] = partial(ec2, "describe_key_pairs", "KeyPairs", Filters=named, IncludePublicKey=True)
    if desired.with_profile and found["role"]:
        readings["policy"] = partial(_policy, aws, desired.profile)
    if types:
        asked = filters({"instance-type": types})
        readings["types"] = partial(ec2, "describe_instance_types", "InstanceTypes", Filters=asked)
        readings["offers"] = partial(
            ec2,
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=asked,
        )
    read = together(readings)
    architectures = {
        entry["InstanceType"]: entry["ProcessorInfo"]["SupportedArchitectures"] for entry in read.get("types", [])
    }
    offers: dict[str, set[str]] = {}
    for entry in read.get("offers", []):
        offers.setdefault(entry["InstanceType"], set()).add(entry["Location"])
    images, problems = _images(aws, desired, missing, architectures)
    key = next(iter(read.get("keys", [])), None)
    return Context(
        vpcs=[shapes.vpc(entry) for entry in read.get("vpcs", [])],
        subnets=[shapes.subnet(entry) for entry in read.get("subnets", [])],
        zones=[entry["ZoneName"] for entry in read.get("zones", []) if entry.get("State") == "available"],
        key_pair=shapes.key_pair(key) if key else None,
        key_public=str((key or {}).get("PublicKey") or ""),
        policy=read.get("policy"),
        architectures=architectures,
        offers={name: frozenset(zones) for name, zones in offers.items()},
        images=images,
        image_problems=problems,
    )


def architecture_of(supported: Sequence[str]) -> str:
    """Return the architecture that a type's image needs."""
    return "x86_64" if "x86_64" in supported or not supported else supported[0]


def _policy(aws: Aws, name: str) -> Row | None:
    try:
        with aws.explained("Reading (iam:get_role_policy)"):
            answer = aws.client("iam").get_role_policy(RoleName=name, PolicyName=POLICY_NAME)
    except Ec2Error as failure:
        if failure.details.get("code") == "NoSuchEntity":
            return None
        raise
    document: Row = answer["PolicyDocument"]
    return document


def _images(
    aws: Aws, desired: Desired, missing: Sequence[Row], architectures: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Row], list[str]]:
    """Find each missing instance's image; images that several share are looked up once."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for instance in missing:
        if instance["type"] in architectures:
            architecture = architecture_of(architectures[instance["type"]])
            wanted.setdefault((desired.image_of(instance), architecture), []).append(instance["name"])
    answers = together({f"{name} {arch}": partial(_image, aws, desired, name, arch) for name, arch in wanted})
    images: dict[str, Row] = {}
    problems: list[str] = []
    for (name, architecture), instances in wanted.items():
        answer = answers[f"{name} {architecture}"]
        if isinstance(answer, str):
            who = ", ".join(instances)
            problems.append(f"{desired.variable('images')}, image {name} (for {who}): {answer}")
        else:
            images |= dict.fromkeys(instances, answer)
    return images, problems


def _image(aws: Aws, desired: Desired, name: str, architecture: str) -> Row | str:
    """Return an image, or what is wrong with its description."""
    image = desired.images[name]
    spelling = (image.get("architectures") or {}).get(architecture, architecture)
    image_id = str(image.get("id") or "")
    if image.get("ssm_parameter"):
        parameter = str(image["ssm_parameter"]).format(arch=spelling)
        found = _parameter(aws, parameter)
        if not found:
            return (
                f"{aws.region} has no SSM parameter {parameter}. "
                "Correct ssm_parameter, or describe the image by owner and name"
            )
        image_id = found
    if image_id:
        entries = _describe(aws, {"image-id": image_id}, [])
        if not entries:
            return (
                f"{aws.region} has no image {image_id}. An AMI id belongs to one region and may be withdrawn: "
                "correct its id, or choose an image by owner and name"
            )
    else:
        pattern = str(image["name"]).format(arch=spelling)
        by = {"name": pattern, "architecture": architecture, "state": "available"}
        entries = _describe(aws, by, [str(image["owner"])])
        if not entries:
            return (
                f"{aws.region} has no {architecture} image {pattern} of owner {image['owner']}. Correct owner or name"
            )
    newest = max(entries, key=lambda entry: str(entry.get("CreationDate", "")))
    if newest["Architecture"] != architecture:
        return (
            f"{newest['ImageId']} is for {newest['Architecture']}, but the instance type needs {architecture}. "
            f"Choose another image, or a type for {newest['Architecture']}"
        )
    disks = {disk.get("DeviceName"): disk.get("Ebs") or {} for disk in newest.get("BlockDeviceMappings") or []}
    root = str(newest.get("RootDeviceName") or "/dev/xvda")
    size = int(disks.get(root, {}).get("VolumeSize") or 0)
    return {
        "id": newest["ImageId"],
        "name": newest.get("Name", ""),
        "root_device": root,
        "root_size": size,
        "tags": tags_of(newest),
    }


def _describe(aws: Aws, by: Mapping[str, str], owners: Sequence[str]) -> list[Row]:
    more: Row = {"Owners": list(owners)} if owners else {}
    return aws.list("ec2", "describe_images", "Images", Filters=filters(by), **more)


def _parameter(aws: Aws, name: str) -> str:
    try:
        with aws.explained("Reading (ssm:get_parameter)"):
            return str(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except Ec2Error as failure:
        if failure.details.get("code") == "ParameterNotFound":
            return ""
        raise


def type_problem(desired: Desired, context: Context, instance: Row, zones: Sequence[str]) -> str:
    """Say why an instance's type cannot be had in any of the zones; nothing when it can."""
    kind = instance["type"]
    where = f"{desired.variable('instances')}, instance {instance['name']}"
    if kind not in context.architectures:
        return f"{where}: {desired.region} has no instance type {kind}. List them with: aws ec2 describe-instance-types"
    offered = sorted(context.offers.get(kind, frozenset()))
    if zones and not set(zones) & set(offered):
        others = ", ".join(offered) or "no zone of this region"
        return (
            f"{where}: {kind} is not offered in {', '.join(zones)}, but in {others}. Choose another type, "
            f"or place the subnets there ({desired.variable('subnets')}: availability_zone)"
        )
    return ""

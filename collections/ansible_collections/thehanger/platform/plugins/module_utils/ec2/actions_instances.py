# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that make machines: key pair, role and profile, instances, volumes, addresses, tags."""

from __future__ import annotations

import json
import time
from pathlib import Path

from .client import Row
from .errors import Ec2Error
from .launch import launch_instance
from .run import Run, disk, fine, pairs, pauses, tagging

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def import_key(run: Run, step: Row) -> None:
    """Import the public half of the key."""
    public = Path(run.public_key_path).expanduser()
    with fine("InvalidKeyPair.Duplicate"):
        run.ec2.import_key_pair(
            KeyName=step["name"],
            PublicKeyMaterial=public.read_bytes(),
            TagSpecifications=tagging("key-pair", step["tags"]),
        )


def create_role(run: Run, step: Row) -> None:
    """Create the instances' role."""
    with fine("EntityAlreadyExists"):
        run.aws.client("iam").create_role(
            RoleName=step["name"],
            AssumeRolePolicyDocument=json.dumps(_TRUST),
            Description="What the platform's machines may do",
            Tags=pairs(step["tags"]),
        )


def put_role_policy(run: Run, step: Row) -> None:
    """Write what the role may do."""
    run.eventually(
        run.aws.client("iam").put_role_policy,
        RoleName=step["name"],
        PolicyName=step["policy"],
        PolicyDocument=json.dumps(step["document"]),
    )


def create_profile(run: Run, step: Row) -> None:
    """Create the instance profile."""
    with fine("EntityAlreadyExists"):
        run.aws.client("iam").create_instance_profile(InstanceProfileName=step["name"], Tags=pairs(step["tags"]))


def fill_profile(run: Run, step: Row) -> None:
    """Put the role into the profile."""
    with fine("LimitExceeded"):
        run.eventually(
            run.aws.client("iam").add_role_to_instance_profile,
            InstanceProfileName=step["name"],
            RoleName=step["name"],
        )


def launch(run: Run, step: Row) -> None:
    """Launch an instance."""
    instance = launch_instance(run, step)
    run.remember("instance", step["name"], instance["InstanceId"])
    run.started.append(instance["InstanceId"])


def start(run: Run, step: Row) -> None:
    """Start an instance, once it has stopped."""
    run.wait_for("stopped", [step["id"]])
    run.ec2.start_instances(InstanceIds=[step["id"]])
    run.started.append(step["id"])


def resize(run: Run, step: Row) -> None:
    """Give an instance another type."""
    run.ec2.stop_instances(InstanceIds=[step["id"]])
    run.wait_for("stopped", [step["id"]])
    run.ec2.modify_instance_attribute(InstanceId=step["id"], InstanceType={"Value": step["type"]})
    start(run, step)


def set_groups(run: Run, step: Row) -> None:
    """Change the security groups of an instance."""
    groups = [run.id_of("group", name) for name in step["groups"]]
    run.eventually(run.ec2.modify_instance_attribute, InstanceId=step["id"], Groups=groups)


def set_metadata(run: Run, step: Row) -> None:
    """Require tokens for the metadata."""
    run.ec2.modify_instance_metadata_options(
        InstanceId=step["id"], HttpTokens="required", HttpPutResponseHopLimit=step["hop_limit"]
    )


def set_protection(run: Run, step: Row) -> None:
    """Switch the protection from termination."""
    run.ec2.modify_instance_attribute(InstanceId=step["id"], DisableApiTermination={"Value": step["protect"]})


def set_profile(run: Run, step: Row) -> None:
    """Give an instance its profile."""
    run.eventually(
        run.ec2.associate_iam_instance_profile,
        InstanceId=step["id"],
        IamInstanceProfile={"Name": step["profile"]},
    )


def modify_volume(run: Run, step: Row) -> None:
    """Change a volume while it is used, and wait until AWS shows it to the machine."""
    names = {"size": "Size", "type": "VolumeType", "iops": "Iops", "throughput": "Throughput"}
    changes = {names[key]: value for key, value in step["changes"].items()}
    run.ec2.modify_volume(VolumeId=step["id"], **changes)
    end = time.monotonic() + run.timeout
    for pause in pauses(longest=5):
        # AWS may not know the modification at once.
        answer = run.eventually(run.ec2.describe_volumes_modifications, VolumeIds=[step["id"]])
        states = answer["VolumesModifications"] or [{}]
        state = states[0].get("ModificationState", "unknown")
        if state == "failed":
            reason = states[0].get("StatusMessage") or "no reason given"
            raise Ec2Error(f"AWS failed to change the volume {step['id']}: {reason}.")
        if state not in ("unknown", "modifying"):
            return
        if time.monotonic() > end:
            raise Ec2Error(
                f"After {run.timeout:.0f} s the volume {step['id']} is not changed yet ({state}). Run again."
            )
        time.sleep(pause)


def create_volume(run: Run, step: Row) -> None:
    """Create a volume for an instance that runs."""
    volume = run.ec2.create_volume(
        AvailabilityZone=step["zone"],
        Encrypted=True,
        TagSpecifications=tagging("volume", step["tags"]),
        **disk(step["volume"], "Size"),
    )
    run.remember("volume", step["name"], volume["VolumeId"])


def attach_volume(run: Run, step: Row) -> None:
    """Attach it."""
    volume = run.id_of("volume", step["name"])
    run.ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    instance = run.id_of("instance", step["instance"])
    run.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=step["device"])


def allocate_address(run: Run, step: Row) -> None:
    """Allocate an Elastic IP address."""
    answer = run.ec2.allocate_address(Domain="vpc", TagSpecifications=tagging("elastic-ip", step["tags"]))
    run.remember("address", step["name"], answer["AllocationId"])


def associate_address(run: Run, step: Row) -> None:
    """Give it to its instance."""
    run.eventually(
        run.ec2.associate_address,
        AllocationId=run.id_of("address", step["name"]),
        InstanceId=run.id_of("instance", step["name"]),
        AllowReassociation=True,
    )


def tag(run: Run, step: Row) -> None:
    """Write tags."""
    run.ec2.create_tags(Resources=[step["id"]], Tags=pairs(step["tags"]))


def untag(run: Run, step: Row) -> None:
    """Remove tags."""
    run.ec2.delete_tags(Resources=[step["id"]], Tags=[{"Key": key} for key in step["keys"]])

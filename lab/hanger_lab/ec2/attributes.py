"""Attributes of instances that EC2 changes while they are stopped only, and what it says of a wrong profile."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses import instances as responses

from hanger_lab.ec2 import offers
from hanger_lab.ec2.patches import Method, Patches

WHILE_STOPPED = ("instance_type", "user_data", "kernel", "ramdisk", "ebs_optimized")
SHUTDOWN_BEHAVIORS = ("stop", "terminate")


def install(patches: Patches) -> None:
    """Check changes of instances until `patches` is left."""
    patches.wrap(InstanceBackend, "modify_instance_attribute", _modify)
    patches.wrap(responses.InstanceResponse, "_dot_value_instance_attribute_handler", _shutdown_behavior)
    patches.wrap(responses.InstanceResponse, "run_instances", _protect)
    patches.wrap(responses, "filter_iam_instance_profiles", _profile)


def _modify(original: Method, backend: Any, instance_id: str, key: str, value: Any) -> Any:
    instance = backend.get_instance(instance_id)
    if key in WHILE_STOPPED and instance.state != "stopped":
        raise EC2ClientError("IncorrectInstanceState", f"The instance '{instance_id}' is not in the 'stopped' state.")
    if key == "instance_type":
        offers.check_offer(value, instance.architecture, instance.availability_zone, backend.region_name)
    return original(backend, instance_id, key, value)


def _shutdown_behavior(original: Method, response: Any) -> bool:
    value = response._get_param("InstanceInitiatedShutdownBehavior.Value")
    if value is None:
        return bool(original(response))
    if value not in SHUTDOWN_BEHAVIORS:
        message = f"Invalid value '{value}' for instanceInitiatedShutdownBehavior"
        raise EC2ClientError("InvalidParameterValue", message)
    instance_id = response._get_param("InstanceId")
    response.ec2_backend.modify_instance_attribute(instance_id, "instance_initiated_shutdown_behavior", value)
    return True


def _protect(original: Method, response: Any) -> Any:
    """Protect new instances from termination when the launch says so, which moto leaves out."""
    answer = original(response)
    if response._get_param("DisableApiTermination"):
        for instance in answer.result.instances:
            instance.disable_api_termination = True
    return answer


def _profile(original: Method, *args: Any, **kwargs: Any) -> Any:
    """Answer in EC2's words: moto passes IAM's on."""
    try:
        found = original(*args, **kwargs)
    except Exception as error:
        if getattr(error, "code", "") in ("NoSuchEntity", "404", 404) or "NoSuchEntity" in type(error).__name__:
            found = None
        else:
            raise
    if found is None:
        given = [
            (word, kwargs[f"iam_instance_profile_{word}"])
            for word in ("name", "arn")
            if kwargs.get(f"iam_instance_profile_{word}")
        ]
        word, value = given[0]
        kind = "name" if word == "name" else "ARN"
        message = f"Value ({value}) for parameter iamInstanceProfile.{word} is invalid. "
        raise EC2ClientError("InvalidParameterValue", f"{message}Invalid IAM Instance Profile {kind}")
    return found

"""What moto's IAM lacks of what Ansible's modules call."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

from hanger_lab.ec2.patches import Patches


def install(patches: Patches) -> None:
    """Add it until `patches` is left."""
    patches.add(IamResponse, "list_instance_profile_tags", _list_instance_profile_tags)


def _list_instance_profile_tags(response: Any) -> ActionResult:
    profile = response.backend.get_instance_profile(response._get_param("InstanceProfileName"))
    return ActionResult({"Tags": profile.tags, "IsTruncated": False})

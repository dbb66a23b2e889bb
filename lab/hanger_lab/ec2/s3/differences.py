"""Where moto differs from S3, corrected while the lab runs."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from hanger_lab.ec2.patches import Method, Patches


def install(patches: Patches) -> None:
    """Correct moto until `patches` is left."""
    patches.wrap(FakeBucket, "get_permission", _permission)


def _permission(original: Method, bucket: Any, action: str, resource: str) -> Any:
    """Leave statements with conditions out: moto takes them as if their conditions always held."""
    policy = json.loads(bucket.policy) if bucket.policy else {}
    statements = [statement for statement in policy.get("Statement", []) if "Condition" not in statement]
    if not statements:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**policy, "Statement": statements})).is_action_permitted(action, resource)

"""Filters for access by Session Manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

END = "END_OF_THE_INSTANCE_S_OWN_USER_DATA"
ARCHITECTURE = "$(dpkg --print-architecture)"
OWN_SCRIPT = "/var/lib/cloud/hanger-user-data"


def with_session_agent(
    instances: Sequence[Mapping[str, Any]], images: Mapping[str, Mapping[str, Any]], image: str, script: str
) -> list[dict[str, Any]]:
    """Let instances whose image names a package of the agent (`ssm_agent`) install it at their first boot.

    `script` is a shell script that finds the package's address in `$url`. A script as user data runs after it.
    """
    return [_with_agent(instance, images.get(instance.get("image") or image, {}), script) for instance in instances]


def _with_agent(instance: Mapping[str, Any], image: Mapping[str, Any], script: str) -> dict[str, Any]:
    package, own = str(image.get("ssm_agent") or ""), str(instance.get("user_data") or "")
    if not package:
        return dict(instance)
    if own and not own.startswith("#!"):
        raise AnsibleFilterError(
            f"ec2_launch_instances, instance {instance['name']}: its user_data is no script (#!), so the agent of "
            "Session Manager cannot be installed beside it. Write a script, or install the agent in the user_data and "
            "set ssm_agent of the image to ''"
        )
    lines = ["#!/bin/sh", "set -eu", f'url="{package.replace("{arch}", ARCHITECTURE)}"', script.rstrip()]
    if own:
        run = f"install -D -m 700 /dev/stdin {OWN_SCRIPT} <<'{END}'"
        lines += [run, own.rstrip(), END, f"exec {OWN_SCRIPT}"]
    return {**instance, "user_data": "\n".join(lines) + "\n"}


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"with_session_agent": with_session_agent}

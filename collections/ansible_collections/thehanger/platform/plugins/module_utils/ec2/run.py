# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of a plan share: the ids of things, patience with what AWS does not know yet, and tags."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .client import Aws, ClientError, Row
from .errors import Ec2Error

# What was just created may be unknown to the next call for some seconds.
_NOT_YET = frozenset(
    {
        "InvalidAllocationID.NotFound",
        "InvalidGatewayID.NotFound",
        "InvalidGroup.NotFound",
        "InvalidGroupId.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidInternetGatewayID.NotFound",
        "InvalidKeyPair.NotFound",
        "InvalidRouteTableID.NotFound",
        "InvalidSubnetID.NotFound",
        "InvalidVolume.NotFound",
        "InvalidVolumeModification.NotFound",
        "InvalidVpcID.NotFound",
        "NoSuchEntity",
    }
)
_PATIENCE = 60.0


class Run:
    """One run through a plan. `known` has the ids of what exists, and gets those of what is created."""

    def __init__(
        self, aws: Aws, known: Mapping[str, Mapping[str, str]], public_key_path: str, timeout: float = 300
    ) -> None:
        self.aws = aws
        self.ec2 = aws.client("ec2")
        self.public_key_path = public_key_path
        self.timeout = timeout
        self.started: list[str] = []
        self.done: list[str] = []
        self._known = {kind: dict(ids) for kind, ids in known.items()}

    def id_of(self, kind: str, name: str = "") -> str:
        """Return an id; a plan is made so that it is known by then."""
        return self._known[kind][name]

    def remember(self, kind: str, name: str, entry_id: str) -> None:
        """Keep the id of something new."""
        self._known.setdefault(kind, {})[name] = entry_id

    def eventually(self, call: Callable[..., Any], **parameters: Any) -> Any:
        """Make a call; try again for a while when it does not know yet what was just created."""
        end = time.monotonic() + _PATIENCE
        for pause in pauses():
            try:
                return call(**parameters)
            except ClientError as failure:
                if not not_yet(failure) or time.monotonic() > end:
                    raise
            time.sleep(pause)
        return None

    def wait_for(self, state: str, instance_ids: Sequence[str]) -> None:
        """Wait until instances are in a state, asking often at first; one that ends instead is an error."""
        end = time.monotonic() + self.timeout
        if not instance_ids:
            return
        for pause in pauses(longest=5):
            answer = self.eventually(self.ec2.describe_instances, InstanceIds=list(instance_ids))
            entries = [entry for reservation in answer["Reservations"] for entry in reservation["Instances"]]
            late = [entry for entry in entries if entry["State"]["Name"] != state]
            if not late:
                return
            for entry in late:
                if entry["State"]["Name"] in ("terminated", "shutting-down"):
                    reason = (entry.get("StateReason") or {}).get("Message", "no reason given")
                    raise Ec2Error(f"AWS ended {entry['InstanceId']} instead of starting it: {reason}.")
            if time.monotonic() > end:
                names = ", ".join(f"{entry['InstanceId']} ({entry['State']['Name']})" for entry in late)
                raise Ec2Error(f"After {self.timeout:.0f} s not every instance is {state}: {names}. Run again.")
            time.sleep(pause)


def pauses(first: float = 0.5, longest: float = 10) -> Iterator[float]:
    """Yield growing pauses with jitter, in seconds, for ever."""
    while True:
        yield first * random.uniform(0.7, 1.3)  # noqa: S311 - not for secrets
        first = min(first * 1.7, longest)


def code_of(failure: Exception) -> str:
    """Return AWS's code of an error."""
    return str(getattr(failure, "response", {}).get("Error", {}).get("Code", ""))


def not_yet(failure: Exception) -> bool:
    """Tell whether a call failed only because AWS's books are not up to date."""
    code = code_of(failure)
    return code in _NOT_YET or (code == "InvalidParameterValue" and "iam instance profile" in str(failure).lower())


@contextlib.contextmanager
def fine(*codes: str) -> Iterator[None]:
    """Let AWS answer that something is done already."""
    try:
        yield
    except ClientError as failure:
        if code_of(failure) not in codes:
            raise


def pairs(tags: Mapping[str, str]) -> list[Row]:
    """Return tags as AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tagging(kind: str, tags: Mapping[str, str]) -> list[Row]:
    """Return tags for the call that creates something."""
    return [{"ResourceType": kind, "Tags": pairs(tags)}]


def disk(volume: Mapping[str, Any], size: str) -> Row:
    """Return a volume's properties as AWS takes them; `size` is the name of that property."""
    names = {"type": "VolumeType", "iops": "Iops", "throughput": "Throughput"}
    return {size: volume["size"], **{name: volume[key] for key, name in names.items() if volume.get(key)}}

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping and starting a project's instances: which of them, in one call, and the wait for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from . import shapes
from .client import Aws, Row
from .errors import Ec2Error
from .run import pauses
from .ttl import has_expired

# The state that is asked for: its name in EC2, the way there, the way to the opposite, and the call.
_STATES = {
    "stopped": ("stopped", "stopping", "pending", "stop_instances"),
    "started": ("running", "pending", "stopping", "start_instances"),
}


@dataclass(frozen=True)
class Power:
    """Instances to switch, those that are underway already, and those that are left alone."""

    switch: Sequence[Row]
    underway: Sequence[Row]
    spared: Sequence[Row]


def plan_power(instances: Iterable[Row], state: str, expired_only: bool, now: datetime) -> Power:
    """Decide what happens to each instance; one that is being terminated is no business of this."""
    goal, way = _STATES[state][:2]
    alive = [entry for entry in instances if entry["state"] not in ("shutting-down", "terminated")]
    spared = [entry for entry in alive if expired_only and not has_expired(entry["tags"].get("hanger_ttl", ""), now)]
    meant = [entry for entry in alive if entry not in spared]
    return Power(
        switch=[entry for entry in meant if entry["state"] not in (goal, way)],
        underway=[entry for entry in meant if entry["state"] == way],
        spared=spared,
    )


def switch(aws: Aws, power: Power, state: str, timeout: float) -> None:
    """Switch the instances with one call and wait until all are there; raises Ec2Error after the timeout."""
    goal, _way, opposite, operation = _STATES[state]
    deadline = time.monotonic() + timeout
    turning = [str(entry["id"]) for entry in power.switch if entry["state"] == opposite]
    if turning:
        wait_until(aws, turning, lambda current: current != opposite, f"leave the state {opposite}", deadline)
    if power.switch:
        with aws.explained(f"Switching the instances (ec2:{operation})"):
            getattr(aws.client("ec2"), operation)(InstanceIds=[str(entry["id"]) for entry in power.switch])
    ids = [str(entry["id"]) for entry in (*power.switch, *power.underway)]
    wait_until(aws, ids, lambda current: current == goal, f"are {goal}", deadline)


def wait_until(aws: Aws, ids: Sequence[str], met: Callable[[str], bool], what: str, deadline: float) -> None:
    """Ask for the states of instances until each meets the condition; raises Ec2Error after the deadline."""
    if not ids:
        return
    for pause in pauses(longest=5):
        states = {str(entry["id"]): str(entry["state"]) for entry in read_instances(aws, ids)}
        missing = [
            f"{each} ({states.get(each, 'terminated')})" for each in ids if not met(states.get(each, "terminated"))
        ]
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Ec2Error(
                f"These instances do not {what} in time: {', '.join(missing)}. Running again goes on waiting."
            )
        time.sleep(pause)


def read_instances(aws: Aws, ids: Sequence[str]) -> list[Row]:
    """Return instances by id, as they are now; those that EC2 has forgotten are left out."""
    if not ids:
        return []
    filters = [{"Name": "instance-id", "Values": list(ids)}]
    reservations = aws.list("ec2", "describe_instances", "Reservations", Filters=filters)
    return [shapes.instance(entry, False) for reservation in reservations for entry in reservation["Instances"]]

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan carried out: the steps of a stage at the same time, one stage after the other.

Everything gets its tags in the call that creates it, so whatever a run leaves when it is killed, the next one finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from . import actions_instances as instances
from . import actions_network as network
from .client import Aws, Row, together
from .errors import Ec2Error
from .run import Run

ACTIONS: dict[str, Callable[[Run, Row], None]] = {
    action.__name__: action
    for action in (
        network.create_vpc,
        network.name_hosts,
        network.create_subnet,
        network.create_gateway,
        network.attach_gateway,
        network.create_route,
        network.replace_route,
        network.create_group,
        network.change_rules,
        instances.import_key,
        instances.create_role,
        instances.put_role_policy,
        instances.create_profile,
        instances.fill_profile,
        instances.launch,
        instances.start,
        instances.resize,
        instances.set_groups,
        instances.set_metadata,
        instances.set_protection,
        instances.set_profile,
        instances.modify_volume,
        instances.create_volume,
        instances.attach_volume,
        instances.allocate_address,
        instances.associate_address,
        instances.tag,
        instances.untag,
    )
}


def apply_plan(aws: Aws, options: Mapping[str, Any]) -> None:
    """Carry a module's plan out."""
    run = Run(aws, options["plan"]["known"], options["public_key_path"], options["timeout"])
    apply_steps(run, options["plan"]["steps"])


def apply_steps(run: Run, steps: Iterable[Row]) -> None:
    """Carry the steps out; an error ends it after the other steps of its stage, with what was done."""
    try:
        for _stage, group in groupby(steps, key=lambda step: int(step["stage"])):
            together({str(number): partial(_apply, run, step) for number, step in enumerate(group)})
            run.wait_for("running", run.started)
            run.started.clear()
    except Ec2Error as failure:
        failure.details["done"] = run.done
        raise


def _apply(run: Run, step: Row) -> None:
    with run.aws.explained(step["says"]):
        ACTIONS[step["action"]](run, step)
    run.done.append(step["says"])

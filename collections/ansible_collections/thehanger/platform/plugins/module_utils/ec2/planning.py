# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way from options to a plan: check, observe, read what is missing, plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .checks import problems_of
from .client import Aws, Row
from .context import LIVE, Context, read_context
from .desired import Desired
from .errors import InvalidInputError
from .observe import observe
from .plan import Plan, plan_groups, plan_key, plan_network, plan_profile
from .plan_instances import plan_instances


def make_plan(
    desired: Desired, found: Mapping[str, Any], context: Context, key_exists: bool = False, public_key: str = ""
) -> Plan:
    """Plan everything; pure."""
    plan = Plan()
    plan_network(plan, desired, found, context)
    plan_groups(plan, desired, found)
    plan_key(plan, desired, context, key_exists, public_key)
    plan_profile(plan, desired, found, context)
    plan_instances(plan, desired, found, context)
    plan.steps.sort(key=lambda step: int(step["stage"]))
    return plan


def plan_project(aws: Aws, desired: Desired) -> dict[str, Any]:
    """Check, observe and plan; raises InvalidInputError with all problems that are known by then."""
    if problems := problems_of(desired):
        raise InvalidInputError(problems)
    found = observe(aws, desired.project, foreign=False)
    path = Path(desired.private_key_path).expanduser()
    public = path.with_name(f"{path.name}.pub")
    plan = make_plan(
        desired,
        found,
        read_context(aws, desired, found),
        key_exists=path.is_file(),
        public_key=public.read_text() if public.is_file() else "",
    )
    if plan.problems:
        raise InvalidInputError(plan.problems)
    return {
        "found": found,
        "plan": {"known": plan.known, "steps": plan.steps},
        "summary": [step["says"] for step in plan.steps],
        "drift": plan.drift,
        "warnings": [*plan.warnings, *(drift_text(row) for row in plan.drift)],
        "admin_cidrs": list(desired.admin_cidrs),
        "needs_key": desired.with_key and not path.is_file(),
        "desired_instances": [cost_input(desired, instance) for instance in desired.instances],
        "diff": difference(found, plan),
    }


def drift_text(row: Row) -> str:
    """Say what differs, and what would apply it."""
    return f"{row['name']}: {row['what']} is {row['from']}, not {row['to']}; what applies it is {row['apply_with']}"


def cost_input(desired: Desired, instance: Row) -> Row:
    """Return what an instance's price depends on."""
    return {
        "name": desired.full(instance["name"]),
        "type": instance["type"],
        "root_volume": instance["root_volume"],
        "volumes": instance["volumes"],
        "elastic_ip": bool(instance.get("elastic_ip")),
    }


def difference(found: Mapping[str, Any], plan: Plan) -> dict[str, str]:
    """Return the plan as a person reads it with --diff: what there is, then the same with what comes."""
    there = [
        *(f"VPC {vpc['id']} ({vpc['cidr']})" for vpc in found["vpcs"]),
        *(
            f"instance {entry['name']} ({entry['type']}, {entry['state']})"
            for entry in found["instances"]
            if entry["state"] in LIVE
        ),
    ]
    before = "".join(f"{line}\n" for line in there)
    return {
        "before_header": f"{found['account']} {found['region']}",
        "after_header": "plan",
        "before": before,
        "after": before + "".join(f"{step['says']}\n" for step in plan.steps),
    }

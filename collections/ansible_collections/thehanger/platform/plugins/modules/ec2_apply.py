#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_apply
short_description: Carry out a plan for EC2
version_added: 0.2.0
description:
  - Carries out what M(thehanger.platform.ec2_plan) returns. Steps that do not depend on each other go at the same time.
  - Everything gets its tags in the call that creates it, and launches carry an idempotency token. So a run that was
    killed at any point leaves nothing that the next plan does not find.
  - Where a zone has no capacity, the next subnet of the instance is tried at once.
  - Waits until instances run, not until they can be logged in to.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.ec2
attributes:
  diff_mode:
    description: The plan has the differences.
    support: none
options:
  plan:
    description:
      - Ids of what exists, and the steps.
    type: dict
    required: true
    suboptions:
      known:
        description: Ids by kind and name.
        type: dict
        required: true
      steps:
        description: The steps.
        type: list
        elements: dict
        required: true
  public_key_path:
    description:
      - File with the public key to import. Needed when the plan imports one.
    type: path
    default: ""
  timeout:
    description:
      - Seconds to wait until instances run.
    type: int
    default: 300
seealso:
  - module: thehanger.platform.ec2_plan
"""

EXAMPLES = r"""
- name: Carry a plan out
  thehanger.platform.ec2_apply:
    project: gym
    region: eu-west-1
    plan: "{{ plan.plan }}"
    public_key_path: ~/.ssh/gym_ed25519.pub
  when: plan.plan.steps | length > 0
"""

RETURN = r"""
summary:
  description: The steps in words; in check mode, those that would be done.
  returned: success
  type: list
  elements: str
done:
  description: The steps that were done when one failed.
  returned: when a step fails
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.ec2.apply import apply_plan
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.arguments import ec2_module, finish

OPTIONS: dict[str, Any] = {
    "plan": {
        "type": "dict",
        "required": True,
        "options": {
            "known": {"type": "dict", "required": True},
            "steps": {"type": "list", "elements": "dict", "required": True},
        },
    },
    "public_key_path": {"type": "path", "default": "", "no_log": False},
    "timeout": {"type": "int", "default": 300},
}


def main() -> None:
    module = ec2_module(OPTIONS)

    def work(aws: Any) -> dict[str, Any]:
        steps = module.params["plan"]["steps"]
        summary = [step["says"] for step in steps]
        if not module.check_mode:
            apply_plan(aws, module.params)
        return {"changed": bool(steps), "summary": summary}

    finish(module, work)


if __name__ == "__main__":
    main()

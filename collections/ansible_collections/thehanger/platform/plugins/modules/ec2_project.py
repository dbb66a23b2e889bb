#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_project
short_description: Stop, start or remove what a project has in EC2
version_added: 0.2.0
description:
  - Finds everything in the region that carries the tag C(Project), and stops or starts all instances with one call, or
    removes everything and then proves that nothing is left.
  - What does not carry the tag is not touched. When it lies in a VPC of the project, the network of that VPC stays.
  - Termination protection is lifted when everything is removed.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.ec2
options:
  state:
    description:
      - V(stopped) and V(started) are about the instances.
      - V(absent) is about everything, disks and their data included.
    type: str
    choices: [absent, started, stopped]
    required: true
  expired_only:
    description:
      - Whether only instances are meant whose tag C(hanger_ttl) holds a time that has passed. Not with V(state=absent).
    type: bool
    default: false
  buckets:
    description:
      - The project's buckets that V(state=absent) is about as well, with all that is in them, by their purpose.
        They are called C(<project>-<purpose>-<account>-<region>). Looking for them takes permissions on S3.
      - V(ssm) is the one through which files are copied over Session Manager, V(backups) has the database's backups.
    type: list
    elements: str
    choices: [ssm, backups]
    default: []
  wait_timeout:
    description:
      - Seconds after which waiting for the instances is given up.
    type: int
    default: 600
seealso:
  - module: thehanger.platform.ec2_project_info
"""

EXAMPLES = r"""
- name: Stop what costs by the hour
  thehanger.platform.ec2_project:
    project: thehanger
    region: eu-west-1
    state: stopped

- name: Stop what nobody wanted to have any longer
  thehanger.platform.ec2_project:
    project: thehanger
    region: eu-west-1
    state: stopped
    expired_only: true

- name: Remove everything
  thehanger.platform.ec2_project:
    project: thehanger
    region: eu-west-1
    state: absent
"""

RETURN = r"""
instances:
  description: The instances that were switched or are left as they are, as C(ec2_project_info) returns them.
  returned: with V(state=started) and V(state=stopped)
  type: list
  elements: dict
switched:
  description: Ids of the instances that were stopped or started; in check mode, that would be.
  returned: with V(state=started) and V(state=stopped)
  type: list
  elements: str
spared:
  description: Names of the instances whose time has not passed.
  returned: with V(state=started) and V(state=stopped)
  type: list
  elements: str
removed:
  description: What was removed, in order; in check mode, what would be.
  returned: with V(state=absent)
  type: list
  elements: dict
  sample: [{kind: instance, id: i-1, name: thehanger-oltp}]
kept:
  description: What carries the tag and stays, because something in the same VPC is not the project's.
  returned: with V(state=absent)
  type: list
  elements: dict
  sample: [{kind: VPC, id: vpc-1, name: thehanger}]
filled:
  description: Names of those of the O(buckets) in which there was something.
  returned: with V(state=absent)
  type: list
  elements: str
  sample: [thehanger-backups-123456789012-eu-west-1]
foreign:
  description: What lies in the project's networks, or has its name, without its tag.
  returned: with V(state=absent)
  type: list
  elements: dict
  sample: [{kind: instance, id: i-9, vpc_id: vpc-1, why: without the tag Project=thehanger}]
left:
  description: What still carries the tag after the removal and is not kept. The module fails when there is any.
  returned: with V(state=absent)
  type: list
  elements: dict
  sample: []
problems:
  description: Why something could not be removed.
  returned: when something could not be removed
  type: list
  elements: str
"""

from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.arguments import ec2_module, finish
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.observe import observe
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.power import plan_power, read_instances, switch
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.removal import remove


def power(module: AnsibleModule, aws: Any) -> dict[str, Any]:
    options = module.params
    found = observe(aws, options["project"], foreign=False)["instances"]
    plan = plan_power(found, options["state"], options["expired_only"], datetime.now(UTC))
    ids = [entry["id"] for entry in plan.switch]
    if not module.check_mode:
        switch(aws, plan, options["state"], options["wait_timeout"])
        found = read_instances(aws, [entry["id"] for entry in found])
    return {
        "changed": bool(ids),
        "instances": found,
        "switched": ids,
        "spared": sorted(str(entry["name"]) for entry in plan.spared),
    }


def main() -> None:
    module = ec2_module(
        {
            "state": {"type": "str", "choices": ["absent", "started", "stopped"], "required": True},
            "expired_only": {"type": "bool", "default": False},
            "buckets": {"type": "list", "elements": "str", "choices": ["ssm", "backups"], "default": []},
            "wait_timeout": {"type": "int", "default": 600},
        }
    )
    options = module.params
    if options["state"] == "absent" and options["expired_only"]:
        module.fail_json(msg="expired_only: only stopping and starting can be limited to what has expired")
    if options["state"] == "absent":
        rest = (options["buckets"], options["wait_timeout"], module.check_mode)
        finish(module, lambda aws: remove(aws, options["project"], *rest))
    finish(module, lambda aws: power(module, aws))


if __name__ == "__main__":
    main()

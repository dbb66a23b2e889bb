#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_project_info
short_description: Read what a project has in EC2
version_added: 0.2.0
description:
  - Returns everything in the region that carries the tag C(Project), with few calls made at the same time.
  - Terminated instances are left out.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.ec2
options:
  foreign:
    description:
      - Whether to look as well for what lies in the networks of the project without carrying its tag.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Read what the project has
  thehanger.platform.ec2_project_info:
    project: thehanger
    region: eu-west-1
  register: machines

- name: Show the instances that run
  ansible.builtin.debug:
    msg: "{{ machines.found.instances | selectattr('state', 'eq', 'running') | map(attribute='name') }}"
"""

RETURN = r"""
found:
  description:
    - What carries the tag.
    - Main route tables of the VPCs are listed without it as well, since a VPC cannot lose its own.
    - C(instance_profile) and C(role) are found by their name, V(<project>-<region>), and are null without one.
  returned: success
  type: dict
  sample:
    account: "123456789012"
    region: eu-west-1
    vpcs: [{id: vpc-1, cidr: 10.77.0.0/16, tags: {Project: thehanger}}]
    instances: [{id: i-1, name: thehanger-oltp, state: running, type: t3.small}]
    foreign: [{kind: subnet, id: subnet-9, vpc_id: vpc-1, why: "without the tag Project=thehanger"}]
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.ec2.arguments import ec2_module, finish
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.observe import observe


def main() -> None:
    module = ec2_module({"foreign": {"type": "bool", "default": True}})

    def work(aws: Any) -> dict[str, Any]:
        return {"changed": False, "found": observe(aws, module.params["project"], module.params["foreign"])}

    finish(module, work)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ec2_plan
short_description: Plan the network and the instances of a project in EC2
version_added: 0.2.0
description:
  - Compares what is described with what carries the tag C(Project), and returns the steps from here to there.
    M(thehanger.platform.ec2_apply) carries them out.
  - Sends only calls that read, so it can run before anything changes and against an account where nothing exists yet.
  - Whatever is wrong with the description is refused with all problems at once. Each names its option, what is wrong
    and what to write instead.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.ec2
  - thehanger.platform.ec2.description
attributes:
  diff_mode:
    description: Shows what there is, and the steps that come.
    support: full
seealso:
  - module: thehanger.platform.ec2_apply
  - module: thehanger.platform.ec2_project_info
"""

EXAMPLES = r"""
- name: Plan a machine in a network of its own
  thehanger.platform.ec2_plan:
    project: gym
    region: eu-west-1
    vpc_cidr: 10.77.0.0/16
    subnets:
      - {name: a, availability_zone: eu-west-1a}
    admin_cidrs: [203.0.113.7/32]
    security_groups:
      - name: admin
        description: SSH from the administrators
        rules:
          - {proto: tcp, ports: [22], admins: true, description: SSH}
    key_name: gym
    private_key_path: ~/.ssh/gym_ed25519
    images:
      debian-13:
        login: admin
        owner: "136693071363"
        name: debian-13-{arch}-*
        architectures: {x86_64: amd64, arm64: arm64}
    image: debian-13
    instances:
      - name: oltp
        type: t3.small
        hanger_roles: [oltp]
        security_groups: [admin]
        root_volume: {size: 20}
  register: plan

- name: Carry it out
  thehanger.platform.ec2_apply:
    project: gym
    region: eu-west-1
    plan: "{{ plan.plan }}"
    public_key_path: ~/.ssh/gym_ed25519.pub
"""

RETURN = r"""
plan:
  description: What O(thehanger.platform.ec2_apply#module:plan) takes. Ids of what exists, and the steps in order.
  returned: success
  type: dict
  sample: {known: {vpc: {"": vpc-1}}, steps: [{stage: 2, action: create_subnet, says: Create the subnet gym-a}]}
summary:
  description: The steps in words.
  returned: success
  type: list
  elements: str
  sample: ["Create the VPC gym (10.77.0.0/16)"]
drift:
  description: What differs and is left as it is, with what would apply it.
  returned: success
  type: list
  elements: dict
  sample: [{name: gym-oltp, what: type, from: t3.small, to: t3.medium, apply_with: "ec2_launch_allow_resize: true"}]
found:
  description: As M(thehanger.platform.ec2_project_info) returns it, without C(foreign).
  returned: success
  type: dict
desired_instances:
  description: What the price of each instance depends on.
  returned: success
  type: list
  elements: dict
  sample: [{name: gym-oltp, type: t3.small, root_volume: {size: 20, type: gp3}, volumes: [], elastic_ip: false}]
admin_cidrs:
  description: The addresses that rules with C(admins) admit; the own one where none was given.
  returned: success
  type: list
  elements: str
needs_key:
  description: Whether the private key has yet to be generated.
  returned: success
  type: bool
problems:
  description: The problems, one by one.
  returned: when the description is refused
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.ec2.addressing import admin_cidrs
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.arguments import DESCRIPTION, ec2_module, finish
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.desired import read_desired
from ansible_collections.thehanger.platform.plugins.module_utils.ec2.planning import plan_project


def main() -> None:
    module = ec2_module(DESCRIPTION)

    def work(aws: Any) -> dict[str, Any]:
        desired = read_desired(module.params, aws.region, admin_cidrs(module.params))
        result = plan_project(aws, desired)
        for warning in result.pop("warnings"):
            module.warn(warning)
        return {"changed": False, **result}

    finish(module, work)


if __name__ == "__main__":
    main()

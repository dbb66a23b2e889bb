#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: airbyte_info
short_description: Read what an Airbyte workspace holds
version_added: 0.1.0
description:
  - Returns the workspaces, and the sources, destinations and connections of one of them. Secrets are left out.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.airbyte
attributes:
  diff_mode:
    description: Changes nothing.
    support: none
options:
  workspace:
    description:
      - Name or id of the workspace. May be left out where there is only one.
    type: str
  gather:
    description:
      - What to read.
    type: list
    elements: str
    choices: [workspaces, sources, destinations, connections]
    default: [workspaces, sources, destinations, connections]
"""

EXAMPLES = r"""
- name: Read the connections
  thehanger.platform.airbyte_info:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    gather: [connections]
  register: airbyte
"""

RETURN = r"""
workspaces:
  description: The workspaces of the installation.
  returned: when gathered
  type: list
  elements: dict
sources:
  description: The sources of the workspace.
  returned: when gathered
  type: list
  elements: dict
destinations:
  description: The destinations of the workspace.
  returned: when gathered
  type: list
  elements: dict
connections:
  description: The connections of the workspace.
  returned: when gathered
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.actor import public
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.arguments import (
    airbyte_module,
    client_of,
    finish,
)
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.directory import listing, workspace

GATHERED = ["workspaces", "sources", "destinations", "connections"]
ARGUMENTS: dict[str, Any] = {
    "workspace": {"type": "str"},
    "gather": {"type": "list", "elements": "str", "choices": GATHERED, "default": GATHERED},
}


def main() -> None:
    module = airbyte_module(ARGUMENTS)
    client = client_of(module)
    wanted = module.params["gather"]

    def work() -> dict[str, Any]:
        result: dict[str, Any] = {"changed": False}
        if "workspaces" in wanted:
            result["workspaces"] = list(client.pages("/workspaces"))
        for kind in ("source", "destination", "connection"):
            if f"{kind}s" in wanted:
                place = workspace(client, module.params["workspace"])
                result[f"{kind}s"] = [public(kind, item) for item in listing(client, kind, place["workspaceId"])]
        return result

    finish(module, work)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: airbyte_health
short_description: Wait until Airbyte works
version_added: 0.1.0
description:
  - Waits until the API answers, gives a token for the credentials and lists its workspaces.
  - Credentials that Airbyte refuses are an error at once.
  - In check mode it looks once and never fails, since Airbyte may not be installed yet.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.airbyte
attributes:
  diff_mode:
    description: Changes nothing.
    support: none
options:
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 300
  poll_interval:
    description:
      - Seconds between two attempts.
    type: float
    default: 2
"""

EXAMPLES = r"""
- name: Wait for Airbyte
  thehanger.platform.airbyte_health:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
  register: airbyte
"""

RETURN = r"""
healthy:
  description: Whether Airbyte works. Only check mode returns V(false).
  returned: success
  type: bool
  sample: true
reason:
  description: Why it does not.
  returned: when RV(healthy) is false
  type: str
  sample: "no answer from Airbyte at http://127.0.0.1:8000: [Errno 111] Connection refused"
workspaces:
  description: Names of the workspaces.
  returned: success
  type: list
  elements: str
  sample: [Default Workspace]
elapsed:
  description: Seconds until it worked.
  returned: success
  type: float
  sample: 4.2
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.arguments import (
    airbyte_module,
    client_of,
    finish,
)
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.health import look, wait

ARGUMENTS: dict[str, Any] = {
    "wait_timeout": {"type": "int", "default": 300},
    "poll_interval": {"type": "float", "default": 2},
}


def main() -> None:
    module = airbyte_module(ARGUMENTS)
    client = client_of(module, retries=0)

    def work() -> dict[str, Any]:
        if module.check_mode:
            return {"changed": False, **look(client)}
        return {"changed": False, **wait(client, module.params["wait_timeout"], module.params["poll_interval"])}

    finish(module, work)


if __name__ == "__main__":
    main()

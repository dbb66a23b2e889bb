#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: airbyte_sync
short_description: Run a sync of an Airbyte connection
version_added: 0.1.0
description:
  - Starts a sync, or joins the one that runs, waits for its end and tells what it moved.
  - Reports a change only when it started a job.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.airbyte
attributes:
  diff_mode:
    description: A sync has no state to compare.
    support: none
options:
  connection:
    description:
      - Name of the connection.
    type: str
    required: true
  workspace:
    description:
      - Name or id of the workspace. May be left out where there is only one.
    type: str
  run:
    description:
      - V(once) starts a sync only when none has succeeded yet, V(always) every time.
    type: str
    choices: [once, always]
    default: always
  on_running:
    description:
      - What to do when the connection is being synced already. V(join) waits for that job instead of starting one,
        V(fail) is an error, V(skip) returns at once.
    type: str
    choices: [join, fail, skip]
    default: join
  wait:
    description:
      - Whether to wait for the end of the sync.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for the end of the sync.
    type: int
    default: 3600
  poll_interval:
    description:
      - Seconds between two looks at the job.
    type: float
    default: 2
  cancel_on_timeout:
    description:
      - Whether to cancel the job when it takes longer than O(wait_timeout).
    type: bool
    default: false
seealso:
  - module: thehanger.platform.airbyte_connection
"""

EXAMPLES = r"""
- name: Load the warehouse for the first time
  thehanger.platform.airbyte_sync:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    connection: thehangerdb to warehouse
    run: once
"""

RETURN = r"""
job:
  description: The job as Airbyte shows it, empty when check mode would start one.
  returned: always
  type: dict
  sample: {"jobId": 7, "status": "succeeded", "jobType": "sync", "rowsSynced": 61450, "bytesSynced": 4392111}
last_job:
  description: The newest job of the connection, which O(run=once) leaves alone when an older one has succeeded.
  returned: when there is a job
  type: dict
rows:
  description: Rows moved.
  returned: when there is a job
  type: int
  sample: 61450
bytes:
  description: Bytes moved.
  returned: when there is a job
  type: int
  sample: 4392111
duration_seconds:
  description: How long the job took, by Airbyte's clock.
  returned: when there is a job
  type: float
  sample: 2.0
rows_per_second:
  description: Rows moved per second, null while the job has no duration.
  returned: when there is a job
  type: int
  sample: 30725
streams:
  description: Rows and bytes of each stream, empty where Airbyte's configuration API does not tell.
  returned: when there is a job
  type: list
  elements: dict
  sample: [{"name": "members", "namespace": "public", "rows": 5000, "bytes": 731000}]
log:
  description: The last lines of the job's log.
  returned: when the sync failed
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.arguments import (
    airbyte_module,
    client_of,
    finish,
)
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.sync import Wish, ensure

ARGUMENTS: dict[str, Any] = {
    "connection": {"type": "str", "required": True},
    "workspace": {"type": "str"},
    "run": {"type": "str", "default": "always", "choices": ["once", "always"]},
    "on_running": {"type": "str", "default": "join", "choices": ["join", "fail", "skip"]},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "poll_interval": {"type": "float", "default": 2},
    "cancel_on_timeout": {"type": "bool", "default": False},
}


def main() -> None:
    module = airbyte_module(ARGUMENTS)
    client = client_of(module)
    given = module.params
    wish = Wish(
        connection=given["connection"],
        workspace=given["workspace"],
        run=given["run"],
        on_running=given["on_running"],
        wait=given["wait"],
        timeout=given["wait_timeout"],
        poll_interval=given["poll_interval"],
        cancel_on_timeout=given["cancel_on_timeout"],
    )
    finish(module, lambda: ensure(client, wish, module.check_mode))


if __name__ == "__main__":
    main()

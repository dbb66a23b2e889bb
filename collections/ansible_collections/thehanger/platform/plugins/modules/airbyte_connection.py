#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: airbyte_connection
short_description: Manage connections of Airbyte
version_added: 0.1.0
description:
  - Creates, changes and deletes a connection of Airbyte through its public API.
  - Streams, cursor fields, primary keys and sync modes are checked against what Airbyte finds in the source before
    anything is written.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.airbyte
attributes:
  diff_mode:
    description: Shows what was set.
    support: full
options:
  name:
    description:
      - Name, unique in the workspace. Connections are found by it.
    type: str
    required: true
  workspace:
    description:
      - Name or id of the workspace. May be left out where there is only one.
    type: str
  source:
    description:
      - Name of the source. Needed for O(state=present).
    type: str
  destination:
    description:
      - Name of the destination. Needed for O(state=present).
    type: str
  allow_recreate:
    description:
      - Whether a connection may be deleted and created to change its O(source) or O(destination), which Airbyte
        cannot do otherwise. The connection loses its state and its job history.
    type: bool
    default: false
  streams:
    description:
      - The streams to sync, all of them. Left out, Airbyte syncs every stream that it finds at creation, and later
        runs leave the streams as they are.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the stream, of a database the table's.
        type: str
        required: true
      namespace:
        description: Namespace of the stream, of a database the schema. Needed when the name is not unique.
        type: str
      sync_mode:
        description: How to read and how to write. Airbyte's default is V(full_refresh_overwrite).
        type: str
        choices:
          - full_refresh_overwrite
          - full_refresh_overwrite_deduped
          - full_refresh_append
          - full_refresh_update
          - full_refresh_soft_delete
          - incremental_append
          - incremental_deduped_history
          - incremental_update
          - incremental_soft_delete
      cursor_field:
        description: Path of the field that tells new rows from old ones.
        type: list
        elements: str
      primary_key:
        description: Fields that identify a row, each a name or a path.
        type: list
        elements: raw
  namespace_definition:
    description:
      - Where the data goes, to the source's namespace, to the destination's default, or to O(namespace_format).
    type: str
    choices: [source, destination, custom_format]
  namespace_format:
    description:
      - Namespace in the destination for O(namespace_definition=custom_format).
    type: str
  prefix:
    description:
      - Text before the name of each table in the destination.
    type: str
  schedule:
    description:
      - When to sync.
    type: dict
    suboptions:
      type:
        description: V(manual) means when asked, V(cron) by O(schedule.cron_expression).
        type: str
        required: true
        choices: [manual, cron]
      cron_expression:
        description: Quartz expression with seconds, for example V(0 0 3 * * ?). UTC unless it ends in another zone.
        type: str
  schema_change:
    description:
      - What to do when the source's schema changes in a way that breaks nothing.
    type: str
    choices: [ignore, disable_connection, propagate_columns, propagate_fully]
  status:
    description:
      - Whether the connection may sync.
    type: str
    choices: [active, inactive]
  state:
    description:
      - Whether it should exist.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: thehanger.platform.airbyte_sync
"""

EXAMPLES = r"""
- name: Load members and their climbs every night
  thehanger.platform.airbyte_connection:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    name: thehangerdb to warehouse
    source: thehangerdb
    destination: warehouse
    namespace_definition: custom_format
    namespace_format: THEHANGERDB
    schedule:
      type: cron
      cron_expression: 0 0 3 * * ?
    streams:
      - name: members
        sync_mode: full_refresh_overwrite
      - name: routeclimbs
        sync_mode: incremental_deduped_history
        cursor_field: [route_climb_start_datetime]
        primary_key: [route_climb_id]

- name: Remove it
  thehanger.platform.airbyte_connection:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    name: thehangerdb to warehouse
    state: absent
"""

RETURN = r"""
connection:
  description: The connection as Airbyte shows it.
  returned: always
  type: dict
  sample: {"connectionId": "9924bcd0-99be-453d-ba47-c2c9766f7da5", "name": "thehangerdb to warehouse"}
problems:
  description: What is wrong with the streams, each as one sentence.
  returned: when streams do not fit the source
  type: list
  elements: str
  sample: ["stream 'memberz' does not exist in source 'thehangerdb'; did you mean 'members'?"]
"""

from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.arguments import (
    airbyte_module,
    client_of,
    finish,
)
from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.connection import desired_from, ensure

SYNC_MODES = [
    "full_refresh_overwrite",
    "full_refresh_overwrite_deduped",
    "full_refresh_append",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
]
STREAM: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "sync_mode": {"type": "str", "choices": SYNC_MODES},
    "cursor_field": {"type": "list", "elements": "str", "no_log": False},
    "primary_key": {"type": "list", "elements": "raw", "no_log": False},
}
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "workspace": {"type": "str"},
    "source": {"type": "str"},
    "destination": {"type": "str"},
    "allow_recreate": {"type": "bool", "default": False},
    "streams": {"type": "list", "elements": "dict", "options": STREAM},
    "namespace_definition": {"type": "str", "choices": ["source", "destination", "custom_format"]},
    "namespace_format": {"type": "str"},
    "prefix": {"type": "str"},
    "schedule": {
        "type": "dict",
        "options": {
            "type": {"type": "str", "required": True, "choices": ["manual", "cron"]},
            "cron_expression": {"type": "str"},
        },
        "required_if": [("type", "cron", ["cron_expression"])],
    },
    "schema_change": {
        "type": "str",
        "choices": ["ignore", "disable_connection", "propagate_columns", "propagate_fully"],
    },
    "status": {"type": "str", "choices": ["active", "inactive"]},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
}


def main() -> None:
    module = airbyte_module(
        ARGUMENTS,
        required_if=[
            ("state", "present", ["source", "destination"]),
            ("namespace_definition", "custom_format", ["namespace_format"]),
        ],
    )
    client = client_of(module)

    def work() -> dict[str, Any]:
        outcome = ensure(client, desired_from(module.params), module.check_mode)
        return {
            "changed": outcome.changed,
            "diff": {"before": dict(outcome.before), "after": dict(outcome.after)},
            "connection": dict(outcome.entity),
        }

    finish(module, work)


if __name__ == "__main__":
    main()

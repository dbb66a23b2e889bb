#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: airbyte_source
short_description: Manage sources of Airbyte
version_added: 0.1.0
description:
  - Creates, changes and deletes a source of Airbyte through its public API.
  - Secrets that Airbyte masks are compared by fingerprint, see O(secrets_file).
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.airbyte
  - thehanger.platform.airbyte.actor
attributes:
  diff_mode:
    description: Shows what was set; a secret only as changed or unchanged.
    support: full
seealso:
  - module: thehanger.platform.airbyte_destination
  - module: thehanger.platform.airbyte_connection
"""

EXAMPLES = r"""
- name: Describe the gym's database to Airbyte
  thehanger.platform.airbyte_source:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    name: thehangerdb
    type: postgres
    configuration:
      host: 10.77.1.10
      port: 5432
      database: thehangerdb
      username: extraction
      password: "{{ extraction_password }}"
      schemas: [public]
      ssl_mode: {mode: prefer}
      replication_method: {method: Standard}
      tunnel_method: {tunnel_method: NO_TUNNEL}

- name: Remove it
  thehanger.platform.airbyte_source:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    name: thehangerdb
    state: absent
"""

RETURN = r"""
source:
  description: The source as Airbyte shows it, without secrets.
  returned: always
  type: dict
  sample: {"sourceId": "18dccc91-0ab1-4f72-9ed7-0b8fc27c5826", "name": "thehangerdb", "sourceType": "postgres"}
check:
  description: Result of Airbyte's connection test, empty when none was made.
  returned: always
  type: dict
  sample: {"status": "succeeded", "message": null}
"""

from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.arguments import actor_module


def main() -> None:
    actor_module("source")


if __name__ == "__main__":
    main()

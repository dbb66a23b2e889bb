#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: airbyte_destination
short_description: Manage destinations of Airbyte
version_added: 0.1.0
description:
  - Creates, changes and deletes a destination of Airbyte through its public API.
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
  - module: thehanger.platform.airbyte_source
  - module: thehanger.platform.airbyte_connection
"""

EXAMPLES = r"""
- name: Describe the warehouse to Airbyte
  thehanger.platform.airbyte_destination:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    name: warehouse
    type: snowflake
    configuration:
      host: myorganization-myaccount.snowflakecomputing.com
      role: LOADER
      warehouse: LOADING
      database: RAW
      schema: THEHANGERDB
      username: AIRBYTE
      credentials:
        auth_type: Key Pair Authentication
        private_key: "{{ lookup('ansible.builtin.file', 'airbyte.p8') }}"

- name: Remove it
  thehanger.platform.airbyte_destination:
    client_id: "{{ airbyte_client_id }}"
    client_secret: "{{ airbyte_client_secret }}"
    name: warehouse
    state: absent
"""

RETURN = r"""
destination:
  description: The destination as Airbyte shows it, without secrets.
  returned: always
  type: dict
  sample: {"destinationId": "18dccc91-0ab1-4f72-9ed7-0b8fc27c5826", "name": "warehouse", "destinationType": "snowflake"}
check:
  description: Result of Airbyte's connection test, empty when none was made.
  returned: always
  type: dict
  sample: {"status": "succeeded", "message": null}
"""

from ansible_collections.thehanger.platform.plugins.module_utils.airbyte.arguments import actor_module


def main() -> None:
    actor_module("destination")


if __name__ == "__main__":
    main()

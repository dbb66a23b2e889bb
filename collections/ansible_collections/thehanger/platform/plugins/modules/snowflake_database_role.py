#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snowflake_database_role
short_description: Manage database roles in Snowflake
version_added: 0.1.0
description:
  - Creates, alters and drops database roles, and grants them to roles.
  - A thin module over the engine of M(thehanger.platform.snowflake_account), which does all kinds at once.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.snowflake
  - thehanger.platform.snowflake.changes
  - thehanger.platform.snowflake_access.database_roles
seealso:
  - module: thehanger.platform.snowflake_account
  - module: thehanger.platform.snowflake_role
  - module: thehanger.platform.snowflake_grants
"""

EXAMPLES = r"""
- name: Have a role for reading a database
  thehanger.platform.snowflake_database_role:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    database_roles:
      - {name: RAW.READER, granted_to: [TRANSFORMER], comment: Reads RAW}
"""

RETURN = r"""
plan:
  description: The steps, in order.
  returned: success
  type: list
  elements: dict
  sample: [{"action": "create", "kind": "database role", "name": "RAW.READER"}]
statements:
  description: The statements of the steps; in check mode, those that would be sent.
  returned: success
  type: list
  elements: str
  sample: ['CREATE DATABASE ROLE "RAW"."READER"']
seconds:
  description: Time spent on reading and planning, and on applying.
  returned: success
  type: dict
  sample: {"plan": 0.41, "apply": 0.12}
applied:
  description: The statements that had been applied when one failed.
  returned: when a statement fails
  type: list
  elements: str
not_applied:
  description: The statements that were still to come when one failed.
  returned: when a statement fails
  type: list
  elements: str
missing:
  description: What the options refer to and what neither exists nor is created here.
  returned: when something is missing
  type: list
  elements: str
"""

from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.apply import apply_module


def main() -> None:
    apply_module("database_roles")


if __name__ == "__main__":
    main()

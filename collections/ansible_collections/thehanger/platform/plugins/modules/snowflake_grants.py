#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snowflake_grants
short_description: Manage privileges of roles in Snowflake
version_added: 0.1.0
description:
  - Grants and revokes privileges on objects, on all objects that exist in a container, and on future ones.
  - A thin module over the engine of M(thehanger.platform.snowflake_account), which does all kinds at once.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.snowflake
  - thehanger.platform.snowflake.changes
  - thehanger.platform.snowflake_access.grants
seealso:
  - module: thehanger.platform.snowflake_account
  - module: thehanger.platform.snowflake_role
"""

EXAMPLES = r"""
- name: Let the reporters read the marts
  thehanger.platform.snowflake_grants:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    grants:
      - {role: REPORTER, privileges: [USAGE], type: database, name: ANALYTICS}
      - {role: REPORTER, privileges: [USAGE], type: schema, name: ANALYTICS.MARTS}
      - {role: REPORTER, privileges: [SELECT], type: table, all_in: ANALYTICS.MARTS}
      - {role: REPORTER, privileges: [SELECT], type: table, future_in: ANALYTICS.MARTS}

- name: Take a privilege back
  thehanger.platform.snowflake_grants:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    grants:
      - {role: REPORTER, privileges: [SELECT], type: table, name: ANALYTICS.MARTS.SALARIES, state: absent}
"""

RETURN = r"""
plan:
  description: The steps, in order.
  returned: success
  type: list
  elements: dict
  sample: [{"action": "create", "kind": "grant", "name": "USAGE on database ANALYTICS to role REPORTER"}]
statements:
  description: The statements of the steps; in check mode, those that would be sent.
  returned: success
  type: list
  elements: str
  sample: ['GRANT USAGE ON DATABASE "ANALYTICS" TO ROLE "REPORTER"']
unlisted:
  description: Privileges of the roles in O(grants) that no entry lists and no future grant explains, by role.
  returned: when grants are described
  type: dict
  sample: {"role REPORTER": ["INSERT on table ANALYTICS.MARTS.CLIMBS"]}
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
    apply_module("grants", "exclusive")


if __name__ == "__main__":
    main()

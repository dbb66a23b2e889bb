#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snowflake_account
short_description: Manage a Snowflake account
version_added: 0.1.0
description:
  - Brings everything that the other modules manage into the state that is described, in one task.
  - That is roles and users with what they may do, warehouses and their limits, databases and what stands in them,
    policies, tags and parameters.
  - Reads the account with one listing per kind of object and one per role, plans all changes in the order of their
    dependencies, and applies them over one login.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.snowflake
  - thehanger.platform.snowflake.changes
  - thehanger.platform.snowflake.resource_monitors
  - thehanger.platform.snowflake.warehouses
  - thehanger.platform.snowflake.databases
  - thehanger.platform.snowflake.schemas
  - thehanger.platform.snowflake_access.roles
  - thehanger.platform.snowflake.users
  - thehanger.platform.snowflake_access.grants
  - thehanger.platform.snowflake_access.database_roles
  - thehanger.platform.snowflake_access.role_memberships
  - thehanger.platform.snowflake_access.ownership
  - thehanger.platform.snowflake_policies.network_rules
  - thehanger.platform.snowflake_policies.network_policies
  - thehanger.platform.snowflake_policies.authentication_policies
  - thehanger.platform.snowflake_policies.tokens
  - thehanger.platform.snowflake_policies.tags
  - thehanger.platform.snowflake_policies.parameters
  - thehanger.platform.snowflake_stages.storage_integrations
  - thehanger.platform.snowflake_stages.file_formats
  - thehanger.platform.snowflake_stages.stages
seealso:
  - module: thehanger.platform.snowflake_resource_monitor
  - module: thehanger.platform.snowflake_warehouse
  - module: thehanger.platform.snowflake_database
  - module: thehanger.platform.snowflake_schema
  - module: thehanger.platform.snowflake_role
  - module: thehanger.platform.snowflake_user
  - module: thehanger.platform.snowflake_grants
  - module: thehanger.platform.snowflake_role_membership
  - module: thehanger.platform.snowflake_ownership
  - module: thehanger.platform.snowflake_database_role
  - module: thehanger.platform.snowflake_network_rule
  - module: thehanger.platform.snowflake_network_policy
  - module: thehanger.platform.snowflake_authentication_policy
  - module: thehanger.platform.snowflake_token
  - module: thehanger.platform.snowflake_tag
  - module: thehanger.platform.snowflake_parameter
  - module: thehanger.platform.snowflake_storage_integration
  - module: thehanger.platform.snowflake_file_format
  - module: thehanger.platform.snowflake_stage
  - module: thehanger.platform.snowflake_query
"""

EXAMPLES = r"""
- name: Describe the account
  thehanger.platform.snowflake_account:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    resource_monitors:
      - {name: LOADING, credit_quota: 10, frequency: monthly, triggers: [{at: 100, do: suspend}]}
    warehouses:
      - {name: LOADING, size: XSMALL, auto_suspend: 60, resource_monitor: LOADING}
    databases:
      - {name: RAW, comment: Landing}
    schemas:
      - {name: RAW.THEHANGERDB}
    roles:
      - {name: LOADER, granted_to: [SYSADMIN]}
      - {name: TRANSFORMER, granted_to: [SYSADMIN]}
    users:
      - name: AIRBYTE
        rsa_public_key: "{{ lookup('ansible.builtin.file', '~/.snowflake/airbyte.pub') }}"
        default_role: LOADER
        default_warehouse: LOADING
        roles: [LOADER]
    grants:
      - {role: LOADER, privileges: [USAGE], type: warehouse, name: LOADING}
      - {role: LOADER, privileges: [USAGE, CREATE SCHEMA], type: database, name: RAW}
      - {role: TRANSFORMER, privileges: [USAGE], type: database, name: RAW}
      - {role: TRANSFORMER, privileges: [USAGE], type: schema, future_in: RAW}
      - {role: TRANSFORMER, privileges: [USAGE], type: schema, all_in: RAW}
      - {role: TRANSFORMER, privileges: [SELECT], type: table, future_in: RAW}
      - {role: TRANSFORMER, privileges: [SELECT], type: table, all_in: RAW}
"""

RETURN = r"""
plan:
  description: The steps, in order.
  returned: success
  type: list
  elements: dict
  sample: [{"action": "create", "kind": "role", "name": "LOADER"}]
statements:
  description: The statements of the steps; in check mode, those that would be sent.
  returned: success
  type: list
  elements: str
  sample: ['CREATE ROLE "LOADER"']
unlisted:
  description: Privileges of the roles in O(grants) that no entry lists and no future grant explains, by role.
  returned: when grants are described
  type: dict
  sample: {"role REPORTER": ["INSERT on table ANALYTICS.MARTS.CLIMBS"]}
credits:
  description: Quota, used and remaining credits of the resource monitors, where they were read.
  returned: when resource monitors are described or referred to
  type: dict
  sample: {"THEHANGER": {"credit_quota": "20.00", "used_credits": "1.50", "remaining_credits": "18.50"}}
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
    apply_module()


if __name__ == "__main__":
    main()

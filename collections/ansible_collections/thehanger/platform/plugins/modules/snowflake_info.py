#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snowflake_info
short_description: Describe what a Snowflake account holds
version_added: 0.1.0
description:
  - Returns what an account holds as the options of M(thehanger.platform.snowflake_account), so that an account that
    was built by hand can be taken over. Given back to it, they change nothing.
  - Reads over one login with one listing per kind of object, three statements per role, and one for each object
    of which a listing does not tell everything, such as a user with keys.
  - Names are as the modules take them, in double quotes only where they need them.
  - Passwords and tokens cannot be read and are not returned. A public key is no secret and is.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.snowflake
options:
  gather:
    description:
      - What to describe. Who has a role stands with V(roles), V(database_roles) and V(users).
      - V(ownership) is not among the defaults, since it has an entry for every table. V(parameters) are those that are
        set for the account itself.
    type: list
    elements: str
    choices:
      - roles
      - resource_monitors
      - warehouses
      - databases
      - schemas
      - database_roles
      - tags
      - network_rules
      - network_policies
      - authentication_policies
      - storage_integrations
      - file_formats
      - stages
      - users
      - grants
      - ownership
      - parameters
    default:
      - roles
      - resource_monitors
      - warehouses
      - databases
      - schemas
      - database_roles
      - tags
      - network_rules
      - network_policies
      - authentication_policies
      - storage_integrations
      - file_formats
      - stages
      - users
      - grants
      - parameters
  patterns:
    description:
      - Shell patterns of names for some of O(gather), by what is gathered, for example V(RAW*) for databases and
        V(RAW.*) for schemas. What has none is described whole.
      - They are compared with the name as it is returned, of a schema with its database in front, and for V(grants)
        with the name of the role.
    type: dict
    default: {}
notes:
  - Left out without a word are what Snowflake itself puts into every account and what comes with a share, whether a
    warehouse is running right now, tokens, tags on objects, and parameters and policies of single objects and users.
  - The session's role sees only objects that it may see; O(role=ACCOUNTADMIN) sees all of them.
  - SHOW returns 10,000 objects at most; an account that has more of a kind is refused.
attributes:
  check_mode:
    description: Reads in check mode too.
    support: full
  diff_mode:
    description: Nothing changes.
    support: none
seealso:
  - module: thehanger.platform.snowflake_account
  - module: thehanger.platform.snowflake_query
"""

EXAMPLES = r"""
- name: Describe the account
  thehanger.platform.snowflake_info:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
  register: existing

- name: Find that the description is complete
  thehanger.platform.snowflake_account:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    roles: "{{ existing.account.roles }}"
    warehouses: "{{ existing.account.warehouses }}"
    databases: "{{ existing.account.databases }}"
    schemas: "{{ existing.account.schemas }}"
    users: "{{ existing.account.users }}"
    grants: "{{ existing.account.grants }}"
  check_mode: true

- name: Ask who may do what in the landing zone
  thehanger.platform.snowflake_info:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: ACCOUNTADMIN
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    gather: [schemas, roles, grants]
    patterns:
      schemas: ["RAW.*"]
      roles: [LOADER, TRANSFORMER]
"""

RETURN = r"""
account:
  description:
    - The description, by the options of M(thehanger.platform.snowflake_account), with an empty list for what is
      gathered and of which there is none.
  returned: success
  type: dict
  sample:
    databases: [{"name": "RAW", "comment": "Landing", "data_retention_days": 1}]
    roles: [{"name": "LOADER", "granted_to": ["SYSADMIN"]}]
    grants: [{"role": "LOADER", "privileges": ["CREATE SCHEMA", "USAGE"], "type": "database", "name": "RAW"}]
left_out:
  description: What is there and no option can say, with the reason.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object, or V(grant).
      returned: always
      type: str
    name:
      description: Its name, or the grant in words.
      returned: always
      type: str
    reason:
      description: Why it is left out.
      returned: always
      type: str
  sample: [{"kind": "grant", "name": "USAGE on function RAW.GYM.F to role LOADER", "reason": "a function ..."}]
seconds:
  description: Time spent on reading.
  returned: success
  type: float
  sample: 0.41
"""

from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.apply import info_module


def main() -> None:
    info_module()


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: snowflake_query
short_description: Read from Snowflake
version_added: 0.1.0
description:
  - Runs statements over one login and returns their rows.
  - Only statements that read are sent. They begin with C(SELECT), C(WITH), C(VALUES), C(SHOW), C(DESC), C(DESCRIBE) or
    C(EXPLAIN); anything else fails before the login.
author:
  - The Hanger data platform contributors (@thehanger)
extends_documentation_fragment:
  - thehanger.platform.snowflake
options:
  statements:
    description:
      - Statements, one per element.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Reads in check mode too.
    support: full
  diff_mode:
    description: Nothing changes.
    support: none
seealso:
  - module: thehanger.platform.snowflake_account
"""

EXAMPLES = r"""
- name: Count members and say who asks
  thehanger.platform.snowflake_query:
    account: myorg-myaccount
    user: HANGER_PROVISIONER
    role: TRANSFORMER
    warehouse: TRANSFORMING
    private_key_path: ~/.snowflake/hanger_provisioner.p8
    statements:
      - SELECT count(*) AS members FROM RAW.THEHANGERDB.MEMBERS
      - SELECT current_user() AS who, current_role() AS role
  register: asked

- name: Show the answers
  ansible.builtin.debug:
    msg: "{{ asked.results[1].rows[0].WHO }} counted {{ asked.results[0].rows[0].MEMBERS }} members"
"""

RETURN = r"""
results:
  description: One answer for each statement. Columns are named as Snowflake names them, in SHOW and DESC in lower case.
  returned: success
  type: list
  elements: dict
  contains:
    statement:
      description: The statement.
      returned: success
      type: str
    rows:
      description: Its rows. Dates and times are in ISO 8601, whole numbers are integers, other decimals are strings.
      returned: success
      type: list
      elements: dict
  sample: [{"statement": "SELECT count(*) AS members FROM members", "rows": [{"MEMBERS": 50}]}]
rows:
  description: The rows of the last statement.
  returned: success
  type: list
  elements: dict
  sample: [{"MEMBERS": 50}]
"""

from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.apply import query_module


def main() -> None:
    query_module()


if __name__ == "__main__":
    main()

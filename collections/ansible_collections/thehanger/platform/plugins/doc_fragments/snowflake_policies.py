# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options of policies and tags."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of network rules, network policies, authentication policies, tags and parameters."""

    NETWORK_RULES = r"""
options:
  network_rules:
    description:
      - Network rules, the addresses that policies are made of.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database, schema and name, for example V(GOVERNANCE.NETWORK.OFFICE).
        type: str
        required: true
      type:
        description: What the values are. Needed, and cannot be changed later.
        type: str
        choices: [ipv4, ipv6, awsvpceid, azurelinkid, host_port, private_host_port]
      mode:
        description:
          - Whether the rule is about what comes in or what goes out. Left out, Snowflake takes V(ingress). It cannot be
            changed later.
        type: str
        choices: [ingress, internal_stage, egress]
      value_list:
        description: All addresses, networks, endpoints or hosts of the rule. Needed.
        type: list
        elements: str
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    NETWORK_POLICIES = r"""
options:
  network_policies:
    description:
      - Network policies, which say from where users may log in.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the policy.
        type: str
        required: true
      allowed_network_rule_list:
        description: Network rules whose addresses are let in.
        type: list
        elements: str
      blocked_network_rule_list:
        description: Network rules whose addresses are kept out.
        type: list
        elements: str
      allowed_ip_list:
        description: IPv4 addresses and networks that are let in.
        type: list
        elements: str
      blocked_ip_list:
        description: IPv4 addresses and networks that are kept out.
        type: list
        elements: str
      account:
        description:
          - Whether the policy is in force for the whole account. V(false) leaves the account alone.
          - Snowflake refuses a policy that would shut out the session itself.
        type: bool
      users:
        description: Users for whom the policy is in force. Others keep it.
        type: list
        elements: str
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    AUTHENTICATION_POLICIES = r"""
options:
  authentication_policies:
    description:
      - Authentication policies, which say how users may log in.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database, schema and name, for example V(GOVERNANCE.POLICIES.SERVICES).
        type: str
        required: true
      authentication_methods:
        description:
          - Methods that are accepted, for example V(KEYPAIR), V(PASSWORD), V(OAUTH), V(SAML),
            V(PROGRAMMATIC_ACCESS_TOKEN) and V(ALL).
        type: list
        elements: str
      client_types:
        description:
          - Clients that are accepted, for example V(DRIVERS), V(SNOWFLAKE_UI), V(SNOWFLAKE_CLI) and V(ALL).
        type: list
        elements: str
      security_integrations:
        description: Security integrations that are accepted.
        type: list
        elements: str
      mfa_enrollment:
        description: Who must enrol in multi-factor authentication.
        type: str
        choices: [required, required_password_only, optional]
      account:
        description: Whether the policy is in force for the whole account. V(false) leaves the account alone.
        type: bool
      users:
        description: Users for whom the policy is in force. Others keep it.
        type: list
        elements: str
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    TAGS = r"""
options:
  tags:
    description:
      - Tags, with the objects that carry them.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database, schema and name, for example V(GOVERNANCE.TAGS.COST_CENTER).
        type: str
        required: true
      allowed_values:
        description: All values that the tag may have. Left out, any.
        type: list
        elements: str
      objects:
        description: Objects that carry the tag. Others keep it.
        type: list
        elements: dict
        suboptions:
          type:
            description: Type of the object.
            type: str
            required: true
            choices: [database, role, schema, user, warehouse]
          name:
            description: Name of the object.
            type: str
            required: true
          value:
            description: Value of the tag. Without it, the tag is taken off the object.
            type: str
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    PARAMETERS = r"""
options:
  parameters:
    description:
      - Parameters of the account and of objects.
    type: list
    elements: dict
    suboptions:
      type:
        description: What the parameters are set on.
        type: str
        required: true
        choices: [account, database, schema, user, warehouse]
      name:
        description: Name of the object. None for V(account).
        type: str
      parameters:
        description:
          - Parameters and their values; V(null) unsets one. A value that is only inherited counts as a change until it
            is set on the object itself.
          - For example V(STATEMENT_TIMEOUT_IN_SECONDS), V(TIMEZONE) and V(NETWORK_POLICY), which are explained in the
            reference of parameters (https://docs.snowflake.com/en/sql-reference/parameters).
        type: dict
        required: true
"""

    TOKENS = r"""
options:
  tokens:
    description:
      - Programmatic access tokens, for clients that cannot log in with a key. Prefer keys.
      - Snowflake lets a service use one only where a network policy is in force for it.
    type: list
    elements: dict
    suboptions:
      user:
        description: User who owns the token.
        type: str
        required: true
      name:
        description: Name of the token.
        type: str
        required: true
      path:
        description:
          - File that keeps the secret, mode 0600, where the module runs. Needed, since Snowflake tells the secret only
            once.
        type: path
      role_restriction:
        description: The one role that the token may use. It cannot be changed later.
        type: str
      days_to_expiry:
        description: Days after which a new token ends, at most 365. Left out, Snowflake takes 15.
        type: int
      renew_days:
        description:
          - How many days before its end the token gets a new secret. The former secret works for another day.
          - A token that has ended gets a new secret in any case.
        type: int
        default: 0
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

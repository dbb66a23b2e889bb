# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options of roles and what they may do."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of roles, database roles, memberships, privileges and ownership."""

    ROLES = r"""
options:
  roles:
    description:
      - Account roles.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      granted_to:
        description: Roles that get this role. Others keep it.
        type: list
        elements: str
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists. The roles that every account has cannot be V(absent).
        type: str
        choices: [present, absent]
        default: present
"""

    DATABASE_ROLES = r"""
options:
  database_roles:
    description:
      - Database roles.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database and name, for example V(RAW.READER).
        type: str
        required: true
      granted_to:
        description: Roles that get this role. Others keep it.
        type: list
        elements: str
      granted_to_database_roles:
        description: Database roles of the same database that get this role. Others keep it.
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

    ROLE_MEMBERSHIPS = r"""
options:
  role_memberships:
    description:
      - Roles, with the roles and users who hold them.
    type: list
    elements: dict
    suboptions:
      role:
        description: Role that is granted. Either this or O(role_memberships[].database_role) is needed.
        type: str
      database_role:
        description: Database role that is granted instead, for example V(RAW.READER).
        type: str
      roles:
        description: Roles that hold the role.
        type: list
        elements: str
      database_roles:
        description: Database roles of the same database that hold the database role.
        type: list
        elements: str
      users:
        description: Users who hold the role.
        type: list
        elements: str
      exclusive:
        description:
          - Whether the role is revoked from everybody whom no entry of the task names. Refused for the roles that every
            account has.
        type: bool
        default: false
      state:
        description: Whether the named ones hold the role.
        type: str
        choices: [present, absent]
        default: present
"""

    GRANTS = r"""
options:
  exclusive:
    description:
      - Whether privileges that O(grants) does not list are revoked from the roles that occur there, future grants
        included. Left off, they are returned as RV(unlisted).
      - Never revoked are ownership, roles that a role holds, privileges on imported databases, and what a listed future
        grant gave. Refused for the roles that every account has.
    type: bool
    default: false
  grants:
    description:
      - Privileges of roles.
    type: list
    elements: dict
    suboptions:
      role:
        description: Role that holds the privileges. Either this or O(grants[].database_role) is needed.
        type: str
      database_role:
        description: Database role that holds the privileges instead, for example V(RAW.READER).
        type: str
      privileges:
        description:
          - Privileges, for example V(USAGE) and V(CREATE SCHEMA). V(ALL) is refused, since it cannot be compared.
            Ownership is transferred by O(ignore:ownership).
          - V(IMPORTED PRIVILEGES) is given alone, on a database that comes from a share, such as C(SNOWFLAKE).
        type: list
        elements: str
        required: true
      type:
        description: Type of the objects, in the singular.
        type: str
        required: true
        choices:
          - account
          - aggregation_policy
          - alert
          - authentication_policy
          - compute_pool
          - connection
          - database
          - database_role
          - dynamic_table
          - event_table
          - external_table
          - external_volume
          - failover_group
          - file_format
          - function
          - git_repository
          - iceberg_table
          - image_repository
          - integration
          - masking_policy
          - materialized_view
          - model
          - network_policy
          - network_rule
          - notebook
          - packages_policy
          - password_policy
          - pipe
          - procedure
          - projection_policy
          - replication_group
          - resource_monitor
          - role
          - row_access_policy
          - schema
          - secret
          - sequence
          - service
          - session_policy
          - stage
          - stream
          - streamlit
          - table
          - tag
          - task
          - user
          - view
          - warehouse
      name:
        description:
          - The one object. Exactly one of O(grants[].name), O(grants[].future_in) and O(grants[].all_in) says where,
            none for V(account).
        type: str
      future_in:
        description: Database or schema in which every object of the type carries the privileges from its creation on.
        type: str
      all_in:
        description: Database or schema in which every object of the type that exists now carries the privileges.
        type: str
      grant_option:
        description:
          - Whether the role may grant the privileges on. Left out, that is not touched.
        type: bool
      state:
        description: Whether the role holds them.
        type: str
        choices: [present, absent]
        default: present
"""

    OWNERSHIP = r"""
options:
  ownership:
    description:
      - Owners of objects.
    type: list
    elements: dict
    suboptions:
      role:
        description: Role that is the owner. Either this or O(ownership[].database_role) is needed.
        type: str
      database_role:
        description: Database role that is the owner instead, for example V(RAW.READER).
        type: str
      type:
        description: Type of the objects, in the singular.
        type: str
        required: true
        choices:
          - account
          - aggregation_policy
          - alert
          - authentication_policy
          - compute_pool
          - connection
          - database
          - database_role
          - dynamic_table
          - event_table
          - external_table
          - external_volume
          - failover_group
          - file_format
          - function
          - git_repository
          - iceberg_table
          - image_repository
          - integration
          - masking_policy
          - materialized_view
          - model
          - network_policy
          - network_rule
          - notebook
          - packages_policy
          - password_policy
          - pipe
          - procedure
          - projection_policy
          - replication_group
          - resource_monitor
          - role
          - row_access_policy
          - schema
          - secret
          - sequence
          - service
          - session_policy
          - stage
          - stream
          - streamlit
          - table
          - tag
          - task
          - user
          - view
          - warehouse
      name:
        description:
          - The one object. Exactly one of O(ownership[].name), O(ownership[].future_in) and O(ownership[].all_in) says
            where.
        type: str
      future_in:
        description: Database or schema in which every object of the type belongs to the role from its creation on.
        type: str
      all_in:
        description: Database or schema in which every object of the type that exists now belongs to the role.
        type: str
      current_grants:
        description:
          - Whether the privileges that others hold on a transferred object stay (V(copy)) or go (V(revoke)).
        type: str
        choices: [copy, revoke]
        default: copy
"""

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options of what files come through."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of storage integrations, file formats and stages."""

    STORAGE_INTEGRATIONS = r"""
options:
  storage_integrations:
    description:
      - Storage integrations, through which stages reach cloud storage without keys.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the integration.
        type: str
        required: true
      provider:
        description: Provider of the storage. Needed, and cannot be changed later.
        type: str
        choices: [S3, S3GOV, GCS, AZURE]
      enabled:
        description: Whether stages may use the integration. A new one is enabled.
        type: bool
      aws_role_arn:
        description: Role in AWS that Snowflake takes on.
        type: str
      azure_tenant_id:
        description: Tenant in Azure that owns the storage.
        type: str
      allowed_locations:
        description: URLs that stages may use, or V(*). Needed.
        type: list
        elements: str
      blocked_locations:
        description: URLs that stages may not use.
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

    FILE_FORMATS = r"""
options:
  file_formats:
    description:
      - File formats.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database, schema and name, for example V(RAW.THEHANGERDB.CSV).
        type: str
        required: true
      type:
        description: Type of the files. Left out, Snowflake takes V(csv). It cannot be changed later.
        type: str
        choices: [csv, json, avro, orc, parquet, xml]
      options:
        description:
          - Options of the format, for example C(SKIP_HEADER) and C(FIELD_DELIMITER). Those that are left out are not
            managed.
        type: dict
      comment:
        description: Comment.
        type: str
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
"""

    STAGES = r"""
options:
  stages:
    description:
      - Stages.
    type: list
    elements: dict
    suboptions:
      name:
        description: Database, schema and name, for example V(RAW.THEHANGERDB.INCOMING).
        type: str
        required: true
      url:
        description: URL of an external stage. Without it, a new stage is internal.
        type: str
      storage_integration:
        description: Storage integration that reaches the URL.
        type: str
      directory:
        description: Whether the stage has a directory table.
        type: bool
      file_format:
        description: Named file format of the files in it.
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

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds by which files come in and go out: storage integrations, file formats and stages."""

from __future__ import annotations

from . import values
from .kind import Details, Kind, Property, comment, reference, several, switch, text, word


def stages(schema: Kind) -> tuple[Kind, Kind, Kind]:
    """Return storage integrations, file formats and stages."""
    in_schema = ("database_name", "schema_name", "name")
    integration = Kind(
        option="storage_integrations",
        word="STORAGE INTEGRATION",
        listing="SHOW STORAGE INTEGRATIONS",
        name_columns=("name",),
        introduction="TYPE = EXTERNAL_STAGE",
        properties=(
            text("provider", "STORAGE_PROVIDER", "storage_provider", detail=True, fixed=True),
            switch("enabled", "ENABLED", "enabled", created=True),
            text("aws_role_arn", "STORAGE_AWS_ROLE_ARN", "storage_aws_role_arn", detail=True),
            text("azure_tenant_id", "AZURE_TENANT_ID", "azure_tenant_id", detail=True),
            _locations("allowed_locations", "STORAGE_ALLOWED_LOCATIONS"),
            _locations("blocked_locations", "STORAGE_BLOCKED_LOCATIONS"),
            comment(),
        ),
        details=Details(("property", "property_value")),
    )
    file_format = Kind(
        option="file_formats",
        word="FILE FORMAT",
        listing="SHOW FILE FORMATS IN ACCOUNT",
        name_columns=in_schema,
        place=schema,
        properties=(
            word("type", "TYPE", "type", fixed=True),
            Property(
                "options",
                "",
                "format_options",
                values.format_options,
                values.observed_format_options,
                values.as_format_options,
                same=values.covers,
            ),
            comment(),
        ),
    )
    stage = Kind(
        option="stages",
        word="STAGE",
        listing="SHOW STAGES IN ACCOUNT",
        name_columns=in_schema,
        place=schema,
        properties=(
            text("url"),
            reference("storage_integration"),
            Property(
                "directory",
                "DIRECTORY",
                "directory_enabled",
                values.boolean,
                values.boolean,
                lambda value: f"(ENABLE = {values.as_keyword(value)})",
            ),
            Property(
                "file_format",
                "FILE_FORMAT",
                "format_name",
                values.reference,
                values.observed_reference,
                lambda value: f"(FORMAT_NAME = {values.as_identifier(value)})",
                detail=True,
            ),
            comment(),
        ),
        details=Details(("property", "property_value")),
    )
    return integration, file_format, stage


def _locations(option: str, keyword: str) -> Property:
    return several(
        option, keyword, values.words, values.observed_words, values.as_literals, column=keyword.lower()
    )

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Snowflake modules share: their options."""

from __future__ import annotations

from typing import Any

from .credentials import METHODS
from .desired_settings import PARAMETER_TYPES, TAG_TYPES
from .grants import TYPES

Spec = dict[str, dict[str, Any]]


CONNECTION: Spec = {
    "connection_name": {"type": "str"},
    "account": {"type": "str"},
    "user": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": ["https", "http"]},
    "role": {"type": "str"},
    "warehouse": {"type": "str"},
    "authenticator": {"type": "str", "choices": list(METHODS)},
    "private_key_path": {"type": "path"},
    "private_key_content": {"type": "str", "no_log": True},
    "private_key_passphrase": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "token_file_path": {"type": "path", "no_log": False},
    "password": {"type": "str", "no_log": True},
    "passcode": {"type": "str", "no_log": True},
    "login_timeout": {"type": "int", "default": 30},
    "network_timeout": {"type": "int", "default": 120},
}


def _list(**options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "options": options}


def _objects(*needed: str, commented: bool = True, **options: dict[str, Any]) -> dict[str, Any]:
    found = _list(name=_NAME, **options, **({"comment": _TEXT} if commented else {}), state=_STATE)
    return {**found, "required_if": [("state", "present", needed)]} if needed else found


_TEXT: dict[str, Any] = {"type": "str"}
_NAME: dict[str, Any] = {"type": "str", "required": True}
_NAMES: dict[str, Any] = {"type": "list", "elements": "str"}
_WHOLE: dict[str, Any] = {"type": "int"}
_SWITCH: dict[str, Any] = {"type": "bool"}
_STATE: dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_TYPE: dict[str, Any] = {"type": "str", "required": True, "choices": list(TYPES)}
_WHERE: dict[str, dict[str, Any]] = {"type": _TYPE, "name": _TEXT, "future_in": _TEXT, "all_in": _TEXT}


def _words(*choices: str) -> dict[str, Any]:
    return {"type": "str", "choices": list(choices)}


OBJECTS: Spec = {
    "resource_monitors": _objects(
        commented=False,
        credit_quota=_WHOLE,
        frequency=_words("monthly", "daily", "weekly", "yearly", "never"),
        triggers=_list(
            at={"type": "int", "required": True},
            do={**_words("notify", "suspend", "suspend_immediate"), "required": True},
        ),
    ),
    "warehouses": _objects(
        size=_TEXT,
        auto_suspend=_WHOLE,
        auto_resume=_SWITCH,
        initially_suspended=_SWITCH,
        suspended=_SWITCH,
        min_clusters=_WHOLE,
        max_clusters=_WHOLE,
        scaling_policy=_words("standard", "economy"),
        resource_monitor=_TEXT,
    ),
    "databases": _objects(data_retention_days=_WHOLE),
    "schemas": _objects(managed_access=_SWITCH, data_retention_days=_WHOLE),
    "roles": _objects(granted_to=_NAMES),
    "database_roles": _objects(granted_to=_NAMES, granted_to_database_roles=_NAMES),
    "users": _objects(
        type=_words("service", "legacy_service", "person"),
        rsa_public_key={"type": "str", "no_log": False},
        rsa_public_key_2={"type": "str", "no_log": False},
        login_name=_TEXT,
        display_name=_TEXT,
        email=_TEXT,
        default_role=_TEXT,
        default_warehouse=_TEXT,
        default_namespace=_TEXT,
        roles=_NAMES,
        disabled=_SWITCH,
    ),
    "role_memberships": _list(
        role=_TEXT,
        database_role=_TEXT,
        roles=_NAMES,
        database_roles=_NAMES,
        users=_NAMES,
        exclusive={"type": "bool", "default": False},
        state=_STATE,
    ),
    "grants": _list(
        role=_TEXT,
        database_role=_TEXT,
        privileges={**_NAMES, "required": True},
        **_WHERE,
        grant_option=_SWITCH,
        state=_STATE,
    ),
    "exclusive": {"type": "bool", "default": False},
    "ownership": _list(
        role=_TEXT,
        database_role=_TEXT,
        **_WHERE,
        current_grants={**_words("copy", "revoke"), "default": "copy"},
    ),
    "network_rules": _objects(
        "type",
        "value_list",
        type=_words("ipv4", "ipv6", "awsvpceid", "azurelinkid", "host_port", "private_host_port"),
        mode=_words("ingress", "internal_stage", "egress"),
        value_list=_NAMES,
    ),
    "network_policies": _objects(
        allowed_network_rule_list=_NAMES,
        blocked_network_rule_list=_NAMES,
        allowed_ip_list=_NAMES,
        blocked_ip_list=_NAMES,
        account=_SWITCH,
        users=_NAMES,
    ),
    "authentication_policies": _objects(
        authentication_methods=_NAMES,
        client_types=_NAMES,
        security_integrations=_NAMES,
        mfa_enrollment=_words("required", "required_password_only", "optional"),
        account=_SWITCH,
        users=_NAMES,
    ),
    "tags": _objects(
        allowed_values=_NAMES,
        objects=_list(
            type={**_words(*TAG_TYPES), "required": True},
            name=_NAME,
            value=_TEXT,
        ),
    ),
    "storage_integrations": _objects(
        "provider",
        "allowed_locations",
        provider=_words("S3", "S3GOV", "GCS", "AZURE"),
        enabled=_SWITCH,
        aws_role_arn=_TEXT,
        azure_tenant_id=_TEXT,
        allowed_locations=_NAMES,
        blocked_locations=_NAMES,
    ),
    "file_formats": _objects(type=_words("csv", "json", "avro", "orc", "parquet", "xml"), options={"type": "dict"}),
    "stages": _objects(url=_TEXT, storage_integration=_TEXT, directory=_SWITCH, file_format=_TEXT),
    "tokens": {
        **_list(
            user=_NAME,
            name=_NAME,
            path={"type": "path"},
            role_restriction=_TEXT,
            days_to_expiry=_WHOLE,
            renew_days={"type": "int", "default": 0},
            comment=_TEXT,
            state=_STATE,
        ),
        "no_log": False,
    },
    "parameters": _list(
        type={**_words(*PARAMETER_TYPES), "required": True},
        name=_TEXT,
        parameters={"type": "dict", "required": True},
    ),
}

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Snowflake modules share: their options."""

from __future__ import annotations

from typing import Any

from .credentials import METHODS
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


def _objects(commented: bool = True, **options: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            **options,
            **({"comment": {"type": "str"}} if commented else {}),
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    }


_NAMES = {"type": "list", "elements": "str"}
OBJECTS: Spec = {
    "resource_monitors": _objects(
        commented=False,
        credit_quota={"type": "int"},
        frequency={"type": "str", "choices": ["monthly", "daily", "weekly", "yearly", "never"]},
        triggers={
            "type": "list",
            "elements": "dict",
            "options": {
                "at": {"type": "int", "required": True},
                "do": {"type": "str", "required": True, "choices": ["notify", "suspend", "suspend_immediate"]},
            },
        },
    ),
    "warehouses": _objects(
        size={"type": "str"},
        auto_suspend={"type": "int"},
        auto_resume={"type": "bool"},
        initially_suspended={"type": "bool"},
        suspended={"type": "bool"},
        min_clusters={"type": "int"},
        max_clusters={"type": "int"},
        scaling_policy={"type": "str", "choices": ["standard", "economy"]},
        resource_monitor={"type": "str"},
    ),
    "databases": _objects(data_retention_days={"type": "int"}),
    "schemas": _objects(managed_access={"type": "bool"}, data_retention_days={"type": "int"}),
    "roles": _objects(granted_to=_NAMES),
    "users": _objects(
        type={"type": "str", "choices": ["service", "legacy_service", "person"]},
        rsa_public_key={"type": "str", "no_log": False},
        rsa_public_key_2={"type": "str", "no_log": False},
        login_name={"type": "str"},
        display_name={"type": "str"},
        email={"type": "str"},
        default_role={"type": "str"},
        default_warehouse={"type": "str"},
        default_namespace={"type": "str"},
        roles=_NAMES,
        disabled={"type": "bool"},
    ),
    "grants": {
        "type": "list",
        "elements": "dict",
        "options": {
            "role": {"type": "str", "required": True},
            "privileges": {"type": "list", "elements": "str", "required": True},
            "type": {"type": "str", "required": True, "choices": list(TYPES)},
            "name": {"type": "str"},
            "future_in": {"type": "str"},
            "all_in": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
}

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Snowflake modules share: their options."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.parameters import env_fallback

from .grants import TYPES

Spec = dict[str, dict[str, Any]]


def _env(name: str) -> tuple[Any, list[str]]:
    return env_fallback, [f"SNOWFLAKE_{name}"]


CONNECTION: Spec = {
    "account": {"type": "str", "required": True, "fallback": _env("ACCOUNT")},
    "user": {"type": "str", "required": True, "fallback": _env("USER")},
    "host": {"type": "str", "fallback": _env("HOST")},
    "port": {"type": "int", "fallback": _env("PORT")},
    "protocol": {"type": "str", "choices": ["https", "http"], "default": "https", "fallback": _env("PROTOCOL")},
    "role": {"type": "str", "fallback": _env("ROLE")},
    "warehouse": {"type": "str", "fallback": _env("WAREHOUSE")},
    "private_key_path": {"type": "path", "fallback": _env("PRIVATE_KEY_PATH")},
    "private_key_content": {"type": "str", "no_log": True, "fallback": _env("PRIVATE_KEY_CONTENT")},
    "private_key_passphrase": {"type": "str", "no_log": True, "fallback": _env("PRIVATE_KEY_PASSPHRASE")},
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

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the EC2 modules share: their options, and how they end."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .client import CONNECTION, IMPORT_ERROR, Aws, Spec
from .errors import Ec2Error

COMMON: Spec = {
    **CONNECTION,
    "project": {"type": "str", "required": True},
    "unreachable_hint": {"type": "str", "default": ""},
}

_NAME: dict[str, Any] = {"type": "str", "required": True}
_LIST: dict[str, Any] = {"type": "list", "elements": "str"}
_VOLUME: Spec = {
    "size": {"type": "int", "required": True},
    "type": {"type": "str", "default": "gp3"},
    "iops": {"type": "int"},
    "throughput": {"type": "int"},
}
_RULE: Spec = {
    "proto": {"type": "str", "default": "tcp", "choices": ["tcp", "udp", "icmp", "icmpv6", "all"]},
    "ports": _LIST,
    "cidrs": _LIST,
    "group": {"type": "str"},
    "admins": {"type": "bool", "default": False},
    "description": {"type": "str", "default": ""},
}
_INSTANCE: Spec = {
    "name": _NAME,
    "type": {"type": "str"},
    "hanger_roles": {**_LIST, "required": True},
    "security_groups": {**_LIST, "required": True},
    "subnet": {"type": "str"},
    "image": {"type": "str"},
    "root_volume": {"type": "dict", "required": True, "options": _VOLUME},
    "volumes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"device": _NAME, **_VOLUME},
    },
    "metadata_hop_limit": {"type": "int", "default": 1},
    "termination_protection": {"type": "bool", "default": False},
    "user_data": {"type": "str"},
    "elastic_ip": {"type": "bool", "default": False},
    "tags": {"type": "dict", "default": {}},
}


def _rows(**options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "options": options}


DESCRIPTION: Spec = {
    "tags": {"type": "dict", "default": {}},
    "ttl": {"type": "str", "default": ""},
    "vpc_id": {"type": "str", "default": ""},
    "vpc_cidr": {"type": "str", "default": ""},
    "subnets": {
        **_rows(name=_NAME, id={"type": "str"}, availability_zone={"type": "str"}, cidr={"type": "str"}),
        "required": True,
    },
    "admin_cidrs": {**_LIST, "default": []},
    "admin_address_url": {"type": "str", "default": "https://checkip.amazonaws.com"},
    "admin_from_anywhere": {"type": "bool", "default": False},
    "services": {
        **_rows(name=_NAME, security_group=_NAME, port={"type": "int", "required": True}),
        "default": [],
    },
    "services_open": {"type": "bool", "default": False},
    "security_groups": {
        **_rows(
            name=_NAME,
            description=_NAME,
            rules={"type": "list", "elements": "dict", "default": [], "options": _RULE},
        ),
        "required": True,
    },
    "access": {"type": "str", "default": "ssh", "choices": ["ssh", "ssm"]},
    "key_name": {"type": "str", "default": "", "no_log": False},
    "private_key_path": {"type": "path", "default": "", "no_log": False},
    "profile_policy": {"type": "list", "elements": "dict", "default": []},
    "images": {"type": "dict", "required": True},
    "image": {"type": "str", "required": True},
    "type_list": {"type": "str", "default": ""},
    "instance_types": {"type": "dict", "default": {}},
    "instances": {"type": "list", "elements": "dict", "required": True, "options": _INSTANCE},
    "allow_resize": {"type": "bool", "default": False},
    "variable_prefix": {"type": "str", "default": ""},
}


def ec2_module(options: Spec, **settings: Any) -> AnsibleModule:
    """Make a module with the options that all have."""
    return AnsibleModule(argument_spec={**COMMON, **options}, supports_check_mode=True, **settings)


def finish(module: AnsibleModule, work: Callable[[Aws], dict[str, Any]]) -> None:
    """Connect, work, and end the module with the result or with words that say what to do."""
    if IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("boto3"), exception=traceback.format_exc())
    try:
        result = work(Aws(module.params, module.params["unreachable_hint"]))
    except Ec2Error as failure:
        module.fail_json(msg=failure.message, **failure.details)
    module.exit_json(**result)

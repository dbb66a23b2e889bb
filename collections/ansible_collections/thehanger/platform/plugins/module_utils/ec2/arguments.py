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

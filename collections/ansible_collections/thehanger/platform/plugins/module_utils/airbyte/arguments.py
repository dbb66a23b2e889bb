# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Airbyte modules share: options, client, and errors as clean failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import env_fallback

from .actor import Desired, ensure, with_numbers
from .client import AirbyteClient
from .errors import AirbyteError
from .model import without_type
from .secrets import SecretStore, secret_paths, texts

SECRETS_FILE = "/var/lib/thehanger/airbyte/secrets.json"
CONNECTION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "api_url": {"type": "str", "default": "http://127.0.0.1:8000"},
    "client_id": {"type": "str", "required": True, "fallback": (env_fallback, ["AIRBYTE_CLIENT_ID"])},
    "client_secret": {
        "type": "str",
        "required": True,
        "no_log": True,
        "fallback": (env_fallback, ["AIRBYTE_CLIENT_SECRET"]),
    },
    "validate_certs": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 30},
}
ACTOR_ARGUMENTS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "workspace": {"type": "str"},
    "type": {"type": "str"},
    "definition_id": {"type": "str"},
    "configuration": {"type": "dict", "no_log": True, "default": {}},
    "check": {"type": "bool", "default": True},
    "secrets_file": {"type": "path", "default": SECRETS_FILE, "no_log": False},
    "secrets_policy": {
        "type": "str",
        "default": "on_change",
        "choices": ["on_change", "always", "never"],
        "no_log": False,
    },
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
}


def airbyte_module(arguments: Mapping[str, Any], **options: Any) -> AnsibleModule:
    """Return the module with the connection options added; all Airbyte modules support check mode."""
    return AnsibleModule({**CONNECTION_ARGUMENTS, **arguments}, supports_check_mode=True, **options)


def client_of(module: AnsibleModule, retries: int = 4) -> AirbyteClient:
    """Return a client for the module's connection options; end the module when they cannot be used."""
    given = module.params
    try:
        return AirbyteClient(
            given["api_url"],
            given["client_id"],
            given["client_secret"],
            timeout=given["timeout"],
            retries=retries,
            validate_certs=given["validate_certs"],
        )
    except AirbyteError as error:
        module.fail_json(msg=error.message, **error.details)
        raise


def finish(module: AnsibleModule, work: Callable[[], Mapping[str, Any]]) -> None:
    """Run the work and end the module with its result, or with its error."""
    try:
        result = work()
    except AirbyteError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(**result)


def actor_module(kind: str) -> None:
    """Run the module for sources or for destinations.

    Until here the whole configuration is kept out of logs; from here on only its secrets are.
    """
    module = airbyte_module(ACTOR_ARGUMENTS, mutually_exclusive=[("type", "definition_id")])
    given = module.params
    configuration = with_numbers(without_type(given["configuration"]))
    hidden = texts(configuration, secret_paths(kind, given["type"], configuration))
    module.no_log_values.clear()
    module.no_log_values.update(hidden | {given["client_secret"]})
    client = client_of(module)
    client.hide(hidden)
    desired = Desired(
        kind=kind,
        name=given["name"],
        workspace=given["workspace"],
        connector=given["type"],
        definition_id=given["definition_id"],
        configuration=configuration,
        state=given["state"],
        check=given["check"],
        policy=given["secrets_policy"],
    )

    def work() -> Mapping[str, Any]:
        outcome = ensure(client, SecretStore(given["secrets_file"]), desired, module.check_mode)
        return {
            "changed": outcome.changed,
            "diff": {"before": dict(outcome.before), "after": dict(outcome.after)},
            "check": dict(outcome.check or {}),
            kind: dict(outcome.entity),
        }

    finish(module, work)

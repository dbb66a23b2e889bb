"""Lookup of the running lab's facts: addresses, ports and keys of its endpoints."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: hanger_lab
short_description: Read the facts of the running lab
description:
  - Returns what `hanger-lab up` wrote to C(lab.json), after asking the lab's EC2 endpoint whether it answers.
  - Points the SSM and S3 clients of this process at the lab, since the connection plugin of Session Manager has no
    option for that. So nothing of a run in the lab reaches AWS by that way.
  - The lab lives in E(HANGER_LAB_DIR), else in C(.lab) beside the playbooks.
author: The Hanger data platform contributors
options: {}
"""

EXAMPLES = r"""
- ansible.builtin.debug:
    msg: "{{ lookup('hanger_lab').snowflake.host }}"
"""

RETURN = r"""
_raw:
  description: The lab's facts.
  type: list
  elements: dict
"""

HINT = "The lab is not running. Start it with 'make up' or 'hanger-lab up'."


class LookupModule(LookupBase):
    """Reads lab.json of a lab that answers."""

    def run(self, terms: Any, variables: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return one dictionary; raise AnsibleError when the lab does not run or a profile would be used instead."""
        if profiles := [name for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if os.environ.get(name)]:
            raise AnsibleError(f"The lab has keys of its own. Unset {profiles[0]} to work in it.")
        project = Path(__file__).resolve().parent.parent
        facts = Path(os.environ.get("HANGER_LAB_DIR") or project / ".lab") / "lab.json"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            lab: dict[str, Any] = json.loads(facts.read_text())
            opener.open(f"{lab['ec2']['endpoint_url']}/healthz", timeout=5).close()
        except (OSError, ValueError, KeyError):
            raise AnsibleError(HINT) from None
        # The inventory plugin asks EC2 in this process, which `environment` in a playbook does not reach.
        os.environ.setdefault("AWS_RETRY_MODE", "standard")
        os.environ.setdefault("AWS_MAX_ATTEMPTS", "10")
        if session_manager := lab.get("ssm"):
            os.environ |= {
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
                "AWS_ENDPOINT_URL_SSM": lab["ec2"]["endpoint_url"],
                "AWS_ENDPOINT_URL_S3": session_manager["s3_endpoint_url"],
            }
        return [lab]

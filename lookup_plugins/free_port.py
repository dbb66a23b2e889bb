"""Lookup of local ports that nobody listens on."""

from __future__ import annotations

import socket
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: free_port
short_description: Find local ports that are free
description:
  - Returns for each wanted port the first free one of the hundred from there on, none of them twice.
  - A port is free when a socket can be bound to it on C(127.0.0.1).
author: The Hanger data platform contributors
options:
  _terms:
    description: The wanted ports.
    required: true
"""

EXAMPLES = r"""
- ansible.builtin.debug:
    msg: "{{ query('free_port', 8000, 5050) }}"
"""

RETURN = r"""
_raw:
  description: The ports, in the order of the wanted ones.
  type: list
  elements: int
"""

SPAN = 100


class LookupModule(LookupBase):
    """Tries to bind."""

    def run(self, terms: Any, variables: Any = None, **kwargs: Any) -> list[int]:
        """Return a port for each term; raise AnsibleError when a hundred in a row are taken."""
        found: list[int] = []
        for wanted in terms:
            first = int(wanted)
            candidates = range(first, min(first + SPAN, 65536))
            port = next((port for port in candidates if port not in found and _is_free(port)), None)
            if port is None:
                raise AnsibleError(f"No port from {first} to {candidates[-1]} is free on 127.0.0.1.")
            found.append(port)
        return found


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until Airbyte answers, accepts the credentials and lists its workspaces."""

from __future__ import annotations

import time
from typing import Any

from .client import AirbyteClient
from .errors import AirbyteError, ApiError, CredentialsError, UnreachableError


def probe(client: AirbyteClient) -> list[str]:
    """Return the names of the workspaces; raise when anything on the way there does not work."""
    client.health()
    client.authenticate()
    return sorted(str(item["name"]) for item in client.pages("/workspaces"))


def wait(client: AirbyteClient, timeout: float, poll_interval: float) -> dict[str, Any]:
    """Probe until it works or the time is over; refused credentials do not heal by waiting."""
    start = time.monotonic()
    while True:
        try:
            workspaces = probe(client)
            return {"healthy": True, "workspaces": workspaces, "elapsed": round(time.monotonic() - start, 1)}
        except CredentialsError:
            raise
        except (UnreachableError, ApiError) as error:
            if time.monotonic() - start + poll_interval > timeout:
                raise AirbyteError(
                    f"Airbyte is not healthy after {time.monotonic() - start:.0f} s: {error.message}"
                ) from None
        time.sleep(poll_interval)


def look(client: AirbyteClient) -> dict[str, Any]:
    """Probe once and tell, for check mode, where Airbyte may not be installed yet."""
    try:
        return {"healthy": True, "workspaces": probe(client), "elapsed": 0.0}
    except AirbyteError as error:
        return {"healthy": False, "reason": error.message, "workspaces": [], "elapsed": 0.0}

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Airbyte's objects by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import AirbyteClient
from .errors import AirbyteError, perhaps_done
from .model import only, suggestion

ID_KEYS = {
    "workspace": "workspaceId",
    "source": "sourceId",
    "destination": "destinationId",
    "connection": "connectionId",
}


def workspace(client: AirbyteClient, name: str | None) -> dict[str, Any]:
    """Return the workspace of that name or id; without one, the only workspace of the installation."""
    found = list(client.pages("/workspaces"))
    if name:
        found_by_id = [item for item in found if item["workspaceId"] == name]
        match = found_by_id[0] if found_by_id else only("workspace", name, found, "workspaceId")
        if match is None:
            raise AirbyteError(
                f"workspace '{name}' does not exist{suggestion(name, (str(item['name']) for item in found))}"
            )
        return dict(match)
    if len(found) != 1:
        names = ", ".join(sorted(f"'{item['name']}'" for item in found)) or "none"
        raise AirbyteError(f"set the option workspace: the installation has {len(found)} ({names})")
    return found[0]


def listing(client: AirbyteClient, kind: str, workspace_id: str) -> list[dict[str, Any]]:
    """Return all sources, destinations or connections of a workspace."""
    return list(client.pages(f"/{kind}s", workspaceIds=workspace_id))


def find(client: AirbyteClient, kind: str, name: str, workspace_id: str) -> dict[str, Any] | None:
    """Return the object of that name in a workspace, None when there is none."""
    return only(kind, name, listing(client, kind, workspace_id), ID_KEYS[kind])


def require(client: AirbyteClient, kind: str, name: str, workspace_id: str) -> dict[str, Any]:
    """Return the object of that name in a workspace, raise with a near match when there is none."""
    items = listing(client, kind, workspace_id)
    found = only(kind, name, items, ID_KEYS[kind])
    if found is None:
        raise AirbyteError(f"{kind} '{name}' does not exist{suggestion(name, (str(item['name']) for item in items))}")
    return found


def create(client: AirbyteClient, kind: str, body: Mapping[str, Any], workspace_id: str) -> dict[str, Any]:
    """Create an object; where the answer is lost, look for it by its name rather than create it twice."""
    try:
        return dict(client.post(f"/{kind}s", body))
    except AirbyteError as error:
        if not perhaps_done(error):
            raise
        try:
            found = find(client, kind, str(body["name"]), workspace_id)
        except AirbyteError:
            found = None
        if found is None:
            error.message += f"; {kind} '{body['name']}' was not found afterwards, run again to create it"
            raise
        return found

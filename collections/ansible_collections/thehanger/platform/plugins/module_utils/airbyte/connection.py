# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections: which streams go from a source to a destination, how and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .actor import Outcome
from .client import AirbyteClient
from .directory import create, find, require, workspace
from .errors import AirbyteError
from .model import Step, cron, normalise
from .streams import discovered, matched, shown_streams, stream_set, validate

STREAM_KEYS = {
    "name": "name",
    "namespace": "namespace",
    "sync_mode": "syncMode",
    "cursor_field": "cursorField",
    "primary_key": "primaryKey",
}
PLAIN_KEYS = {
    "namespace_definition": "namespaceDefinition",
    "namespace_format": "namespaceFormat",
    "prefix": "prefix",
    "status": "status",
    "schema_change": "nonBreakingSchemaUpdatesBehavior",
}


@dataclass(frozen=True)
class Desired:
    """A connection as the user wants it, in the API's names; what the user did not set is not in `settings`."""

    name: str
    source: str | None = None
    destination: str | None = None
    workspace: str | None = None
    streams: Sequence[Mapping[str, Any]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    state: str = "present"
    allow_recreate: bool = False


def desired_from(options: Mapping[str, Any]) -> Desired:
    """Translate the options of the module; a stream keeps only what the user set."""
    streams = options.get("streams")
    settings = {key: options[option] for option, key in PLAIN_KEYS.items() if options.get(option) is not None}
    schedule = options.get("schedule")
    if schedule:
        settings["schedule"] = normalise(
            {"scheduleType": schedule["type"], "cronExpression": cron(schedule.get("cron_expression"))}
        )
    return Desired(
        name=options["name"],
        source=options.get("source"),
        destination=options.get("destination"),
        workspace=options.get("workspace"),
        streams=None if streams is None else [_stream(stream) for stream in streams],
        settings=settings,
        state=options.get("state", "present"),
        allow_recreate=bool(options.get("allow_recreate")),
    )


def _stream(options: Mapping[str, Any]) -> dict[str, Any]:
    stream = {STREAM_KEYS[key]: value for key, value in options.items()}
    key = [[field] if isinstance(field, str) else list(field) for field in options.get("primary_key") or []]
    return dict(normalise({**stream, "primaryKey": key}))


def observed_settings(actual: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a connection that the user cares about, written as the user writes them."""
    shown = {key: actual.get(key) for key in wanted}
    if "schedule" in wanted:
        schedule = actual.get("schedule") or {}
        shown["schedule"] = normalise(
            {"scheduleType": schedule.get("scheduleType"), "cronExpression": cron(schedule.get("cronExpression"))}
        )
    if "prefix" in wanted:
        shown["prefix"] = actual.get("prefix") or ""
    return shown


def plan_update(
    desired: Desired, actual: Mapping[str, Any], streams: Sequence[Mapping[str, Any]] | None
) -> Step | None:
    """Return the request that brings a connection to the desired state, None when it is there.

    `streams` is the complete list to write, None when the streams are as they should be.
    """
    shown = observed_settings(actual, desired.settings)
    body: dict[str, Any] = {key: value for key, value in desired.settings.items() if shown[key] != value}
    if "namespaceFormat" in body or "namespaceDefinition" in body:
        body.update({key: value for key, value in desired.settings.items() if key.startswith("namespace")})
    if streams is not None:
        body["configurations"] = {"streams": streams}
    return Step("update", "PATCH", f"/connections/{actual['connectionId']}", body) if body else None


def ensure(client: AirbyteClient, desired: Desired, check_mode: bool) -> Outcome:
    """Bring a connection to the desired state, or tell what would be done in check mode."""
    workspace_id = workspace(client, desired.workspace)["workspaceId"]
    actual = find(client, "connection", desired.name, workspace_id)
    if desired.state == "absent":
        if actual is not None and not check_mode:
            client.delete(f"/connections/{actual['connectionId']}")
        return Outcome(actual is not None, {"name": desired.name} if actual else {}, {}, actual or {})
    ends = _ends(client, desired, workspace_id, check_mode)
    if actual is not None and ends is not None and _moved(desired, actual, ends):
        return _recreate(client, desired, actual, ends, check_mode)
    if actual is None:
        return _create(client, desired, ends, check_mode)
    return _update(client, desired, actual, check_mode)


def _ends(
    client: AirbyteClient, desired: Desired, workspace_id: str, check_mode: bool
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    for option in ("source", "destination"):
        if getattr(desired, option) is None:
            raise AirbyteError(f"connection '{desired.name}' needs the option {option}")
    source, destination = str(desired.source), str(desired.destination)
    if not check_mode:
        return (
            require(client, "source", source, workspace_id),
            require(client, "destination", destination, workspace_id),
        )
    found = (
        find(client, "source", source, workspace_id),
        find(client, "destination", destination, workspace_id),
    )
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _moved(desired: Desired, actual: Mapping[str, Any], ends: tuple[Mapping[str, Any], Mapping[str, Any]]) -> bool:
    moved = [
        f"{kind} '{name}'"
        for kind, name, end in zip(("source", "destination"), (desired.source, desired.destination), ends, strict=True)
        if actual[f"{kind}Id"] != end[f"{kind}Id"]
    ]
    if moved and not desired.allow_recreate:
        raise AirbyteError(
            f"connection '{desired.name}' goes elsewhere than to {' and '.join(moved)}, and Airbyte cannot move it: "
            "set allow_recreate to delete and create it, which loses its state and job history"
        )
    return bool(moved)


def _recreate(
    client: AirbyteClient,
    desired: Desired,
    actual: Mapping[str, Any],
    ends: tuple[Mapping[str, Any], Mapping[str, Any]],
    check_mode: bool,
) -> Outcome:
    before = _shown(desired, actual)
    before.update(source=actual["sourceId"], destination=actual["destinationId"])
    _validated(client, desired, ends)
    if not check_mode:
        client.delete(f"/connections/{actual['connectionId']}")
    created = _create(client, desired, ends, check_mode)
    return Outcome(True, before, created.after, created.entity)


def _create(
    client: AirbyteClient,
    desired: Desired,
    ends: tuple[Mapping[str, Any], Mapping[str, Any]] | None,
    check_mode: bool,
) -> Outcome:
    after = {
        "name": desired.name,
        "source": desired.source,
        "destination": desired.destination,
        **desired.settings,
        **({} if desired.streams is None else {"streams": shown_streams(desired.streams)}),
    }
    if ends is None:
        return Outcome(True, {}, after, {})
    streams = _validated(client, desired, ends)
    if check_mode:
        return Outcome(True, {}, after, {})
    body: dict[str, Any] = {
        "name": desired.name,
        "sourceId": ends[0]["sourceId"],
        "destinationId": ends[1]["destinationId"],
        **desired.settings,
    }
    if streams is not None:
        body["configurations"] = {"streams": streams}
    return Outcome(True, {}, after, create(client, "connection", body, str(ends[0]["workspaceId"])))


def _update(client: AirbyteClient, desired: Desired, actual: Mapping[str, Any], check_mode: bool) -> Outcome:
    if actual.get("status") == "locked":
        raise AirbyteError(f"connection '{desired.name}' is locked by Airbyte and cannot be changed")
    streams = None
    if desired.streams is not None and not stream_set(desired.streams, actual):
        known = _streams_of(client, desired, str(actual["sourceId"]), str(actual["destinationId"]))
        streams = matched(desired.streams, known, actual)
    step = plan_update(desired, actual, streams)
    before = _shown(desired, actual)
    if step is None:
        return Outcome(False, before, before, actual)
    after = {**before, **desired.settings}
    if desired.streams is not None and streams is not None:
        after["streams"] = shown_streams(desired.streams)
    if check_mode:
        return Outcome(True, before, after, actual)
    return Outcome(True, before, after, client.patch(step.path, step.body or {}))


def _validated(
    client: AirbyteClient, desired: Desired, ends: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> list[dict[str, Any]] | None:
    if desired.streams is None:
        return None
    known = _streams_of(client, desired, str(ends[0]["sourceId"]), str(ends[1]["destinationId"]))
    return matched(desired.streams, known, None)


def _streams_of(client: AirbyteClient, desired: Desired, source_id: str, destination_id: str) -> list[dict[str, Any]]:
    """Discover the streams and validate the wanted ones; a stale cache must not condemn a new table."""
    wanted = desired.streams or []
    known = discovered(client, source_id, destination_id, fresh=False)
    if validate(wanted, known, desired.source or ""):
        known = discovered(client, source_id, destination_id, fresh=True)
    problems = validate(wanted, known, desired.source or "")
    if problems:
        raise AirbyteError("; ".join(problems), problems=problems)
    return known


def _shown(desired: Desired, actual: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": desired.name,
        "source": desired.source,
        "destination": desired.destination,
        **observed_settings(actual, desired.settings),
    }
    if desired.streams is not None:
        shown["streams"] = shown_streams((actual.get("configurations") or {}).get("streams") or [], desired.streams)
    return shown

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams of a connection: discovery, validation before any write, comparison as a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .client import AirbyteClient
from .model import normalise, restrict, same, suggestion

DISCOVERY_TIMEOUT = 300.0
KEPT = ("selectedFields", "mappers", "includeFiles", "destinationObjectName")
Stream = Mapping[str, Any]


def discovered(client: AirbyteClient, source_id: str, destination_id: str, *, fresh: bool) -> list[dict[str, Any]]:
    """Return the streams that Airbyte finds in a source."""
    answer = client.get(
        "/streams",
        timeout=DISCOVERY_TIMEOUT,
        sourceId=source_id,
        destinationId=destination_id,
        ignoreCache="true" if fresh else "false",
    )
    return list(answer.get("data") or [] if isinstance(answer, Mapping) else answer or [])


def validate(wanted: Sequence[Stream], known: Sequence[Stream], source: str) -> list[str]:
    """Return what is wrong with the wanted streams, each as one sentence with a near match."""
    problems: list[str] = []
    seen = set()
    for stream in wanted:
        key = (stream.get("namespace"), stream["name"])
        if key in seen:
            problems.append(f"stream {_label(stream)} is listed twice")
        seen.add(key)
        candidates = _candidates(stream, known)
        if len(candidates) == 1:
            problems += _field_problems(stream, candidates[0])
        elif candidates:
            places = ", ".join(sorted(str(item.get("streamnamespace")) for item in candidates))
            problems.append(f"stream '{stream['name']}' exists in several namespaces ({places}): set its namespace")
        else:
            problems.append(_unknown(stream, known, source))
    return problems


def matched(wanted: Sequence[Stream], known: Sequence[Stream], actual: Stream | None) -> list[dict[str, Any]]:
    """Return the list to write: the wanted streams with their namespaces, keeping what the user does not manage."""
    present = _present(actual)
    result = []
    for stream in wanted:
        found = _candidates(stream, known)[0]
        complete = {**stream}
        if found.get("streamnamespace"):
            complete["namespace"] = found["streamnamespace"]
        old = _same_stream(complete, present) or {}
        keys = [*KEPT, "syncMode"]
        keys += [] if found.get("sourceDefinedCursorField") else ["cursorField"]
        keys += [] if found.get("sourceDefinedPrimaryKey") else ["primaryKey"]
        kept = {key: old[key] for key in keys if normalise(old.get(key)) is not None}
        result.append({**kept, **complete})
    return result


def stream_set(wanted: Sequence[Stream], actual: Stream) -> bool:
    """Tell whether a connection has exactly the wanted streams, each with what the user set."""
    present = _present(actual)
    if len(present) != len(wanted):
        return False
    pairs = [(stream, _same_stream(stream, present)) for stream in wanted]
    found = {(old.get("namespace"), old["name"]) for _stream, old in pairs if old is not None}
    return len(found) == len(present) and all(old is not None and same(stream, old) for stream, old in pairs)


def shown_streams(streams: Sequence[Stream], wanted: Sequence[Stream] | None = None) -> list[dict[str, Any]]:
    """Return streams in a steady order for a diff, reduced to what the user set where it is known."""
    shown = []
    for stream in streams:
        like = _same_stream(stream, wanted or []) or stream
        keys = {"name": None, "syncMode": None} if wanted is not None and like is stream else like
        shown.append(dict(restrict(stream, keys)))
    return sorted(shown, key=lambda stream: (str(stream.get("namespace") or ""), str(stream["name"])))


def _present(actual: Stream | None) -> list[dict[str, Any]]:
    return list(((actual or {}).get("configurations") or {}).get("streams") or [])


def _same_stream(stream: Stream, others: Sequence[Stream]) -> Stream | None:
    namespace = stream.get("namespace")
    for other in others:
        known = other.get("namespace")
        if other["name"] == stream["name"] and (not namespace or not known or namespace == known):
            return other
    return None


def _candidates(stream: Stream, known: Sequence[Stream]) -> list[Stream]:
    namespace = stream.get("namespace")
    return [
        item
        for item in known
        if item["streamName"] == stream["name"] and (not namespace or item.get("streamnamespace") in (None, namespace))
    ]


def _label(stream: Stream) -> str:
    namespace = stream.get("namespace")
    return f"'{namespace}.{stream['name']}'" if namespace else f"'{stream['name']}'"


def _unknown(stream: Stream, known: Sequence[Stream], source: str) -> str:
    namespace, name = stream.get("namespace"), stream["name"]
    elsewhere = sorted(str(item.get("streamnamespace")) for item in known if item["streamName"] == name)
    if namespace and elsewhere:
        return f"stream {_label(stream)} does not exist in source '{source}'; did you mean namespace '{elsewhere[0]}'?"
    names = [str(item["streamName"]) for item in known]
    return f"stream {_label(stream)} does not exist in source '{source}'{suggestion(name, names)}"


def _field_problems(stream: Stream, found: Stream) -> list[str]:
    label = _label(stream)
    problems = []
    fields = [".".join(path) for path in found.get("propertyFields") or []]
    cursor = stream.get("cursorField")
    mode = stream.get("syncMode")
    modes = found.get("syncModes") or []
    if mode and modes and mode not in modes:
        problems.append(f"stream {label} cannot be synced in mode '{mode}'{suggestion(mode, modes)}")
    if cursor and found.get("sourceDefinedCursorField"):
        problems.append(f"stream {label} takes its cursor from the source: leave out cursor_field")
    elif cursor and fields and ".".join(cursor) not in fields:
        problems.append(
            f"cursor_field '{'.'.join(cursor)}' is no field of stream {label}{suggestion('.'.join(cursor), fields)}"
        )
    elif mode and mode.startswith("incremental") and not cursor and not _has_cursor(found):
        problems.append(f"stream {label} in mode '{mode}' needs a cursor_field")
    key = stream.get("primaryKey") or []
    defined = found.get("sourceDefinedPrimaryKey") or []
    for path in key:
        if fields and ".".join(path) not in fields:
            name = ".".join(path)
            problems.append(f"primary_key '{name}' is no field of stream {label}{suggestion(name, fields)}")
    if key and defined and sorted(map(tuple, key)) != sorted(map(tuple, defined)) and not problems:
        names = ", ".join(".".join(path) for path in defined)
        problems.append(f"the primary key of stream {label} is defined by the source ({names}): leave out primary_key")
    if mode and "dedup" in mode and not key and not defined:
        problems.append(f"stream {label} in mode '{mode}' needs a primary_key")
    return problems


def _has_cursor(found: Stream) -> bool:
    return bool(found.get("sourceDefinedCursorField") or found.get("defaultCursorField"))

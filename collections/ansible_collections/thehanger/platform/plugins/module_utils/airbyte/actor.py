# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources and destinations, which the API calls actors: plan and execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import secrets
from .client import AirbyteClient
from .directory import ID_KEYS, create, find, workspace
from .errors import AirbyteError, ApiError
from .model import Path, Step, merge, normalise, restrict, same, value_at, without_type

CHECK_TIMEOUT = 300.0
UNION_TAGS = ("method", "mode", "auth_type", "tunnel_method")
WHOLE_NUMBERS = {"port", "tunnel_port", "initial_waiting_seconds", "queue_size", "retention_period_days"}


@dataclass(frozen=True)
class Desired:
    """An actor as the user wants it; `configuration` has no type in it."""

    kind: str
    name: str
    workspace: str | None = None
    connector: str | None = None
    definition_id: str | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    state: str = "present"
    check: bool = True
    policy: secrets.Policy = "on_change"


@dataclass(frozen=True)
class Outcome:
    """What happened, or would happen, to an object."""

    changed: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    entity: Mapping[str, Any]
    check: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Observed:
    """An actor as Airbyte shows it: masked, and with the coordinates of its secrets."""

    entity: Mapping[str, Any]
    coordinates: Mapping[str, Any]
    record: Mapping[str, Mapping[str, Any]]


def with_numbers(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Turn digits into numbers in the fields that Airbyte wants as numbers."""
    converted: dict[str, Any] = {}
    for key, value in configuration.items():
        if isinstance(value, Mapping):
            converted[key] = with_numbers(value)
        elif key in WHOLE_NUMBERS and isinstance(value, str) and value.strip().isdigit():
            converted[key] = int(value)
        else:
            converted[key] = value
    return converted


def changed_secrets(
    desired: Desired, observed: Observed, paths: frozenset[Path], store: secrets.SecretStore
) -> set[Path]:
    """Return the paths of the secrets that must be written."""
    found = set()
    for path in paths:
        value = value_at(desired.configuration, path)
        if value is None or secrets.masked(value):
            continue
        if secrets.changed(
            str(value),
            value_at(observed.entity["configuration"], path),
            secrets.coordinate_at(observed.coordinates, path),
            observed.record.get(".".join(path)),
            store.fingerprint(str(value)),
            desired.policy,
        ):
            found.add(path)
    return found


def plan_update(desired: Desired, observed: Observed, paths: frozenset[Path], rewritten: set[Path]) -> Step | None:
    """Return the request that brings an actor to the desired state, None when it is there.

    PATCH merges objects, so a change of variant (another ssl mode, another way to log in) takes a PUT: what the old
    variant needed must not stay behind. All else is sent as Airbyte shows it, whose masks keep the secrets there are.
    """
    actual = observed.entity["configuration"]
    plain = secrets.without(desired.configuration, paths)
    if same(plain, actual) and not rewritten:
        return None
    path = f"/{desired.kind}s/{observed.entity[ID_KEYS[desired.kind]]}"
    variants = changed_variants(desired.configuration, actual)
    if variants:
        kept = frozenset(path for path in paths - rewritten if not within(path, variants))
        whole = _replaced(actual, normalise(secrets.without(desired.configuration, kept)), variants)
        return Step("replace", "PUT", path, {"name": desired.name, "configuration": normalise(whole)})
    kept = frozenset(paths - rewritten)
    return Step("update", "PATCH", path, {"configuration": normalise(secrets.without(desired.configuration, kept))})


def changed_variants(desired: Any, actual: Any, path: Path = ()) -> frozenset[Path]:
    """Return the paths of the objects whose tag is to become another one, the outermost of each."""
    found: frozenset[Path] = frozenset()
    if not isinstance(desired, Mapping) or not isinstance(actual, Mapping):
        return found
    for key, value in desired.items():
        old = actual.get(key)
        if (
            path
            and key in UNION_TAGS
            and not isinstance(value, Mapping)
            and old is not None
            and value not in (None, old)
        ):
            return frozenset({path})
        found |= changed_variants(value, old, (*path, str(key)))
    return found


def within(path: Path, objects: frozenset[Path]) -> bool:
    """Tell whether a path leads into one of the objects."""
    return any(path[: len(start)] == start for start in objects)


def public(kind: str, entity: Mapping[str, Any], paths: frozenset[Path] = frozenset()) -> dict[str, Any]:
    """Return an object as it may be shown: no type in the configuration, a mark in place of each secret."""
    if "configuration" not in entity:
        return dict(entity)
    configuration = without_type(entity["configuration"])
    hidden = paths | secrets.secret_paths(kind, entity.get(f"{kind}Type"), configuration)
    return {**entity, "configuration": secrets.marked(configuration, hidden, {})}


def ensure(client: AirbyteClient, store: secrets.SecretStore, desired: Desired, check_mode: bool) -> Outcome:
    """Bring an actor to the desired state, or tell what would be done in check mode."""
    place = workspace(client, desired.workspace)
    entity = find(client, desired.kind, desired.name, place["workspaceId"])
    if desired.state == "absent":
        return _remove(client, store, desired, entity, check_mode)
    if entity is None:
        return _create(client, store, desired, place["workspaceId"], check_mode)
    return _update(client, store, desired, entity, check_mode)


def _create(
    client: AirbyteClient, store: secrets.SecretStore, desired: Desired, workspace_id: str, check_mode: bool
) -> Outcome:
    if not desired.connector and not desired.definition_id:
        raise AirbyteError(f"{desired.kind} '{desired.name}' does not exist and needs the option type to be created")
    paths = secrets.secret_paths(desired.kind, desired.connector, desired.configuration)
    shown = {"name": desired.name, "configuration": secrets.marked(desired.configuration, paths, {})}
    if check_mode:
        return Outcome(True, {}, shown, shown)
    configuration: dict[str, Any] = normalise(desired.configuration)
    body: dict[str, Any] = {"name": desired.name, "workspaceId": workspace_id, "configuration": configuration}
    if desired.definition_id:
        body["definitionId"] = desired.definition_id
    else:
        configuration[f"{desired.kind}Type"] = desired.connector
    created = create(client, desired.kind, body, workspace_id)
    identifier = created[ID_KEYS[desired.kind]]
    check = None
    if desired.check:
        try:
            check = _check(client, desired, f"/{desired.kind}s/check_connection", {ID_KEYS[desired.kind]: identifier})
        except AirbyteError as error:
            error.message += _taken_back(client, desired, identifier)
            raise
    after = _remember(client, store, desired, identifier, set(paths))
    return Outcome(True, {}, shown, public(desired.kind, after.entity, paths), check)


def _taken_back(client: AirbyteClient, desired: Desired, identifier: str) -> str:
    """Remove what was just created, and return how the message of the failure ends."""
    try:
        client.delete(f"/{desired.kind}s/{identifier}")
    except AirbyteError as error:
        return f", and {desired.kind} '{desired.name}' could not be removed again: {error.message}"
    return "; nothing was changed"


def _update(
    client: AirbyteClient, store: secrets.SecretStore, desired: Desired, entity: Mapping[str, Any], check_mode: bool
) -> Outcome:
    _refuse_other_connector(desired, entity)
    identifier = str(entity[ID_KEYS[desired.kind]])
    observed = _observe(client, store, desired, identifier)
    actual = observed.entity["configuration"]
    connector = entity.get(f"{desired.kind}Type")
    paths = secrets.secret_paths(desired.kind, connector, desired.configuration, actual)
    rewritten = changed_secrets(desired, observed, paths, store)
    before, after = _diff(desired, actual, paths, rewritten)
    step = plan_update(desired, observed, paths, rewritten)
    if step is None:
        return Outcome(False, before, before, public(desired.kind, observed.entity, paths))
    if check_mode:
        return Outcome(True, before, after, public(desired.kind, observed.entity, paths))
    body = step.body or {}
    check = None
    if desired.check:
        configuration = body["configuration"] if step.method == "PUT" else merge(actual, body["configuration"])
        candidate = {ID_KEYS[desired.kind]: identifier, "name": desired.name, "connectionConfiguration": configuration}
        try:
            check = _check(client, desired, f"/{desired.kind}s/check_connection_for_update", candidate)
        except AirbyteError as error:
            error.message += "; nothing was changed"
            raise
    (client.put if step.method == "PUT" else client.patch)(step.path, body)
    variants = changed_variants(desired.configuration, actual)
    written = rewritten | {path for path in paths if within(path, variants)}
    observed = _remember(client, store, desired, identifier, written)
    return Outcome(True, before, after, public(desired.kind, observed.entity, paths), check)


def _remove(
    client: AirbyteClient,
    store: secrets.SecretStore,
    desired: Desired,
    entity: Mapping[str, Any] | None,
    check_mode: bool,
) -> Outcome:
    if entity is None:
        return Outcome(False, {}, {}, {})
    identifier = str(entity[ID_KEYS[desired.kind]])
    paths = secrets.secret_paths(desired.kind, entity.get(f"{desired.kind}Type"), entity["configuration"])
    shown = public(desired.kind, entity, paths)
    if not check_mode:
        client.delete(f"/{desired.kind}s/{identifier}")
        store.remember(identifier, None)
    return Outcome(True, {"name": desired.name, "configuration": shown["configuration"]}, {}, shown)


def _observe(client: AirbyteClient, store: secrets.SecretStore, desired: Desired, identifier: str) -> Observed:
    path = f"/{desired.kind}s/{identifier}"
    entity = client.get(path)
    try:
        coordinates = client.get(path, includeSecretCoordinates="true")["configuration"]
    except ApiError:
        coordinates = {}
    return Observed(entity, coordinates, store.record(identifier))


def _remember(
    client: AirbyteClient, store: secrets.SecretStore, desired: Desired, identifier: str, written: set[Path]
) -> Observed:
    observed = _observe(client, store, desired, identifier)
    record = dict(observed.record)
    for path in written:
        value = value_at(desired.configuration, path)
        record.pop(".".join(path), None)
        if value is not None and secrets.masked(value_at(observed.entity["configuration"], path)):
            record[".".join(path)] = {
                "hmac": store.fingerprint(str(value)),
                "coordinate": secrets.coordinate_at(observed.coordinates, path),
            }
    store.remember(identifier, record)
    return observed


def _check(client: AirbyteClient, desired: Desired, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = client.ask(path, body, timeout=CHECK_TIMEOUT)
    message = client.concealed(str(answer.get("message") or ""))
    if answer.get("status") != "succeeded":
        message = message or "Airbyte gives no reason"
        raise AirbyteError(f"{desired.kind} '{desired.name}' cannot connect: {message}")
    return {"status": "succeeded", "message": message or None}


def _refuse_other_connector(desired: Desired, entity: Mapping[str, Any]) -> None:
    actual = entity.get(f"{desired.kind}Type")
    if desired.connector and actual and actual != desired.connector:
        raise AirbyteError(
            f"{desired.kind} '{desired.name}' is of type '{actual}', which cannot become '{desired.connector}': "
            "remove it first, or choose another name"
        )
    known = entity.get("definitionId")
    if desired.definition_id and known and known != desired.definition_id:
        raise AirbyteError(
            f"{desired.kind} '{desired.name}' has definition {known}, which cannot become {desired.definition_id}"
        )


def _diff(
    desired: Desired, actual: Mapping[str, Any], paths: frozenset[Path], rewritten: set[Path]
) -> tuple[dict[str, Any], dict[str, Any]]:
    unchanged = dict.fromkeys(paths - rewritten, "(secret unchanged)")
    changed = {**unchanged, **dict.fromkeys(rewritten, "(secret changed)")}
    wanted = normalise(desired.configuration)
    before = secrets.marked(restrict(normalise(actual), wanted), paths, unchanged)
    after = secrets.marked(wanted, paths, changed)
    return {"name": desired.name, "configuration": before}, {"name": desired.name, "configuration": after}


def _replaced(
    actual: Mapping[str, Any], desired: Mapping[str, Any], variants: frozenset[Path], path: Path = ()
) -> dict[str, Any]:
    """Merge recursively, but take the objects at `variants` as they are desired."""
    merged = dict(actual)
    for key, value in desired.items():
        old, here = actual.get(key), (*path, key)
        deeper = isinstance(old, Mapping) and isinstance(value, Mapping) and here not in variants
        merged[key] = _replaced(old or {}, value, variants, here) if deeper else value
    return merged

"""A filter that finds what a server has and nobody listed, and decides what of it may go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Item = Mapping[str, Any]
SYSTEM_ROLES = ("pg_", "rds")


def postgres_drift(wanted: Item, state: Item) -> dict[str, list[dict[str, Any]]]:
    """Return what `exclusive` finds beyond the lists: {drop: [{kind, name, ...}], kept: [{kind, name, why}]}.

    Only what nothing depends on and what holds no data is to be dropped; everything else is kept and told.
    """
    drop: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    finders: dict[str, Callable[[Item, Item], Iterable[tuple[dict[str, Any], str]]]] = {
        "roles": _roles,
        "memberships": _memberships,
        "databases": _databases,
        "schemas": _schemas,
        "extensions": _extensions,
        "publications": _publications,
        "slots": _slots,
    }
    for kind, find in finders.items():
        if kind in wanted["exclusive"]:
            for found, why in find(wanted, state):
                (kept if why else drop).append({"kind": kind, **found, **({"why": why} if why else {})})
    return {"drop": drop, "kept": kept}


def _listed(items: Iterable[Item], *keys: str) -> set[Any]:
    return {tuple(item[key] for key in keys) if len(keys) > 1 else item[keys[0]] for item in items}


def _roles(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    cluster = state["cluster"]
    for name, now in cluster["roles"].items():
        if name in _listed(wanted["roles"], "name") | {"postgres", cluster["user"]} or name.startswith(SYSTEM_ROLES):
            continue
        why = ""
        if now["SUPERUSER"]:
            why = "it is a superuser"
        elif now["connected"]:
            why = "it is connected"
        elif now["uses"]:
            why = "it owns objects or has privileges"
        yield {"name": name}, why


def _memberships(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    cluster, listed = state["cluster"], _listed(wanted["roles"], "name")
    pairs = {(item["group"], member) for item in wanted["memberships"] for member in item["members"]}
    for group, member in cluster["memberships"]:
        if (group, member) in pairs or not {group, member} & listed or member == cluster["user"]:
            continue
        if not cluster["roles"][member]["SUPERUSER"]:
            yield {"name": f"{member} in {group}", "group": group, "member": member}, ""


def _databases(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    for name, now in state["cluster"]["databases"].items():
        known = _listed(wanted["databases"], "name") | {"postgres", "rdsadmin"}
        if name not in known and not now["template"]:
            yield {"name": name}, "databases are never dropped unless listed with state: absent"


def _schemas(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    listed = _listed(wanted["schemas"], "database", "name")
    for base, found in state["databases"].items():
        for name, now in found["schemas"].items():
            if (base, name) not in listed and name != "public" and not now["extension"]:
                yield {"name": name, "database": base}, "it is not empty" if now["filled"] else ""


def _extensions(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    listed = _listed(wanted["extensions"], "database", "name")
    for base, found in state["databases"].items():
        for name, now in found["extensions"].items():
            if (base, name) not in listed and name != "plpgsql":
                yield {"name": name, "database": base}, "something depends on it" if now["used"] else ""


def _publications(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    listed = _listed(wanted["publications"], "database", "name")
    slots = state["cluster"]["slots"].items()
    for base, found in state["databases"].items():
        readers = sorted(name for name, slot in slots if slot["database"] == base and slot["wal_status"] != "lost")
        for name in found["publications"]:
            if (base, name) not in listed:
                why = f"the slot {', '.join(readers)} may read it" if readers else ""
                yield {"name": name, "database": base}, why


def _slots(wanted: Item, state: Item) -> Iterable[tuple[dict[str, Any], str]]:
    for name, now in state["cluster"]["slots"].items():
        if name not in _listed(wanted["slots"], "name"):
            why = "" if now["wal_status"] == "lost" and not now["active"] else "its reader would lose its place"
            yield {"name": name, "database": now["database"] or "postgres"}, why


def postgres_drift_lines(drift: Item) -> list[str]:
    """Say in a line each what of the drift goes and what stays."""
    return [f"dropped from {item['kind']}: {item['name']}" for item in drift["drop"]] + [
        f"kept, though not in postgres_server_{item['kind']}: {item['name']}, for {item['why']}"
        for item in drift["kept"]
    ]


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"postgres_drift": postgres_drift, "postgres_drift_lines": postgres_drift_lines}

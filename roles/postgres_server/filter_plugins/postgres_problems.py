"""A filter that finds what is wrong with wanted objects of PostgreSQL before anything is changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Item = Mapping[str, Any]
KEYS = {
    "databases": ("name",),
    "roles": ("name",),
    "memberships": ("group",),
    "schemas": ("database", "name"),
    "extensions": ("database", "name"),
    "publications": ("database", "name"),
    "slots": ("name",),
    "replica_identities": ("database", "table"),
    "heartbeats": ("database",),
}
FLAGS = ("SUPERUSER", "CREATEDB", "CREATEROLE", "INHERIT", "LOGIN", "REPLICATION", "BYPASSRLS")
TABLE = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}
PRIVILEGES = {
    "database": {"CREATE", "CONNECT", "TEMPORARY", "TEMP"},
    "schema": {"USAGE", "CREATE"},
    "table": TABLE,
    "sequence": {"USAGE", "SELECT", "UPDATE"},
    "function": {"EXECUTE"},
    "procedure": {"EXECUTE"},
    "type": {"USAGE"},
    "language": {"USAGE"},
    "tablespace": {"CREATE"},
}
FUTURE = {"TABLES": "table", "SEQUENCES": "sequence", "FUNCTIONS": "function", "TYPES": "type", "SCHEMAS": "schema"}


def postgres_object_problems(wanted: Item, state: Item, settings: Item) -> list[str]:
    """Describe each problem with its variable and what to do.

    `state` is empty where the server cannot be asked yet, `settings` are those that the server is going to have.
    """
    return [
        *_duplicates(wanted),
        *_names(wanted),
        *_postgres(wanted),
        *_references(wanted, state),
        *_privileges(wanted),
        *_tables(wanted, state),
        *_slots(wanted, state, settings),
        *_unchangeable(wanted, state),
    ]


def _present(item: Item) -> bool:
    return (item.get("state") or "present") == "present"


def _variable(kind: str) -> str:
    return f"postgres_server_{kind}"


def _duplicates(wanted: Item) -> Iterator[str]:
    for kind, keys in KEYS.items():
        counted = Counter(
            (*(item[key] for key in keys), item.get("state"))
            if kind == "memberships"
            else tuple(item[key] for key in keys)
            for item in wanted[kind]
        )
        for key, count in counted.items():
            if count > 1:
                name = ".".join(str(part) for part in key if part)
                yield f"{_variable(kind)} holds {name} {count} times: keep one"


def _names(wanted: Item) -> Iterator[str]:
    for kind in ("databases", "roles", "schemas", "extensions", "publications", "slots"):
        for item in wanted[kind]:
            name = str(item["name"])
            if not 0 < len(name.encode()) < 64:
                yield f"{_variable(kind)}: {name!r} has {len(name.encode())} bytes, and PostgreSQL takes 1 to 63"
            elif kind in ("roles", "schemas") and name.startswith("pg_"):
                yield f"{_variable(kind)}: {name} begins with pg_, which is kept for PostgreSQL. Choose another name"
            elif kind == "roles" and name.upper() in ("PUBLIC", "NONE"):
                yield f"{_variable(kind)}: {name} is a word of PostgreSQL's, not a role. Choose another name"
            elif kind == "slots" and not re.fullmatch("[a-z0-9_]+", name):
                yield f"{_variable(kind)}: {name!r} may only hold lower case letters, digits and underscores"


def _postgres(wanted: Item) -> Iterator[str]:
    for item in wanted["roles"]:
        flags = {str(flag).upper() for flag in item.get("flags") or []}
        for flag in sorted(flags):
            if flag.removeprefix("NO") not in FLAGS or flag.removeprefix("NO") == "LOGIN":
                known = ", ".join(name for name in FLAGS if name != "LOGIN")
                yield f"postgres_server_roles, {item['name']}: {flag} is no flag; there are {known}, and each with NO"
        for flag in FLAGS:
            if {flag, f"NO{flag}"} <= flags:
                yield f"postgres_server_roles, {item['name']}: {flag} and NO{flag} contradict each other. Keep one"
        weak = not _present(item) or item.get("login") is False or "NOSUPERUSER" in flags
        if item["name"] == "postgres" and weak:
            yield "postgres_server_roles: postgres is the superuser that this role works as; leave it as it is"
        if (item.get("connection_limit") or 0) < -1:
            yield f"postgres_server_roles, {item['name']}: connection_limit must be -1 (no limit) or more"
    for item in wanted["databases"]:
        if item["name"] in ("postgres", "template0", "template1") and not _present(item):
            yield f"postgres_server_databases: {item['name']} belongs to PostgreSQL and is never dropped"


def _known(wanted: Item, state: Item, kind: str) -> set[str]:
    there = set(state["cluster"][kind]) if state else {"postgres"}
    gone = {item["name"] for item in wanted[kind] if not _present(item)}
    return (there | {item["name"] for item in wanted[kind]}) - gone


def _mentioned(wanted: Item) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield (variable, what, roles) of everything that names roles."""
    for kind in ("databases", "schemas", "publications", "heartbeats"):
        for item in wanted[kind]:
            if _present(item) and item.get("owner"):
                yield kind, str(item.get("name", item.get("database"))), [item["owner"]]
    for item in wanted["heartbeats"]:
        yield "heartbeats", item["database"], item.get("roles") or []
    for item in wanted["memberships"]:
        if _present(item):
            yield "memberships", item["group"], [item["group"], *item["members"]]
    for item in wanted["privileges"]:
        if _present(item):
            yield "privileges", f"{item['type']} {', '.join(item.get('objects') or [item['database']])}", item["roles"]
    for item in wanted["default_privileges"]:
        if _present(item):
            yield "default_privileges", f"{item['objects']} of {item['owner']}", [item["owner"], *item["roles"]]


def _references(wanted: Item, state: Item) -> Iterator[str]:
    roles = _known(wanted, state, "roles") | {"PUBLIC"}
    system = tuple(wanted.get("system_roles", ["pg_"]))
    for kind, what, names in _mentioned(wanted):
        for name in names:
            if name not in roles and not name.startswith(system):
                yield (
                    f"{_variable(kind)}, {what}: there is no role {name}. Correct the name, or add it to "
                    "postgres_server_roles"
                )
    databases = _known(wanted, state, "databases") | {"postgres", "template1"}
    kinds = ("schemas", "extensions", "publications", "slots", "privileges", "default_privileges", "replica_identities")
    for kind in (*kinds, "heartbeats"):
        for item in wanted[kind]:
            if item.get("database") and _present(item) and item["database"] not in databases:
                yield (
                    f"{_variable(kind)}: there is no database {item['database']}. Correct the name, or add it to "
                    "postgres_server_databases"
                )


def _privileges(wanted: Item) -> Iterator[str]:
    for kind in ("privileges", "default_privileges"):
        for item in wanted[kind]:
            of = item["type"] if kind == "privileges" else FUTURE[item["objects"]]
            names = {str(name).upper() for name in item["privileges"]}
            for name in sorted(names - PRIVILEGES[of] - {"ALL", "ALL PRIVILEGES"}):
                known = ", ".join(sorted(PRIVILEGES[of]))
                yield f"{_variable(kind)}: {name} is no privilege on a {of}; there are {known} and ALL"
            if kind == "privileges" and of != "database" and not item.get("objects"):
                yield f"postgres_server_privileges: a {of} of {item['database']} is not named. Set objects"
            if _present(item) and item.get("grant_option") and "PUBLIC" in item["roles"]:
                yield f"{_variable(kind)}: PUBLIC cannot have a grant option. Remove grant_option"


def _tables(wanted: Item, state: Item) -> Iterator[str]:
    for item in wanted["publications"]:
        if _present(item) and not item["tables"]:
            yield f"postgres_server_publications, {item['name']}: tables is empty. Name the tables"
    for item in wanted["replica_identities"]:
        if item["identity"] == "index" and not item.get("index"):
            yield f"postgres_server_replica_identities, {item['table']}: identity is index, but index is not set"
    if wanted["cdc_wait"] or not state:
        return
    for kind, item, table in postgres_mentioned_tables(wanted):
        found = state["databases"].get(item["database"])
        there = {f"{now['schema']}.{now['name']}" for now in found["relations"]} if found else set()
        beats = {heartbeat_table(beat) for beat in wanted["heartbeats"] if beat["database"] == item["database"]}
        if _full(table) not in there | beats:
            yield (
                f"{_variable(kind)}: there is no table {table} in {item['database']}. Create it first, or set "
                "postgres_server_cdc_wait: true to leave out what waits for tables"
            )


def postgres_mentioned_tables(wanted: Item) -> Iterator[tuple[str, Item, str]]:
    """Yield (kind, item, table) of each table that publications and replica identities need."""
    for item in wanted["publications"]:
        if _present(item):
            for table in item["tables"]:
                yield "publications", item, table
    for item in wanted["replica_identities"]:
        yield "replica_identities", item, item["table"]


def heartbeat_table(item: Item) -> str:
    """Name a heartbeat's table with its schema."""
    return f"{item.get('schema') or 'cdc'}.{item.get('table') or 'heartbeat'}"


def _full(table: str) -> str:
    return table if "." in table else f"public.{table}"


def _slots(wanted: Item, state: Item, settings: Item) -> Iterator[str]:
    cluster = state.get("cluster", {})
    level = str(settings.get("wal_level", cluster.get("wal_level", "replica")))
    keep = str(settings.get("max_slot_wal_keep_size", cluster.get("max_slot_wal_keep_size", "-1")))
    logical = [
        item["name"] for item in wanted["slots"] if _present(item) and (item.get("type") or "logical") == "logical"
    ]
    gone = {item["name"] for item in wanted["slots"] if not _present(item)}
    left = {name for name, slot in cluster.get("slots", {}).items() if slot["type"] == "logical"} - gone
    if level in ("minimal", "replica"):
        for name in logical:
            yield f"postgres_server_slots: {name} needs postgres_server_settings to hold wal_level: logical"
        for name in sorted(left - set(logical)):
            yield (
                f"postgres_server_settings: PostgreSQL would not start with wal_level {level} while it has the slot "
                f"{name}. List it in postgres_server_slots with state: absent, or keep wal_level: logical"
            )
    for item in wanted["slots"]:
        if _present(item) and (item.get("type") or "logical") == "logical" and not item.get("database"):
            yield f"postgres_server_slots: {item['name']} is logical and needs a database"
        if _present(item) and keep.startswith("-1"):
            yield (
                f"postgres_server_slots: a forgotten {item['name']} would fill the disk with WAL. Set "
                "max_slot_wal_keep_size in postgres_server_settings, for example to 4GB"
            )
        there = cluster.get("slots", {}).get(item["name"])
        if there and _present(item) and item.get("database") and there["database"] != item["database"]:
            yield (
                f"postgres_server_slots: {item['name']} exists in the database {there['database']}. Choose another "
                "name, or drop it first with state: absent"
            )
        if there and not _present(item) and there["active"]:
            yield f"postgres_server_slots: {item['name']} is being read and cannot be dropped. Stop its reader first"


def _unchangeable(wanted: Item, state: Item) -> Iterator[str]:
    for item in wanted["databases"]:
        now = state["cluster"]["databases"].get(item["name"]) if state else None
        for key in ("encoding", "lc_collate", "lc_ctype"):
            if now and _present(item) and item.get(key) and _folded(item[key]) != _folded(now[key]):
                yield (
                    f"postgres_server_databases, {item['name']}: {key} is {now[key]} and cannot be changed to "
                    f"{item[key]}. Dump the database and load it into a new one"
                )


def _folded(name: str) -> str:
    return str(name).lower().replace("-", "")


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"postgres_object_problems": postgres_object_problems}

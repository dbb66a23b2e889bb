"""Filters that hold wanted objects of PostgreSQL against those that exist, and name what differs.

`wanted` is {kind: items of the role's variables}; `state` is {cluster, databases: {name: ...}}, as the templates
objects_cluster.sql.j2 and objects_database.sql.j2 read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

Item = Mapping[str, Any]
HIDDEN = "********"
KINDS = [
    "roles", "memberships", "databases", "settings", "schemas", "extensions", "privileges", "default_privileges",
    "publications", "slots",
]  # fmt: skip
IDENTITIES = {"default": "d", "full": "f", "nothing": "n", "index": "i"}


def postgres_wanted(lists: Item) -> dict[str, Any]:
    """Add to the lists of the role's variables what heartbeats need: their schema, and who may read and update them."""
    wanted = {kind: list(items) if isinstance(items, list | tuple) else items for kind, items in lists.items()}
    wanted["exclusive"] = KINDS if "all" in lists["exclusive"] else list(lists["exclusive"])
    spaces = {(item["database"], item["name"]) for item in wanted["schemas"]}
    for beat in lists["heartbeats"]:
        base, (schema, table) = beat["database"], heartbeat(beat)
        if (base, schema) not in spaces and schema != "public":
            wanted["schemas"].append({"database": base, "name": schema, "owner": beat["owner"]})
        if beat.get("roles"):
            grant = {"database": base, "roles": beat["roles"]}
            wanted["privileges"] += [
                {**grant, "type": "schema", "objects": [schema], "privileges": ["USAGE"]},
                {**grant, "type": "table", "schema": schema, "objects": [table], "privileges": ["SELECT", "UPDATE"]},
            ]
    return wanted


def heartbeat(item: Item) -> tuple[str, str]:
    """Return schema and name of a heartbeat's table."""
    return str(item.get("schema") or "cdc"), str(item.get("table") or "heartbeat")


def postgres_object_steps(wanted: Item, state: Item) -> dict[str, list[dict[str, Any]]]:
    """Return for each kind the items that are not as wanted; `drop_<kind>` holds those that are to go.

    A database that does not exist yet counts as empty: everything in it differs.
    """
    steps: dict[str, list[dict[str, Any]]] = {}
    cluster, databases = state["cluster"], state["databases"]
    reset = "settings" in wanted["exclusive"]
    for kind, exists, differs in (
        ("roles", cluster["roles"], lambda item, now: _role_differs(item, now, reset)),
        ("databases", cluster["databases"], _database_differs),
    ):
        steps[kind] = [
            _role(item, exists.get(item["name"], {})) if kind == "roles" else dict(item)
            for item in wanted[kind]
            if _present(item) and (item["name"] not in exists or differs(item, exists[item["name"]]))
        ]
        steps[f"drop_{kind}"] = [dict(item) for item in wanted[kind] if not _present(item) and item["name"] in exists]
    for kind, differs in (
        ("schemas", _schema_differs),
        ("extensions", _extension_differs),
        ("publications", _publication_differs),
    ):
        existing = {base: found[kind] for base, found in databases.items()}
        steps[kind], steps[f"drop_{kind}"] = _in_databases(wanted[kind], existing, differs)
    steps["memberships"] = [dict(item) for item in wanted["memberships"] if _membership_differs(item, cluster)]
    usable = cluster.get("usable") or []
    steps["own"] = [
        {"query": f"GRANT {quoted(name)} TO CURRENT_USER"} for name in wanted.get("own", []) if name not in usable
    ]
    steps["database_settings"] = [
        step for item in wanted["databases"] if _present(item) for step in _settings(item, cluster, reset)
    ]
    beats = {(item["database"], ".".join(heartbeat(item))) for item in wanted["heartbeats"]}
    waiting = _waiting(wanted, databases, beats)
    steps["waiting"] = waiting
    steps["publications"] = [item for item in steps["publications"] if item not in waiting]
    held = {item["database"] for item in waiting}
    steps["slots"] = [
        dict(item)
        for item in wanted["slots"]
        if _present(item) and item["name"] not in cluster["slots"] and item.get("database") not in held
    ]
    steps["heartbeats"] = [
        _heartbeat_step(item)
        for item in wanted["heartbeats"]
        if ".".join(heartbeat(item)) not in _relations(databases, item["database"])
    ]
    steps["drop_slots"] = [
        dict(item) for item in wanted["slots"] if not _present(item) and item["name"] in cluster["slots"]
    ]
    steps["replica_identities"] = [
        _identity_step(item, _relations(databases, item["database"]))
        for item in wanted["replica_identities"]
        if _identity_differs(item, _relations(databases, item["database"]), beats)
    ]
    return steps


def _waiting(wanted: Item, databases: Item, beats: set[tuple[str, str]]) -> list[dict[str, Any]]:
    if not wanted["cdc_wait"]:
        return []
    return [
        dict(item)
        for item in wanted["publications"]
        if _present(item)
        and any(
            qualified(table) not in _relations(databases, item["database"])
            and (item["database"], qualified(table)) not in beats
            for table in item["tables"]
        )
    ]


def _heartbeat_step(item: Item) -> dict[str, Any]:
    table = ".".join(map(quoted, heartbeat(item)))
    return {
        "database": item["database"],
        "query": [
            f"CREATE TABLE {table} (id smallint PRIMARY KEY CHECK (id = 1), beat_at timestamptz NOT NULL)",
            f"COMMENT ON TABLE {table} IS 'Updated regularly, so that replication slots move on'",
            f"INSERT INTO {table} VALUES (1, now())",  # noqa: S608
            f"ALTER TABLE {table} OWNER TO {quoted(item['owner'])}",
        ],
    }


def _present(item: Item) -> bool:
    return (item.get("state") or "present") == "present"


def _in_databases(items: Iterable[Item], existing: Item, differs: Any) -> tuple[list[dict[str, Any]], ...]:
    make, drop = [], []
    for item in items:
        found = existing.get(item["database"], {})
        if not _present(item):
            drop += [dict(item)] if item["name"] in found else []
        elif item["name"] not in found or differs(item, found[item["name"]]):
            make.append(dict(item))
    return make, drop


def _role(item: Item, now: Item) -> dict[str, Any]:
    spelled = {row.split("=")[0].lower(): row.split("=")[0] for row in now.get("settings") or []}
    wanted = _strings(item.get("configuration"))
    settings = {spelled.get(name.lower(), name): value for name, value in wanted.items()}
    return {**item, "flags": _flags(item), "configuration": settings}


def _flags(item: Item) -> list[str]:
    login = "LOGIN" if item.get("login", True) in (True, None) else "NOLOGIN"
    return [login, *(str(flag).upper() for flag in item.get("flags") or [])]


def _strings(settings: Item | None) -> dict[str, str]:
    words = {True: "on", False: "off"}
    return {
        str(name): words[value] if isinstance(value, bool) else str(value) for name, value in (settings or {}).items()
    }


def _role_differs(item: Item, now: Item, reset: bool) -> bool:
    flags = any(now[flag.removeprefix("NO")] == flag.startswith("NO") for flag in _flags(item) if flag != "NOINHERIT")
    if "NOINHERIT" in _flags(item):
        flags = flags or now["INHERIT"]
    limit = item.get("connection_limit")
    return (
        flags
        or (limit is not None and int(limit) != now["connection_limit"])
        or not _has_settings(_strings(item.get("configuration")), now["settings"], reset)
        or not postgres_password_matches(item.get("password"), now["verifier"])
    )


def _has_settings(wanted: Mapping[str, str], rows: Iterable[str] | None, reset: bool) -> bool:
    now = _rows(rows)
    wanted = {name.lower(): value for name, value in wanted.items()}
    return now == wanted if reset else wanted.items() <= now.items()


def _rows(rows: Iterable[str] | None) -> dict[str, str]:
    pairs = (row.split("=", 1) for row in rows or [])
    return {name.lower(): value for name, value in pairs}


def postgres_password_matches(password: str | None, verifier: str | None) -> bool:
    """Tell whether a password is the one of a SCRAM verifier; without a password, or a verifier to be seen, it is."""
    known = verifier or ""
    if not password or known in (password, HIDDEN):
        return True
    if not known.startswith("SCRAM-SHA-256$"):
        return False
    _, turns, keys = known.split("$")
    iterations, salt = turns.split(":")
    text = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", text, base64.b64decode(salt), int(iterations))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return hmac.compare_digest(stored, base64.b64decode(keys.split(":")[0]))


def _database_differs(item: Item, now: Item) -> bool:
    limit = item.get("connection_limit")
    return (bool(item.get("owner")) and item["owner"] != now["owner"]) or (
        limit is not None and int(limit) != now["connection_limit"]
    )


def _settings(item: Item, cluster: Item, reset: bool) -> list[dict[str, Any]]:
    now = _rows(cluster["databases"].get(item["name"], {}).get("settings"))
    wanted = {name.lower(): value for name, value in _strings(item.get("settings")).items()}
    head = f"ALTER DATABASE {quoted(item['name'])}"
    queries = [f"{head} SET {name} TO {literal(value)}" for name, value in wanted.items() if now.get(name) != value] + [
        f"{head} RESET {name}" for name in now if reset and name not in wanted
    ]
    return [{"database": item["name"], "query": query} for query in queries]


def _schema_differs(item: Item, now: Item) -> bool:
    return bool(item.get("owner")) and item["owner"] != now["owner"]


def _extension_differs(item: Item, now: Item) -> bool:
    return any(item.get(key) and str(item[key]) != now[key] for key in ("version", "schema"))


def _publication_differs(item: Item, now: Item) -> bool:
    settings = _strings(item.get("parameters"))
    publish = {word.strip() for word in (settings.get("publish") or str(now["publish"])).split(",")}
    root = settings.get("publish_via_partition_root", "")
    return (
        (bool(item.get("owner")) and item["owner"] != now["owner"])
        or {qualified(table) for table in item["tables"]} != set(now["tables"])
        or publish != set(now["publish"].split(","))
        or (bool(root) and (root in ("on", "true")) != now["publish_via_partition_root"])
    )


def _membership_differs(item: Item, cluster: Item) -> bool:
    now = {tuple(pair) for pair in cluster["memberships"]}
    return any(((item["group"], member) in now) != _present(item) for member in item["members"])


def _relations(databases: Item, name: str) -> dict[str, Any]:
    found = databases.get(name, {"relations": []})["relations"]
    return {f"{relation['schema']}.{relation['name']}": relation for relation in found}


def _identity_differs(item: Item, relations: Item, beats: set[tuple[str, str]]) -> bool:
    now = relations.get(qualified(item["table"]))
    if now is None:
        return (item["database"], qualified(item["table"])) in beats
    index = now["identity_index"]
    return bool(
        now["identity"] != IDENTITIES[item["identity"]]
        or (item["identity"] == "index" and index and str(index).split(".")[-1] != item["index"])
    )


def _identity_step(item: Item, relations: Item) -> dict[str, Any]:
    how = f"USING INDEX {quoted(item['index'])}" if item["identity"] == "index" else item["identity"].upper()
    table = ".".join(map(quoted, qualified(item["table"]).split(".", 1)))
    query = f"ALTER TABLE {table} REPLICA IDENTITY {how}"
    return {"database": item["database"], "query": query, "missing": qualified(item["table"]) not in relations}


def qualified(table: str) -> str:
    """Name a table with its schema."""
    return table if "." in table else f"public.{table}"


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + str(name).replace('"', '""') + '"'


def literal(value: str) -> str:
    """Quote a string."""
    return "'" + value.replace("'", "''") + "'"


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {
            "postgres_object_steps": postgres_object_steps,
            "postgres_password_matches": postgres_password_matches,
            "postgres_wanted": postgres_wanted,
        }

"""Filters that hold wanted privileges against the access lists of PostgreSQL's objects.

An access list is a list of [grantor, grantee, privilege, grantable]; PUBLIC is a grantee of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Item = Mapping[str, Any]
TABLE = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
PRIVILEGES = {
    "database": ["CREATE", "CONNECT", "TEMPORARY"],
    "schema": ["USAGE", "CREATE"],
    "table": TABLE,
    "sequence": ["USAGE", "SELECT", "UPDATE"],
    "function": ["EXECUTE"],
}
KINDS = {"r": "table", "p": "table", "v": "table", "m": "table", "f": "table", "S": "sequence"}
FUTURE = {"TABLES": "r", "SEQUENCES": "S", "FUNCTIONS": "f", "TYPES": "T", "SCHEMAS": "n"}
FUTURE_PRIVILEGES = {
    "r": TABLE,
    "S": PRIVILEGES["sequence"],
    "f": ["EXECUTE"],
    "T": ["USAGE"],
    "n": ["USAGE", "CREATE"],
}
BUILT_IN = {"database": {"CONNECT", "TEMPORARY"}, "function": {"EXECUTE"}}
ALL = "ALL_IN_SCHEMA"


class Target(NamedTuple):
    """An object that has an access list."""

    kind: str
    schema: str
    name: str
    owner: str
    sql: str
    acl: list[list[Any]]


def postgres_privilege_steps(wanted: Item, state: Item) -> dict[str, list[dict[str, Any]]]:
    """Return the items of privileges and default privileges that are not as wanted, and what goes beyond them.

    `revocations` are {database, role, query} and only hold something where the lists are exclusive: what roles of
    the list have beyond it. They are made as the role that granted, and take away what was passed on, too.
    """
    version = state["cluster"]["version"]
    targets = {name: list(_targets(name, state)) for name in state["databases"]}
    steps: dict[str, list[dict[str, Any]]] = {
        "privileges": [
            _step(item, targets.get(item["database"], []))
            for item in wanted["privileges"]
            if _differs(item, targets.get(item["database"]), version)
        ],
        "default_privileges": [
            _default_step(item) for item in wanted["default_privileges"] if _default_differs(item, state, version)
        ],
        "revocations": [],
    }
    for name, found in targets.items():
        if "privileges" in wanted["exclusive"]:
            steps["revocations"] += _revocations(name, found, wanted, state)
        if "default_privileges" in wanted["exclusive"]:
            steps["revocations"] += _default_revocations(name, wanted, state)
    return steps


def _targets(name: str, state: Item) -> Iterator[Target]:
    base, found = state["cluster"]["databases"][name], state["databases"][name]
    yield Target("database", "", name, base["owner"], f"DATABASE {_quoted(name)}", base["acl"] or [])
    for schema, now in found["schemas"].items():
        if not now["extension"]:
            yield Target("schema", "", schema, now["owner"], f"SCHEMA {_quoted(schema)}", now["acl"] or [])
    for now in found["relations"]:
        kind, path = KINDS[now["kind"]], f"{_quoted(now['schema'])}.{_quoted(now['name'])}"
        owner = "" if now["extension"] else now["owner"]
        yield Target(kind, now["schema"], now["name"], owner, f"{kind.upper()} {path}", now["acl"] or [])
    for now in found["functions"]:
        sql = f"ROUTINE {now['signature']}"
        yield Target("function", now["schema"], now["name"], now["owner"], sql, now["acl"] or [])


def _quoted(name: str) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _present(item: Item) -> bool:
    return (item.get("state") or "present") == "present"


def _names(privileges: Iterable[str], all_of_them: Iterable[str], version: int) -> set[str]:
    names = {{"TEMP": "TEMPORARY"}.get(name.upper(), name.upper()) for name in privileges}
    if names & {"ALL", "ALL PRIVILEGES"}:
        every = set(all_of_them)
        return every | ({"MAINTAIN"} if "TRUNCATE" in every and version >= 17 else set())
    return names


def _step(item: Item, targets: list[Target]) -> dict[str, Any]:
    objects = item.get("objects") or [item["database"]]
    found = {target.name for target in targets if _covers(item, target)}
    known = item["type"] in ("database", "schema", "table", "sequence")
    return {**item, "objects": objects, "missing": known and ALL not in objects and not set(objects) <= found}


def _covers(item: Item, target: Target) -> bool:
    if {"procedure": "function"}.get(item["type"], item["type"]) != target.kind:
        return False
    objects = item.get("objects") or [item["database"]]
    if target.kind in ("database", "schema"):
        return target.name in objects
    named = {str(name).partition("(")[0] for name in objects}
    # Extensions make their own grants on what is theirs, which has no owner here.
    every = ALL in objects and target.owner != ""
    return target.schema == (item.get("schema") or "public") and (every or target.name in named)


def _differs(item: Item, targets: list[Target] | None, version: int) -> bool:
    # The module itself looks at what is rare, and at databases that are not there yet.
    if targets is None or item["type"] not in ("database", "schema", "table", "sequence"):
        return True
    covered = [target for target in targets if _covers(item, target)]
    objects = item.get("objects") or [item["database"]]
    if ALL not in objects and len({target.name for target in covered}) < len(set(objects)):
        return _present(item)
    return any(_is_other(item, target.acl, PRIVILEGES[item["type"]], version) for target in covered)


def _is_other(item: Item, acl: Iterable[list[Any]], every: list[str], version: int) -> bool:
    rows = [(row[-3], row[-2], bool(row[-1])) for row in acl]
    now = {(grantee, privilege) for grantee, privilege, _ in rows}
    grantable = {(grantee, privilege) for grantee, privilege, may in rows if may}
    wished = {(role, name) for role in item["roles"] for name in _names(item["privileges"], every, version)}
    if not _present(item):
        return bool(wished & now)
    return bool(wished - now) or bool(item.get("grant_option") and wished - grantable)


def _default_rows(item: Item, state: Item) -> list[list[Any]]:
    found = state["databases"].get(item["database"], {"defaults": []})["defaults"]
    place = [item["owner"], item.get("schema") or None, FUTURE[item["objects"]]]
    return [row for row in found if row[:3] == place]


def _default_differs(item: Item, state: Item, version: int) -> bool:
    every = FUTURE_PRIVILEGES[FUTURE[item["objects"]]]
    rows = _default_rows(item, state)
    if not rows and not _present(item):
        return "PUBLIC" in item["roles"] and item["objects"] in ("FUNCTIONS", "TYPES") and not item.get("schema")
    return _is_other(item, rows, every, version)


def _default_step(item: Item) -> dict[str, Any]:
    place = f"FOR ROLE {_quoted(item['owner'])}"
    place += f" IN SCHEMA {_quoted(item['schema'])}" if item.get("schema") else ""
    roles = ", ".join(role if role == "PUBLIC" else _quoted(role) for role in item["roles"])
    change = f"REVOKE {', '.join(item['privileges'])} ON {item['objects']} FROM {roles}"
    state = "present" if _present(item) else "absent"
    return {**item, "state": state, "query": f"ALTER DEFAULT PRIVILEGES {place} {change}"}


def _allowed(name: str, target: Target, wanted: Item, version: int) -> dict[tuple[str, str], bool]:
    """Return {(role, privilege): whether it may be passed on} that the lists give on an object."""
    found: dict[tuple[str, str], bool] = {}
    for item in wanted["privileges"]:
        if item["database"] == name and _present(item) and _covers(item, target):
            for privilege in _names(item["privileges"], PRIVILEGES[target.kind], version):
                for role in item["roles"]:
                    found[role, privilege] = found.get((role, privilege), False) or bool(item.get("grant_option"))
    for item in wanted["default_privileges"]:
        letter = {"table": "r", "sequence": "S", "function": "f", "schema": "n"}.get(target.kind)
        here = (item["database"], item["owner"], FUTURE[item["objects"]]) == (name, target.owner, letter)
        if here and letter and _present(item) and (item.get("schema") or target.schema) == target.schema:
            for privilege in _names(item["privileges"], FUTURE_PRIVILEGES[letter], version):
                for role in item["roles"]:
                    found.setdefault((role, privilege), bool(item.get("grant_option")))
    return found


def _judged(wanted: Item, state: Item) -> set[str]:
    """Name the roles whose privileges the lists decide: superusers need none, and others are not listed."""
    known = state["cluster"]["roles"]
    listed = {item["name"] for item in wanted["roles"]} | {"PUBLIC"}
    return {role for role in listed if not known.get(role, {}).get("SUPERUSER")} - {state["cluster"]["user"]}


def _revocations(name: str, targets: Iterable[Target], wanted: Item, state: Item) -> list[dict[str, Any]]:
    judged, version = _judged(wanted, state), state["cluster"]["version"]
    found = []
    for target in targets:
        if not target.owner:
            continue
        allowed = _allowed(name, target, wanted, version)
        for privilege in _public_allowance(target):
            allowed.setdefault(("PUBLIC", privilege), False)
        for grantor, grantee, privilege, may_pass_on in target.acl:
            if grantee not in judged or grantee == target.owner:
                continue
            if (grantee, privilege) not in allowed:
                what = privilege
            elif may_pass_on and not allowed[grantee, privilege]:
                what = f"GRANT OPTION FOR {privilege}"
            else:
                continue
            role = "PUBLIC" if grantee == "PUBLIC" else _quoted(grantee)
            found.append(
                {
                    "database": name,
                    "role": "" if grantor == target.owner else grantor,
                    "query": f"REVOKE {what} ON {target.sql} FROM {role} CASCADE",
                }
            )
    return found


def _public_allowance(target: Target) -> set[str]:
    if (target.kind, target.name) == ("schema", "public"):
        return {"USAGE"}
    return BUILT_IN.get(target.kind, set())


def _default_revocations(name: str, wanted: Item, state: Item) -> list[dict[str, Any]]:
    judged, version, found = _judged(wanted, state), state["cluster"]["version"], []
    words = {letter: word for word, letter in FUTURE.items()}
    for owner, schema, letter, grantee, privilege, _ in state["databases"][name]["defaults"]:
        built_in = grantee == "PUBLIC" and letter in "fT" and schema is None
        if grantee not in judged or grantee == owner or built_in:
            continue
        items = [
            item
            for item in wanted["default_privileges"]
            if (item["database"], item["owner"], item.get("schema") or None) == (name, owner, schema)
            and FUTURE[item["objects"]] == letter
            and _present(item)
            and grantee in item["roles"]
        ]
        if any(privilege in _names(item["privileges"], FUTURE_PRIVILEGES[letter], version) for item in items):
            continue
        item = {"owner": owner, "schema": schema, "roles": [grantee], "privileges": [privilege]}
        query = _default_step({**item, "objects": words[letter]})["query"]
        found.append({"database": name, "role": "", "query": query})
    return found


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"postgres_privilege_steps": postgres_privilege_steps}

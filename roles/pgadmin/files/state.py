"""Brings pgAdmin's configuration database into the state that is described in JSON on standard input.

It reads the database directly, which is fast, and loads pgAdmin only where something is to be written.
"""

from __future__ import annotations

import base64
import hmac
import importlib.util
import json
import os
import sqlite3
import sys
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

PLAIN = ("host", "port", "maintenance_db", "username", "comment")


def main() -> None:
    """Compare, change what differs unless only asked to check, and print what was changed."""
    wanted = json.load(sys.stdin)
    with redirect_stdout(sys.stderr):
        application = _migrated_copy(wanted) if wanted["migrate"] else None
        changes = _changes(wanted)
        if changes and not wanted["check"]:
            _apply(application or _application(wanted), wanted, changes)
            if left := _changes(wanted):
                raise SystemExit(f"pgAdmin did not keep: {', '.join(left)}")
    sys.stdout.write(json.dumps({"changes": changes}))


def _changes(wanted: dict[str, Any]) -> list[str]:
    if not Path(wanted["database"]).exists():
        return ["configuration database"]
    with closing(sqlite3.connect(f"file:{wanted['database']}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        changes = [] if _admin_is_current(database, wanted["admin"]) else ["administrator"]
        servers = _servers(database, wanted["admin"]["email"])
    return changes + [
        f"server {server['name']}"
        for server in wanted["servers"]
        if servers.get(server["name"], []) != ([] if server["state"] == "absent" else [_described(server)])
    ]


def _admin_is_current(database: sqlite3.Connection, admin: dict[str, str]) -> bool:
    from passlib.hash import pbkdf2_sha512

    user = database.execute(
        "SELECT u.password FROM user u JOIN roles_users r ON r.user_id = u.id JOIN role ON role.id = r.role_id"
        " WHERE u.username = ? AND u.auth_source = 'internal' AND u.active AND NOT u.locked"
        " AND role.name = 'Administrator'",
        [admin["email"]],
    ).fetchone()
    if user is None:
        return False
    salt = database.execute("SELECT value FROM keys WHERE name = 'SECURITY_PASSWORD_SALT'").fetchone()["value"]
    signed = base64.b64encode(hmac.digest(salt.encode(), admin["password"].encode(), "sha512"))
    kept = user["password"]
    return bool(pbkdf2_sha512.verify(signed, kept.decode() if isinstance(kept, bytes) else kept))


def _servers(database: sqlite3.Connection, email: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in database.execute(
        "SELECT s.*, g.name AS server_group FROM server s JOIN servergroup g ON g.id = s.servergroup_id"
        " JOIN user u ON u.id = s.user_id WHERE u.username = ? AND u.auth_source = 'internal'",
        [email],
    ):
        kept = {name: row[name] for name in PLAIN}
        parameters = json.loads(row["connection_params"] or "{}")
        found.setdefault(row["name"], []).append({**kept, "group": row["server_group"], "parameters": parameters})
    return found


def _described(server: dict[str, Any]) -> dict[str, Any]:
    return {name: server[name] for name in (*PLAIN, "group", "parameters")}


def _application(wanted: dict[str, Any]) -> Any:
    package = importlib.util.find_spec("pgadmin4")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("pgAdmin is not installed here")
    sys.path.insert(0, next(iter(package.submodule_search_locations)))
    import config

    config.SQLITE_PATH = wanted["database"]
    from pgadmin import create_app

    return create_app(config.APP_NAME + ("" if wanted["migrate"] else "-cli"))


def _migrated_copy(wanted: dict[str, Any]) -> Any:
    source, wanted["database"] = wanted["database"], f"{wanted['database']}.next"
    for suffix in ("", "-journal"):
        Path(wanted["database"] + suffix).unlink(missing_ok=True)
    os.umask(0o077)
    if Path(source).exists():
        with closing(sqlite3.connect(source)) as former, closing(sqlite3.connect(wanted["database"])) as copy:
            former.backup(copy)
    os.environ["PGADMIN_SETUP_EMAIL"] = wanted["admin"]["email"]
    os.environ["PGADMIN_SETUP_PASSWORD"] = wanted["admin"]["password"]
    application = _application(wanted)
    # pgAdmin goes on with an empty database where it cannot migrate the one it finds.
    if os.environ.get("CORRUPTED_DB_BACKUP_FILE"):
        raise SystemExit("pgAdmin cannot migrate its configuration database, see /var/log/pgadmin/pgadmin4.log")
    return application


def _apply(application: Any, wanted: dict[str, Any], changes: list[str]) -> None:
    from pgadmin.model import User, db

    with application.test_request_context():
        if "administrator" in changes:
            _set_admin(wanted["admin"])
        user = User.query.filter_by(username=wanted["admin"]["email"], auth_source="internal").one()
        for server in wanted["servers"]:
            if f"server {server['name']}" in changes:
                _set_server(user, server)
        db.session.commit()


def _set_admin(admin: dict[str, str]) -> None:
    from flask_security.utils import hash_password
    from pgadmin.model import Role, User, db
    from pgadmin.tools.user_management import create_user

    role = Role.query.filter_by(name="Administrator").one()
    user = User.query.filter_by(username=admin["email"], auth_source="internal").first()
    if user is None:
        secret = {"newPassword": admin["password"], "confirmPassword": admin["password"]}
        created, message = create_user({"email": admin["email"], "role": role.id, "active": True, **secret})
        if not created:
            raise SystemExit(message)
        return
    user.password = hash_password(admin["password"])
    user.roles, user.active, user.locked, user.login_attempts = [role], True, False, 0
    db.session.flush()


def _set_server(user: Any, wanted: dict[str, Any]) -> None:
    from pgadmin.model import Server, ServerGroup, db

    found = Server.query.filter_by(user_id=user.id, name=wanted["name"]).all()
    for surplus in found if wanted["state"] == "absent" else found[1:]:
        db.session.delete(surplus)
    if wanted["state"] == "absent":
        return
    group = ServerGroup.query.filter_by(user_id=user.id, name=wanted["group"]).first()
    if group is None:
        group = ServerGroup(user_id=user.id, name=wanted["group"])
        db.session.add(group)
        db.session.flush()
    server = found[0] if found else Server(user_id=user.id, name=wanted["name"], shared=False)
    for name in PLAIN:
        setattr(server, name, wanted[name])
    server.servergroup_id, server.connection_params = group.id, wanted["parameters"]
    for name in ("save_password", "use_ssh_tunnel", "tunnel_authentication", "tunnel_prompt_password", "is_adhoc"):
        setattr(server, name, getattr(server, name) or 0)
    db.session.add(server)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: The Hanger contributors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell in one call what a machine has of PostgreSQL's clusters, pgBackRest and its repository."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: pgbackrest_state
short_description: Tell what there is of clusters, pgBackRest and its repository
description:
  - Reads only. Commands of pgBackRest run as C(postgres), who owns what they leave.
options:
  stanza:
    type: str
    required: true
    description: Stanza whose repository is asked for.
  cluster:
    type: str
    default: ""
    description: Cluster as V(version/name); when empty the one of the newest version.
  config:
    type: path
    required: true
    description: Configuration file to ask the repository with; it is not asked where the file is missing.
  files:
    type: list
    elements: path
    default: []
    description: Files whose digests are wanted.
  directory:
    type: path
    description: Directory of a restore that is asked for.
  target:
    type: str
    default: ""
    description: Moment to convert to seconds since 1970.
"""

EXAMPLES = """
- name: Look at what there is
  pgbackrest_state: {stanza: main, config: /etc/pgbackrest/pgbackrest.conf}
"""

RETURN = """
state:
  description: What was found.
  returned: always
  type: dict
"""

MARK = ".made-by-pgbackrest"
AS_POSTGRES = ["runuser", "-u", "postgres", "--"]
# What the settings of a server that recovers must not be below.
CONTROL = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}


def control(module: AnsibleModule, version: str, data: str) -> dict[str, Any]:
    """Return the identity of a cluster and the settings that a restored one needs; nothing for no cluster."""
    program = f"/usr/lib/postgresql/{version}/bin/pg_controldata"
    if not os.access(program, os.X_OK):
        return {}
    code, text, _ = module.run_command([program, data], environ_update={"LC_ALL": "C"})
    if code != 0:
        return {}
    found = dict(re.findall(r"^([^:\n]+): +(.*)$", text, re.MULTILINE))
    return {
        "system_id": found.get("Database system identifier", ""),
        "settings": {name: int(found[label]) for name, label in CONTROL.items() if label in found},
    }


def cluster(module: AnsibleModule, wanted: str) -> dict[str, Any]:
    """Return the cluster that is meant, None's fields empty when there is none."""
    program = module.get_bin_path("pg_lsclusters")
    found = json.loads(module.run_command([program, "--json"])[1] or "[]") if program else []
    named = [each for each in found if wanted in ("", f"{each['version']}/{each['cluster']}")]
    if not named:
        return {"version": "", "all": [f"{each['version']}/{each['cluster']}" for each in found]}
    each = max(named, key=lambda one: float(one["version"]))
    data = each["config"].get("data_directory") or each["pgdata"]
    version = str(each["version"])
    return {
        "all": [f"{one['version']}/{one['cluster']}" for one in found],
        "version": version,
        "name": each["cluster"],
        "port": int(each["port"]),
        "running": bool(each["running"]),
        "data": data,
        "exists": Path(data, "PG_VERSION").is_file(),
        "mount": os.path.ismount(data),
        "tablespaces": names(Path(data, "pg_tblspc")),
        "archive_mode": str(each["config"].get("archive_mode", "off")),
        "archive_command": str(each["config"].get("archive_command", "")),
        **control(module, version, data),
    }


def names(directory: Path) -> list[str]:
    """Return what a directory holds; nothing when it is missing."""
    return sorted(each.name for each in directory.iterdir()) if directory.is_dir() else []


def repository(module: AnsibleModule, config: str, stanza: str) -> dict[str, Any]:
    """Return pgBackRest's view of a stanza, or its error."""
    ask = [f"--config={config}", f"--stanza={stanza}", "--log-level-console=off", "--log-level-stderr=warn"]
    code, text, errors = module.run_command([*AS_POSTGRES, "pgbackrest", *ask, "--output=json", "info"], cwd="/")
    found = json.loads(text, strict=False)[0] if code == 0 and text.strip().startswith("[{") else {}
    parts = found.get("repo", [])
    status = parts[0]["status"] if parts else found.get("status", {"code": 99, "message": errors.strip() or text})
    return {
        "code": status["code"],
        # With another passphrase pgBackRest may take noise for text, and repeat it.
        "error": re.sub(r"[^ -~]+", " ", str(status["message"])).strip(),
        "databases": [{**each, "system-id": str(each["system-id"])} for each in found.get("db", [])],
        "backups": [
            {
                "label": each["label"],
                "type": each["type"],
                "stop": each["timestamp"]["stop"],
                "size": each["info"]["size"],
                "failed": bool(each.get("error")),
                "database": each["database"]["id"],
            }
            for each in found.get("backup", [])
        ],
    }


def digest(path: str) -> str:
    """Return the digest of a file; nothing for a missing one."""
    file = Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def moment(module: AnsibleModule, text: str) -> dict[str, Any]:
    """Return the present and a moment in seconds since 1970; the latter is -1 when there is no such moment."""
    now = int(module.run_command(["date", "+%s"])[1])
    code, seconds, _ = module.run_command(["date", f"--date={text}", "+%s"]) if text else (0, "0", "")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return {"now": now, "stamp": stamp, "target": int(seconds) if code == 0 else -1}


def place(module: AnsibleModule, version: str, directory: str) -> dict[str, Any]:
    """Return what is known of the directory of a restore; `foreign` when something else is there."""
    path = Path(directory)
    room = os.statvfs(next(parent for parent in path.parents if parent.is_dir()))
    return {
        "foreign": bool(names(path)) and not (path / MARK).is_file(),
        "free": room.f_bavail * room.f_frsize,
        "unit": Path("/etc/systemd/system/pgbackrest-restored.service").is_file(),
        "settings": control(module, version, str(path / "data")).get("settings", {}),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "stanza": {"type": "str", "required": True},
            "cluster": {"type": "str", "default": ""},
            "config": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
            "directory": {"type": "path"},
            "target": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    given = module.params
    installed = module.get_bin_path("pgbackrest") is not None
    server = cluster(module, given["cluster"])
    asked = installed and Path(given["config"]).is_file()
    module.exit_json(
        changed=False,
        state={
            "installed": installed,
            "cores": os.cpu_count() or 1,
            "cluster": server,
            "place": place(module, server["version"], given["directory"]) if given["directory"] else {},
            "repository": repository(module, given["config"], given["stanza"]) if asked else {},
            "files": {path: digest(path) for path in given["files"]},
            "moment": moment(module, given["target"]),
        },
    )


if __name__ == "__main__":
    main()

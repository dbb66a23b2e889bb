#!/usr/bin/python
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells in one call what the role postgres_server has to know of a machine."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: postgres_server_state
short_description: Tell what the role postgres_server has to know of a machine
description: Reads packages, clusters, certificates, the size of the machine and the volume for the data.
author: [The Hanger]
options:
  packages:
    description: Packages whose versions are wanted.
    type: list
    elements: str
    default: []
  volume:
    description: Device that is going to hold the data, empty for none.
    type: str
    default: ""
  upgrades:
    description: Directory in which upgrades leave what they have come to.
    type: path
    required: true
  tls:
    description: Directory of certificates.
    type: path
    required: true
  files:
    description: Files whose contents are wanted.
    type: list
    elements: path
    default: []
"""
EXAMPLES = r"""
- name: See what is there
  postgres_server_state:
    packages: [postgresql-17]
    upgrades: /var/lib/postgresql/upgrade
    tls: /etc/ssl/postgresql
"""
RETURN = r"""
state:
  description: What was found.
  returned: success
  type: dict
"""

CONFIGURATION = Path("/etc/postgresql")
DATA = Path("/var/lib/postgresql")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.S)

# Nobody else sees this mount, and nothing is written, not even what a journal holds.
LOOK_SCRIPT = 'mount -o ro,norecovery "$1" /mnt && ls -d /mnt/*/main/PG_VERSION'
LOOK = ("unshare", "--mount", "sh", "-c", LOOK_SCRIPT, "look")


def text(path: Path) -> str:
    """Return what a file holds, nothing when it is not there."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def output(*command: str) -> str:
    """Return what a program prints, nothing when it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def packages(names: list[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    if not names:
        return {}
    listed = output("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}\t${Package}\t${Version}\n", *names)
    rows = (line.split("\t") for line in listed.split("\n") if line.count("\t") == 2)
    return {name: version for status, name, version in rows if status.startswith("ii")}


def clusters() -> list[str]:
    """Return the major versions of which a cluster main is configured to its end, the oldest first."""
    found = (path.parent.parent.name for path in CONFIGURATION.glob("*/main/postgresql.conf"))
    whole = (name for name in found if name.isdigit() and not (CONFIGURATION / f".creating-{name}").exists())
    return sorted(whole, key=int)


def running() -> dict[str, int]:
    """Return the ports of the clusters that run, by major version."""
    found = {}
    for path in DATA.glob("*/main/postmaster.pid"):
        lines = text(path).split("\n")
        if len(lines) > 3 and text(Path("/proc", lines[0].strip(), "comm")).strip() == "postgres":
            found[path.parent.parent.name] = int(lines[3])
    return found


def upgrades(directory: Path) -> list[dict[str, str]]:
    """Return how far each upgrade has come; its directory is called 15-17."""
    found = []
    for path in sorted(directory.glob("*-*/stage")):
        old, _, new = path.parent.name.partition("-")
        found.append({"from": old, "to": new, "stage": text(path).strip()})
    return found


def memory_mb() -> int:
    """Return the machine's memory, or less where a control group has less."""
    total = int(next(iter(re.findall(r"^MemTotal:\s+(\d+)", text(Path("/proc/meminfo")), re.M)), "0")) * 1024
    limit = text(Path("/sys/fs/cgroup/memory.max")).strip()
    return (min(total, int(limit)) if limit.isdigit() else total) // 2**20


def existing(path: Path) -> Path:
    """Return a path or the nearest one above it that exists."""
    return next(found for found in (path, *path.parents) if found.exists())


def free(path: Path) -> int:
    """Return the bytes that are free where a path is or is going to be."""
    usage = os.statvfs(existing(path))
    return usage.f_bavail * usage.f_frsize


def disk(device: Path | None) -> dict[str, Any]:
    """Return the kind of the disk that holds or is going to hold the data, and its size."""
    number = device.stat().st_rdev if device else existing(DATA).stat().st_dev
    system = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not system.exists():
        usage = os.statvfs(existing(DATA))
        return {"disk": "ssd", "disk_mb": usage.f_blocks * usage.f_frsize // 2**20}
    size = int(text(system / "size") or 0) * 512 // 2**20
    whole = system.resolve()
    whole = whole if (whole / "queue").exists() else whole.parent
    if "Elastic Block Store" in text(whole / "device/model"):
        return {"disk": "ebs", "disk_mb": size}
    return {"disk": "hdd" if text(whole / "queue/rotational").strip() == "1" else "ssd", "disk_mb": size}


def volume(device: str) -> dict[str, Any]:
    """Return what a device holds, and whether it is mounted where the data belong."""
    path = Path(device)
    if not path.is_block_device():
        return {"block": False}
    probe = output("blkid", "--probe", "--output", "export", device)
    beginning = b"?"
    with contextlib.suppress(OSError), path.open("rb") as stream:
        beginning = stream.read(2**20)
    number = path.stat().st_rdev
    mounted = output("findmnt", "--noheadings", "--first-only", "--output", "MAJ:MIN", "--mountpoint", str(DATA))
    return {
        "block": True,
        "holds": re.findall(r"^(?:PT)?TYPE=(.*)$", probe, re.M),
        "uuid": next(iter(re.findall(r"^UUID=(.*)$", probe, re.M)), ""),
        "blank": not any(beginning),
        "mounted": mounted == f"{os.major(number)}:{os.minor(number)}",
        "versions": sorted(re.findall(r"^/mnt/(\d+)/main/PG_VERSION$", output(*LOOK, device), re.M), key=int),
    }


def main() -> None:
    """Read everything; nothing is changed."""
    module = AnsibleModule(
        {
            "packages": {"type": "list", "elements": "str", "default": []},
            "volume": {"type": "str", "default": ""},
            "upgrades": {"type": "path", "required": True},
            "tls": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    wanted, tls = module.params["volume"], Path(module.params["tls"])
    found = volume(wanted) if wanted else {}
    state = {
        "packages": packages(module.params["packages"]),
        "interrupted": any(path.name.isdigit() for path in Path("/var/lib/dpkg/updates").glob("*")),
        "clusters": clusters(),
        "running": running(),
        "upgrades": upgrades(Path(module.params["upgrades"])),
        "data": sorted(str(path.parent) for path in DATA.glob("*/main/PG_VERSION")),
        "certificate": "".join(CERTIFICATE.findall(text(tls / "server.pem"))),
        "ca": text(tls / "ca.crt"),
        "volume": found,
        "files": {path: text(Path(path)) for path in module.params["files"]},
        "free": {
            "data": free(DATA),
            "upgrades": free(Path(module.params["upgrades"])),
            "shared": existing(DATA).stat().st_dev == existing(Path(module.params["upgrades"])).stat().st_dev,
        },
        "memory_mb": memory_mb(),
        "cores": len(os.sched_getaffinity(0)),
        **disk(Path(wanted) if found.get("block") else None),
    }
    module.exit_json(changed=False, state=state)


if __name__ == "__main__":
    main()

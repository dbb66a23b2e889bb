"""Data about machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

SEED = "/var/lib/hanger/seed"
NOCLOUD = "/var/lib/cloud/seed/nocloud"
LAB_LABEL = "com.thehanger.lab"


@dataclass(frozen=True)
class SeedFile:
    """The content of a file with its permissions and numeric owner."""

    content: str | bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


Content = str | bytes | SeedFile


@dataclass(frozen=True)
class Machine:
    """A machine to launch: `files` are put in place before its first boot.

    With `loop_devices` it may use the host's, by which a file becomes a volume.
    """

    name: str
    image: str
    network: str
    address: IPv4Address | None = None
    hostname: str = ""
    aliases: tuple[str, ...] = ()
    files: Mapping[str, Content] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    loop_devices: bool = False


@dataclass(frozen=True)
class MachineStatus:
    """A machine as the engine sees it; `state` is Docker's word: running, paused, exited, created, restarting, dead.

    `addresses` are those it has by network; `exit_code` is 137 for a machine that was killed.
    """

    name: str
    address: str
    state: str
    image: str
    labels: Mapping[str, str]
    addresses: Mapping[str, str] = field(default_factory=dict)
    exit_code: int | None = None


def first_boot(name: str, authorized_keys: str = "", user_data: str | bytes = "") -> dict[str, Content]:
    """Return the files from which cloud-init sets up a machine that has no metadata service."""
    metadata: dict[str, Any] = {"instance-id": name, "local-hostname": name}
    if keys := [line for line in authorized_keys.splitlines() if line.strip()]:
        metadata["public-keys"] = keys
    return {
        f"{NOCLOUD}/meta-data": SeedFile(json.dumps(metadata) + "\n", 0o600),
        f"{NOCLOUD}/user-data": SeedFile(user_data, 0o600),
    }


def mac_address(address: str | IPv4Address) -> str:
    """Return the hardware address of a machine: the one that an engine derives from an address by itself."""
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x42, *IPv4Address(address).packed))


def seed_file(path: str, content: Content) -> SeedFile:
    """Return content with permissions: what lies in the seed directory is root's alone unless said otherwise."""
    if isinstance(content, SeedFile):
        return content
    return SeedFile(content, 0o600 if path.startswith(f"{SEED}/") else 0o644)

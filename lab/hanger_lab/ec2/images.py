"""Machine images that the lab's EC2 offers, and the machine behind each of them.

The list is `files/images.json`. Debian's owner id and name pattern are the real ones; ids and build numbers are the
lab's own, except for the two ids that the guide names. `self` as owner is the account of the lab. The architecture
is the host's: a machine runs natively or not at all. Debian's newest images are there for the other architecture too,
under the id `foreign`; they can be found, and not be launched.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

ROOT_DEVICE = "/dev/xvda"
_ARCHITECTURES = {"x86_64": ("amd64", "x86_64"), "aarch64": ("arm64", "arm64"), "arm64": ("arm64", "arm64")}


class UnsupportedHostError(RuntimeError):
    """The host's processor has no counterpart among EC2's architectures."""


@dataclass(frozen=True)
class Image:
    """One AMI: its public face and the name of the machine image that boots in its place; none for a foreign one."""

    id: str
    name: str
    description: str
    owner: str | None
    created: datetime
    architecture: str
    machine: str | None


def catalogue(host: str | None = None) -> dict[str, Image]:
    """Return the offered images by id; raise UnsupportedHostError for a host that is neither x86_64 nor arm64."""
    host = host or platform.machine()
    if host not in _ARCHITECTURES:
        raise UnsupportedHostError(f"the lab runs on x86_64 and arm64 hosts, not on {host}")
    own = _ARCHITECTURES[host]
    other = next(pair for pair in _ARCHITECTURES.values() if pair != own)
    entries = json.loads(resources.files(__package__).joinpath("files/images.json").read_text(encoding="utf-8"))
    images = [_image(entry, entry["id"], *own, machine=entry["machine"]) for entry in entries]
    images += [_image(entry, entry["foreign"], *other, machine=None) for entry in entries if "foreign" in entry]
    return {image.id: image for image in images}


def _image(entry: dict[str, str], ami: str, arch: str, architecture: str, machine: str | None) -> Image:
    return Image(
        id=ami,
        name=entry["name"].format(arch=arch),
        description=entry["description"],
        owner=None if entry["owner"] == "self" else entry["owner"],
        created=datetime.fromisoformat(entry["created"]).replace(tzinfo=None),
        architecture=architecture,
        machine=machine,
    )

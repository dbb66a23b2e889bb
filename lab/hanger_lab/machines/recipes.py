"""What every machine image consists of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILES = Path(__file__).parent / "files"
PACKAGES = (
    "acl",
    "ca-certificates",
    "cloud-init",
    "dbus",
    "iproute2",
    "libpam-systemd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tzdata",
)
APT_OPTIONS = ('Acquire::Languages "none"', 'APT::Install-Recommends "false"')
DPKG_OPTIONS = (
    "force-unsafe-io",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
)


@dataclass(frozen=True)
class Rootfs:
    """A root file system that mmdebstrap makes; `customize` is a script of `files/` that gets its path."""

    suite: str
    packages: tuple[str, ...]
    customize: str
    variant: str = "apt"
    files: tuple[str, ...] = ()

    def key(self, sources: Sequence[str]) -> str:
        """Return twelve hexadecimal digits that change with the recipe, its files and the package sources."""
        return digest(
            asdict(self), APT_OPTIONS, DPKG_OPTIONS, list(sources), *map(_text, (self.customize, *self.files))
        )


@dataclass(frozen=True)
class Derived:
    """An image made from another by a shell script that runs in a container."""

    base: str
    script: str


@dataclass(frozen=True)
class Recipe:
    """An image by name: its tag and how it comes about."""

    tag: str
    source: Rootfs | Derived


_MACHINE_FILES = (
    "hanger-init",
    "hanger-seed",
    "hanger-seed.service",
    "cloud.cfg",
    "DataSourceEc2Lab.py",
    "ssh.conf",
    "reboot.conf",
)
_INSTALL = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "
_CLEAN = " && apt-get clean && rm -rf /var/lib/apt/lists/*"

RECIPES = {
    "debian-13": Recipe("hanger-lab/debian:13", Rootfs("trixie", PACKAGES, "customize", files=_MACHINE_FILES)),
    "debian-12": Recipe("hanger-lab/debian:12", Rootfs("bookworm", PACKAGES, "customize", files=_MACHINE_FILES)),
    "postgresql": Recipe(
        "hanger-lab/postgresql:13", Derived("debian-13", _INSTALL + "postgresql postgresql-client" + _CLEAN)
    ),
    "docker": Recipe(
        "hanger-lab/docker:13",
        Derived(
            "debian-13",
            _INSTALL + "docker.io docker-cli docker-compose iptables" + _CLEAN + " && usermod -aG docker admin",
        ),
    ),
}
BASE_IMAGES = tuple(name for name, recipe in RECIPES.items() if isinstance(recipe.source, Rootfs))


def digest(*parts: object) -> str:
    """Return twelve hexadecimal digits of JSON-like values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _text(name: str) -> str:
    return (FILES / name).read_text()

"""Debian root file systems as compressed tar archives, made by mmdebstrap from the mirror that this host uses."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hanger_lab.machines.errors import ImageError
from hanger_lab.machines.hostconfig import apt_proxy, debian_sources
from hanger_lab.machines.hosttools import install, may_install
from hanger_lab.machines.recipes import APT_OPTIONS, DPKG_OPTIONS, FILES, Rootfs

log = logging.getLogger(__name__)

TMPFS_MIB = 1536
# What must stay free besides, so that a build does not push the machine into swap.
RESERVE_MIB = 1024
NO_MMDEBSTRAP = (
    "machine images are built with mmdebstrap, which is not installed: `apt-get install mmdebstrap` (Debian, Ubuntu), "
    "or run `hanger-lab up` as root, which installs it"
)


def cached_rootfs(name: str, recipe: Rootfs, cache: Path) -> Path:
    """Return the archive of a root file system, built unless the cache has it; raise ImageError when that fails."""
    sources = debian_sources(recipe.suite)
    path = cache / f"{name}-{recipe.key(sources)}.tar.gz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _build(recipe, sources, path)
        remove_older(path, f"{name}-*.tar.gz")
    return path


def remove_older(path: Path, pattern: str) -> None:
    """Remove what a cached file replaces, with the notes beside it."""
    for other in path.parent.glob(pattern):
        if other != path:
            other.unlink(missing_ok=True)
            other.with_name(f"{other.name}.json").unlink(missing_ok=True)


def _build(recipe: Rootfs, sources: Sequence[str], path: Path) -> None:
    if not shutil.which("mmdebstrap"):
        if not may_install():
            raise ImageError(NO_MMDEBSTRAP)
        install(["mmdebstrap", "debian-archive-keyring"])
    environment = {**os.environ, **apt_proxy(), "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as directory:
        partial, errors = Path(directory) / "archive", Path(directory) / "log"
        work = Path(directory) / "work"
        work.mkdir()
        command = _in_tmpfs(mmdebstrap(recipe, sources), work)
        with partial.open("wb") as archive, errors.open("wb") as complaints:
            build = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=complaints, env=environment | {"TMPDIR": str(work)}
            )
            packed = subprocess.run(["gzip", "-1", "--no-name"], stdin=build.stdout, stdout=archive, check=False)
            code = build.wait() or packed.returncode
        if code:
            raise ImageError(f"mmdebstrap of {recipe.suite} failed ({code}): {_last_lines(errors)}")
        partial.replace(path)
    log.info("built %s", path)


def mmdebstrap(recipe: Rootfs, sources: Sequence[str]) -> list[str]:
    """Return the command that writes the root file system as a tar archive to its output."""
    options = [f"--aptopt={option}" for option in APT_OPTIONS] + [f"--dpkgopt={option}" for option in DPKG_OPTIONS]
    return [
        *("mmdebstrap", "--quiet", f"--variant={recipe.variant}", f"--include={','.join(recipe.packages)}"),
        *options,
        f'--customize-hook={shlex.quote(str(FILES / recipe.customize))} "$1"',
        *(recipe.suite, "-"),
        *sources,
    ]


def _in_tmpfs(command: list[str], directory: Path) -> list[str]:
    """Let root build in memory, where syncs cost nothing; the mount ends with the process, however it ends."""
    if os.geteuid() or not shutil.which("unshare") or _available_mib() < 2 * TMPFS_MIB + RESERVE_MIB:
        return command
    mount = f"mount -t tmpfs -o mode=0755,size={TMPFS_MIB}m tmpfs {shlex.quote(str(directory))}"
    script = f"{mount} && exec {shlex.join(command)}"
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def _available_mib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


def _last_lines(path: Path, count: int = 5) -> str:
    return " / ".join(path.read_text(errors="replace").strip().splitlines()[-count:])

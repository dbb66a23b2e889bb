"""Programs that this host must have: found, or installed where the lab may do that."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hanger_lab.machines.errors import EngineError

log = logging.getLogger(__name__)


def may_install() -> bool:
    """Tell whether the lab may install Debian packages: it is root on Debian, Ubuntu or a derivative."""
    release = Path("/etc/os-release")
    text = release.read_text() if release.is_file() else ""
    values = {line.partition("=")[0]: line.partition("=")[2].strip("\"'") for line in text.splitlines()}
    family = {values.get("ID", ""), *values.get("ID_LIKE", "").split()}
    return os.geteuid() == 0 and bool(family & {"debian", "ubuntu"}) and shutil.which("apt-get") is not None


def require(programs: Mapping[str, str], say: Callable[[str], None] = lambda text: None) -> None:
    """Have programs, given with the Debian packages that bring them; raise EngineError naming what to install."""
    missing = sorted({package for program, package in programs.items() if find(program) is None})
    if not missing:
        return
    if not may_install():
        raise EngineError(f"the lab needs {', '.join(missing)}: install them")
    say(f"installing {', '.join(missing)}")
    install(missing)


def install(packages: Sequence[str]) -> None:
    """Install Debian packages; raise EngineError with apt's last lines when that fails."""
    log.info("installing %s", ", ".join(packages))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and "install" in command:
            lines = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise EngineError(f"cannot install {', '.join(packages)}: {lines}")


def uv() -> str | None:
    """Return the path of uv: the environment's own, else the PATH's."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def find(program: str) -> str | None:
    """Return the path of a program, also where only root's PATH leads."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")

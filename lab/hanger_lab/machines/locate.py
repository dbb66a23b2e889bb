"""Where the Docker engine of a lab is."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.machines.errors import EngineError, NoEngineError

DEFAULT_SOCKET = Path("/var/run/docker.sock")
LONGEST_SOCKET_PATH = 107
NO_ENGINE = (
    "no Docker engine: install one and start it (Debian and Ubuntu: `apt-get install docker.io`), or set DOCKER_HOST "
    "to the unix socket of one, or run `hanger-lab up` as root, which installs Debian's engine"
)


def engine_address(lab: Lab, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the engine to use; raise EngineError with what to do when there is none."""
    if address := environment.get("DOCKER_HOST"):
        return checked_address(address)
    for path in (private_socket(lab), DEFAULT_SOCKET):
        if answers(path):
            return f"unix://{path}"
    if DEFAULT_SOCKET.exists() and not os.access(DEFAULT_SOCKET, os.R_OK | os.W_OK):
        raise EngineError(f"no permission to use {DEFAULT_SOCKET}: join the group docker and log in again, or be root")
    raise NoEngineError(NO_ENGINE)


def checked_address(address: str) -> str:
    """Return a DOCKER_HOST that names a local socket; raise EngineError for any other."""
    if not address.startswith("unix://"):
        raise EngineError(
            f"DOCKER_HOST is {address}: the lab needs an engine on this host, because its machines are reached by "
            "their addresses; unset it or name a unix:// socket"
        )
    return address


def private_socket(lab: Lab) -> Path:
    """Return the socket of the lab's own engine; a short path under /run when the lab's is too long for a socket."""
    path = lab.directory / "engine" / "docker.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return path
    return Path("/run") / f"hanger-{hashlib.sha256(str(lab.directory).encode()).hexdigest()[:8]}" / "docker.sock"


def answers(path: Path) -> bool:
    """Tell whether something listens at a unix socket that this user may use."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True

"""Where the Docker engine of a lab is."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.machines.errors import EngineError, NoEngineError

DEFAULT_SOCKET = Path("/var/run/docker.sock")
# Where engines in a virtual machine of the user's own listen: Docker Desktop and colima.
USER_SOCKETS = (".docker/desktop/docker.sock", ".docker/run/docker.sock", ".colima/default/docker.sock")
LONGEST_SOCKET_PATH = 107
NO_ENGINE = (
    "no Docker engine: install one and start it (Debian and Ubuntu: `apt-get install docker.io`), or set DOCKER_HOST "
    "to the unix socket of one, or run `hanger-lab up` as root, which installs Debian's engine"
)


def engine_address(lab: Lab, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the engine to use: the one with the lab's machines, else DOCKER_HOST, else what answers.

    Raises EngineError with what to do, also when DOCKER_HOST names another engine than the lab's machines are in.
    """
    address, recorded = environment.get("DOCKER_HOST"), recorded_address(lab)
    if address and (not recorded or not _same(checked_address(address), recorded)):
        if recorded:
            raise EngineError(
                f"the machines of the lab in {lab.directory} are in the Docker engine at {recorded}, but DOCKER_HOST "
                f"is {address}: unset it, or run `hanger-lab down` without it before the lab moves to another engine"
            )
        return checked_address(address)
    if recorded:
        if not answers(socket_of(recorded)):
            _check_permission(socket_of(recorded))
            raise NoEngineError(
                f"the Docker engine at {recorded} has the machines of the lab in {lab.directory} and does not answer: "
                "start it; if it is gone for good, `hanger-lab down --without-engine` removes the rest of the lab"
            )
        return recorded
    for path in (private_socket(lab), DEFAULT_SOCKET, *(Path.home() / name for name in USER_SOCKETS)):
        if answers(path):
            return f"unix://{path}"
    _check_permission(DEFAULT_SOCKET)
    raise NoEngineError(NO_ENGINE)


def _check_permission(path: Path) -> None:
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise EngineError(f"no permission to use {path}: join the group docker and log in again, or be root")


def recorded_address(lab: Lab) -> str | None:
    """Return the address of the engine that the lab was brought up in; None when it was not."""
    for path, keys in ((record_file(lab), ()), (lab.facts, ("engine",))):
        try:
            record = json.loads(path.read_text())
            for key in keys:
                record = record[key]
            return str(record["docker_host"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return f"unix://{private_socket(lab)}" if private_record(lab).exists() else None


def record_address(lab: Lab, address: str) -> None:
    """Write down the engine before anything of the lab is in it."""
    path = record_file(lab)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"docker_host": address}))
    draft.replace(path)


def record_file(lab: Lab) -> Path:
    """Return the file that says which engine has the lab's machines, also while `up` has not ended."""
    return lab.directory / "run" / "engine.json"


def private_record(lab: Lab) -> Path:
    """Return the file that exists from before the start of the lab's own engine until after its end."""
    return lab.directory / "engine" / "before.json"


def socket_of(address: str) -> Path:
    """Return the path in a unix:// address."""
    return Path(address.removeprefix("unix://"))


def _same(one: str, other: str) -> bool:
    return socket_of(one).resolve() == socket_of(other).resolve()


def checked_address(address: str) -> str:
    """Return a DOCKER_HOST that names a local socket; raise EngineError for any other."""
    if not address.startswith("unix://"):
        raise EngineError(
            f"DOCKER_HOST is {address}: the lab needs an engine on this host (Docker Desktop is one), because its "
            "machines reach the lab's endpoints here; unset it or name a unix:// socket"
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

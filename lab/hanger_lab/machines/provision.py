"""An engine for a lab: the one that is there, else Debian's, else a private one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.machines.engine import Engine
from hanger_lab.machines.errors import EngineError, NoEngineError
from hanger_lab.machines.hosttools import find, may_install, require
from hanger_lab.machines.limits import raise_inotify
from hanger_lab.machines.locate import (
    DEFAULT_SOCKET,
    NO_ENGINE,
    answers,
    private_socket,
    record_address,
    recorded_address,
)
from hanger_lab.machines.private import PrivateEngine

PROGRAMS = {"dockerd": "docker.io", "iptables": "iptables", "nft": "nftables", "ip": "iproute2"}
SYSTEM_SECONDS = 30.0


def provide_engine(
    lab: Lab, say: Callable[[str], None] = lambda text: None, environment: Mapping[str, str] = os.environ
) -> Engine:
    """Return the engine of a lab; root on Debian or Ubuntu gets one installed and started where there is none.

    Raises EngineError that says what to install when the lab may not do that itself.
    """
    engine = _provided(lab, say, environment)
    record_address(lab, engine.address)
    raise_inotify(say)
    return engine


def _provided(lab: Lab, say: Callable[[str], None], environment: Mapping[str, str]) -> Engine:
    recorded, own = recorded_address(lab), f"unix://{private_socket(lab)}"
    try:
        return Engine.connect(lab)
    except NoEngineError:
        if environment.get("DOCKER_HOST") or recorded not in (None, own, f"unix://{DEFAULT_SOCKET}"):
            raise
    if find("dockerd") is None and not may_install():
        raise EngineError(NO_ENGINE)
    if os.geteuid():
        raise EngineError(
            f"Docker is installed but does not run: start it (`sudo systemctl start docker`). {NO_ENGINE}"
        )
    require(PROGRAMS, say)
    if recorded == own or (not _system_engine() and recorded is None):
        say("starting a private Docker engine")
        PrivateEngine(lab).start()
    return Engine.connect(lab)


def _system_engine() -> bool:
    """Start the system's engine where systemd runs the system; tell whether the default socket answers."""
    if not Path("/run/systemd/system").is_dir():
        return answers(DEFAULT_SOCKET)
    subprocess.run(["systemctl", "start", "docker"], check=False, capture_output=True)
    deadline = time.monotonic() + SYSTEM_SECONDS
    while not answers(DEFAULT_SOCKET) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answers(DEFAULT_SOCKET)

"""`python -m hanger_lab.connect HOST PORT`: SSH's ProxyCommand where the addresses of machines cannot be reached.

It finds the running machine that has the address and speaks to the port from inside it, through the engine's API: raw
bytes from standard input to the port and from the port to standard output. Security groups are in the machine's
kernel and see nothing of that, so an instance's rules are asked for first, and a port that they keep from this host
is refused here as well.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docker.errors import DockerException
from docker.utils import socket as frames

from hanger_lab.config import Lab
from hanger_lab.ec2.fleet import INSTANCE_LABEL
from hanger_lab.keys import AccessKey
from hanger_lab.machines import Engine, MachinesError

CHUNK = 1 << 16
TIMEOUT = 10.0
RELAY = """
import os, socket, sys, threading
try:
    peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
except OSError as error:
    sys.exit(f"{sys.argv[1]} port {sys.argv[2]}: {error.strerror or error}")
peer.settimeout(None)
def send():
    try:
        while chunk := os.read(0, 65536):
            peer.sendall(chunk)
        peer.shutdown(socket.SHUT_WR)
    except OSError:
        pass
threading.Thread(target=send, daemon=True).start()
while chunk := peer.recv(65536):
    while chunk:
        chunk = chunk[os.write(1, chunk):]
"""


class RouteError(Exception):
    """There is no way to a machine; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Connect standard input and output; 1 with the reason on standard error when there is no way."""
    parser = argparse.ArgumentParser(prog="python -m hanger_lab.connect", description="Reach a port of a lab machine.")
    parser.add_argument("--lab", type=Path, help="the lab's directory (default: HANGER_LAB_DIR)")
    parser.add_argument("host", help="an address of a machine")
    parser.add_argument("port", type=int)
    options = parser.parse_args(arguments)
    lab = Lab.from_environment()
    try:
        connect(replace(lab, directory=options.lab.resolve()) if options.lab else lab, options.host, options.port)
    except (RouteError, MachinesError, DockerException, OSError, ValueError) as error:
        sys.stderr.write(f"hanger-lab connect: {error}\n")
        return 1
    return 0


def proxy_command(lab: Lab) -> str:
    """Return the ProxyCommand that `ssh` runs from any directory."""
    words = [sys.executable, "-P", "-m", "hanger_lab.connect", "--lab", str(lab.directory)]
    return f"{' '.join(shlex.quote(word.replace('%', '%%')) for word in words)} %h %p"


def connect(lab: Lab, host: str, port: int) -> None:
    """Relay standard input and output; raise RouteError when no machine has the address or it does not admit us."""
    engine = Engine.connect(lab)
    relay = open_relay(engine, *route(lab, engine, host, port), port)
    threading.Thread(target=relay.send, args=(lambda: os.read(0, CHUNK),), daemon=True).start()
    relay.receive(_write)


def route(lab: Lab, engine: Engine, host: str, port: int) -> tuple[str, str]:
    """Return a machine and its address inside; a machine without an instance admits everybody."""
    for machine in engine.machines():
        if host == machine.address and machine.state == "running" and INSTANCE_LABEL not in machine.labels:
            return machine.name, host
    if not lab.facts.is_file():
        raise RouteError(f"no running machine has the address {host}")
    found = ask(lab, "route", address=host, port=str(port))
    return str(found["machine"]), str(found["address"])


def ask(lab: Lab, page: str, **query: str) -> dict[str, Any]:
    """Ask the lab's EC2 endpoint; raise RouteError with its reason."""
    facts = json.loads(lab.facts.read_text())
    key = AccessKey(**json.loads((lab.directory / "secrets" / "ec2.json").read_text()))
    url = f"{facts['ec2']['endpoint_url']}/lab/{page}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key.secret_key}"})  # noqa: S310
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise RouteError(json.load(error).get("message", str(error))) from error
    except OSError as error:
        raise RouteError("the lab's EC2 does not answer: start the lab with `hanger-lab up`") from error
    return found


@dataclass(frozen=True)
class Relay:
    """A connection to a port, made inside a machine."""

    api: Any
    identity: str
    stream: Any
    connection: socket.socket

    def send(self, read: Callable[[], bytes]) -> None:
        """Pass on what can be read, then its end."""
        with suppress(OSError):
            while chunk := read():
                self.connection.sendall(chunk)
            self.connection.shutdown(socket.SHUT_WR)

    def receive(self, write: Callable[[bytes], None]) -> None:
        """Pass on what the port says until it ends; raise RouteError with the reason when it cannot be reached."""
        complaint = b""
        try:
            for kind, data in frames.frames_iter(self.stream, tty=False):  # type: ignore[no-untyped-call]
                if kind == frames.STDOUT:
                    write(data)
                else:
                    complaint += data
        finally:
            self.connection.close()
            self.stream.close()
        if self.api.exec_inspect(self.identity)["ExitCode"]:
            raise RouteError(complaint.decode(errors="replace").strip() or "the connection broke")


def open_relay(engine: Engine, machine: str, host: str, port: int) -> Relay:
    """Start a connection from inside a machine."""
    api = engine.client.api
    identity = api.exec_create(machine, ["python3", "-I", "-S", "-c", RELAY, host, str(port)], stdin=True, user="root")
    stream: Any = api.exec_start(identity["Id"], socket=True)
    connection: socket.socket = getattr(stream, "_sock", stream)
    connection.settimeout(None)
    return Relay(api, identity["Id"], stream, connection)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    sys.exit(main())

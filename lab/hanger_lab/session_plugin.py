"""The lab's session-manager-plugin: what AWS's own is to the AWS CLI and to Ansible's connection `amazon.aws.aws_ssm`.

Called as `session-manager-plugin RESPONSE REGION StartSession PROFILE REQUEST ENDPOINT`, where RESPONSE is SSM's answer
to StartSession. It shows where the session begins and ends as the real one does. In between, standard input and output
are the terminal of a shell of ssm-user in the instance's machine, or connections to a local port go to one of it.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from hanger_lab.config import Lab
from hanger_lab.connect import CHUNK, RouteError, ask, open_relay
from hanger_lab.machines import Engine, MachinesError

USER = "ssm-user"
SHELL = ["/bin/sh"]
DIRECTORY = "/usr/bin"
END_OF_INPUT = b"\x04"
GRACE_SECONDS = 3.0
USAGE = "session-manager-plugin RESPONSE REGION StartSession PROFILE REQUEST ENDPOINT"
FILE = "bin/session-manager-plugin"


@dataclass(frozen=True)
class Session:
    """A session that SSM has started, with what it leads to."""

    id: str
    machine: str
    address: str
    document: str
    parameters: dict[str, list[str]]


def main(directory: Path, arguments: list[str]) -> int:
    """Hold the session that the arguments name, in the lab of a directory; 1 with the reason when there is none."""
    if arguments == ["--version"]:
        _write(b"1.2.0.0-lab\n")
        return 0
    try:
        if len(arguments) < 3 or arguments[2] != "StartSession":
            raise RouteError(f"usage: {USAGE}")
        lab = replace(Lab.from_environment(), directory=directory)
        session = find(lab, json.loads(arguments[0]))
        with ended_by_signals():
            hold(Engine.connect(lab), session)
    except (RouteError, MachinesError, DockerException, OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"session-manager-plugin of the lab: {error}\n")
        return 1
    return 0


def script(lab: Lab) -> str:
    """Return the executable file that the lab's inventory names as the plugin."""
    return f"""#!/bin/sh
exec {shlex.quote(sys.executable)} -P -m hanger_lab.session_plugin {shlex.quote(str(lab.directory))} "$@"
"""


def find(lab: Lab, response: dict[str, Any]) -> Session:
    """Ask the lab's EC2 where a session leads; raise RouteError when its token is not the session's."""
    found = ask(lab, "session", id=str(response["SessionId"]), token=str(response["TokenValue"]))
    return Session(
        str(response["SessionId"]), found["machine"], found["address"], found["document"], found["parameters"]
    )


def hold(engine: Engine, session: Session) -> None:
    """Keep a session until its end on either side."""
    _say(f"\nStarting session with SessionId: {session.id}\n")
    if "portNumber" in session.parameters:
        forward(engine, session)
    else:
        shell(engine, session)
    _say(f"\n\nExiting session with sessionId: {session.id}.\n\n")


def shell(engine: Engine, session: Session) -> None:
    """Connect standard input and output with a shell that has a terminal."""
    api = engine.client.api
    identity = api.exec_create(
        session.machine,
        SHELL,
        stdin=True,
        tty=True,
        user=USER,
        workdir=DIRECTORY,
        environment={"TERM": "xterm-256color"},
    )["Id"]
    stream: Any = api.exec_start(identity, socket=True, tty=True)
    connection: socket.socket = getattr(stream, "_sock", stream)
    connection.settimeout(None)
    with raw_terminal():
        threading.Thread(target=_send, args=(connection,), daemon=True).start()
        try:
            while chunk := connection.recv(CHUNK):
                _write(chunk)
        finally:
            connection.close()
            stream.close()


def forward(engine: Engine, session: Session) -> None:
    """Let connections to a port of this host's loopback interface go to a port of the machine, until a signal."""
    remote = int(session.parameters["portNumber"][0])
    local = int((session.parameters.get("localPortNumber") or ["0"])[0] or 0)
    with socket.create_server(("127.0.0.1", local)) as listener:
        _say(f"Port {listener.getsockname()[1]} opened for sessionId {session.id}.\nWaiting for connections...\n\n")
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_carry, args=(engine, session, remote, client), daemon=True).start()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Take SIGINT and SIGTERM as the end of the session."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with suppress(KeyboardInterrupt):
        yield


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Pass keys on as they are when standard input is a terminal."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _carry(engine: Engine, session: Session, port: int, client: socket.socket) -> None:
    with client, suppress(RouteError, DockerException, OSError):
        relay = open_relay(engine, session.machine, "127.0.0.1", port)
        threading.Thread(target=relay.send, args=(lambda: client.recv(CHUNK),), daemon=True).start()
        relay.receive(client.sendall)
        client.shutdown(socket.SHUT_RDWR)


def _send(connection: socket.socket) -> None:
    with suppress(OSError):
        while chunk := os.read(0, CHUNK):
            connection.sendall(chunk)
        # The engine ends a terminal whose input closes at once, with what it has still to say: the shell goes first.
        connection.sendall(END_OF_INPUT)
        time.sleep(GRACE_SECONDS)
        connection.shutdown(socket.SHUT_WR)


def _say(text: str) -> None:
    _write(text.replace("\n", "\r\n").encode())


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

"""Commands inside containers, with standard input."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from docker.utils import socket as frames


def execute(api: Any, container: str, command: Sequence[str], stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Run a command as root in a running container; return its exit code, output and error output."""
    identity = api.exec_create(container, list(command), stdin=stdin is not None, user="root")["Id"]
    stream = api.exec_start(identity, socket=True)
    connection = getattr(stream, "_sock", stream)
    try:
        if stdin is not None:
            connection.sendall(stdin)
            connection.shutdown(socket.SHUT_WR)
        chunks: dict[int, list[bytes]] = {frames.STDOUT: [], frames.STDERR: []}
        for kind, data in frames.frames_iter(stream, tty=False):  # type: ignore[no-untyped-call]
            chunks[kind].append(data)
    finally:
        connection.close()
        stream.close()
    code = api.exec_inspect(identity)["ExitCode"]
    return int(code or 0), b"".join(chunks[frames.STDOUT]), b"".join(chunks[frames.STDERR])

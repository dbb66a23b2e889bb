"""TCP ports: whether one is free and who holds it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

LISTENING = "0A"


class PortTakenError(Exception):
    """Something else listens on a port that the lab needs."""


def require_free(port: int, purpose: str, variable: str, address: str = "127.0.0.1") -> None:
    """Raise PortTakenError, naming the holder and the variable that changes the port, unless it can be bound."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            who = holder(port) or "another process"
            raise PortTakenError(
                f"port {port} for {purpose} is taken by {who}: end it, or set {variable} to a free port"
            ) from error


def holder(port: int) -> str | None:
    """Return the process that listens on a port, as `name (pid N)`; None when it cannot be seen."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for entry in Path("/proc").iterdir() if inodes else ():
        if entry.name.isdigit() and inodes & _links(entry / "fd"):
            return f"{(entry / 'comm').read_text().strip()} (pid {entry.name})"
    return None


def _listening(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def _links(directory: Path) -> set[str]:
    links = set()
    try:
        for entry in directory.iterdir():
            links.add(os.readlink(entry))  # noqa: PTH115
    except OSError:
        return links
    return links

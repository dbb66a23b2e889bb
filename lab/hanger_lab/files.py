"""Files and directories of a lab that are their owner's alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def private_directory(path: Path) -> None:
    """Make a directory unless it exists; only its owner may enter it from now on."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)


def append_private(path: Path) -> IO[bytes]:
    """Open a log to write at its end; only its owner may read it from now on."""
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    os.fchmod(file.fileno(), 0o600)
    return file

"""One command at a time works on a lab."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hanger_lab.config import Lab
from hanger_lab.files import private_directory

log = logging.getLogger(__name__)


def lock_file(lab: Lab) -> Path:
    """Return the file that is locked; its holder may remove it as the last thing it does."""
    return lab.directory / "lock"


@contextmanager
def exclusive(lab: Lab) -> Iterator[None]:
    """Let one `up` or `down` of a lab run at a time, also when the lab's directory is removed and made again."""
    while True:
        private_directory(lab.directory)
        try:
            lock = lock_file(lab).open("w")
        except FileNotFoundError:
            continue
        with lock:
            _wait_for(lock, lab)
            if _is_at(lock, lock_file(lab)):
                yield
                return


def _wait_for(lock: IO[str], lab: Lab) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("another hanger-lab works on %s: waiting for it", lab.directory)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _is_at(lock: IO[str], path: Path) -> bool:
    """Tell whether an open file is still the one at a path: a lock on a removed file excludes nobody."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False

"""What was called: which actions at all, for the IAM policy a user needs, and every change in order."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from hanger_lab.files import append_private

CALLS, WRITES = "calls.log", "writes.log"
_READS = re.compile(r"(Describe|Get|List|Search)")


def reads(action: str) -> bool:
    """Tell whether an action changes nothing."""
    return _READS.match(action) is not None


class Journal:
    """Two append-only files with lines like `ec2:RunInstances`, IAM's spelling of an action.

    `calls.log` has each action once; `writes.log` has each call that may change something, when it arrives.
    """

    def __init__(self, directory: Path) -> None:
        """Continue the files of a directory."""
        self._directory = directory
        self._lock = threading.Lock()
        calls = directory / CALLS
        self._known = set(calls.read_text().split()) if calls.exists() else set()

    def record(self, service: str, action: str) -> None:
        """Write a call down before it is carried out."""
        line = f"{service}:{action}"
        with self._lock:
            if line not in self._known or not (self._directory / CALLS).exists():
                self._append(CALLS, line)
                self._known.add(line)
            if not reads(action):
                self._append(WRITES, line)

    def _append(self, name: str, line: str) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with append_private(self._directory / name) as file:
            file.write(f"{line}\n".encode())

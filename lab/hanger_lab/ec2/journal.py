"""What was called: which actions at all, for the IAM policy a user needs, and every change in order."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from hanger_lab.files import append_private

CALLS, WRITES = "calls.log", "writes.log"
_ROW = re.compile(r"\| `[a-z0-9]+:[A-Za-z0-9]+` \|")
_READS = re.compile(r"(Describe|Get|List|Search)")


def reads(action: str) -> bool:
    """Tell whether an action changes nothing."""
    return _READS.match(action) is not None


def documented() -> set[str]:
    """Return the actions in the table of the README."""
    rows = Path(__file__).with_name("README.md").read_text(encoding="utf-8").splitlines()
    return {row.split("`")[1] for row in rows if _ROW.match(row)}


def undocumented(directory: Path) -> set[str]:
    """Return the actions in a journal that the README says nothing of."""
    return set((directory / CALLS).read_text().split()) - documented()


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

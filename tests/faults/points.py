"""Points at which a test ends a run: a call that arrives, a task that begins, a command that works."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from account import Account
from hanger_lab.machines import MachinesError

Point = Callable[[], bool]


@dataclass
class Write:
    """The first call that may change something, from now on, as soon as the server gets it."""

    account: Account
    _before: int = field(init=False)

    def __post_init__(self) -> None:
        self._before = len(self.account.writes())

    def __call__(self) -> bool:
        return bool(self.arrived())

    def arrived(self) -> list[str]:
        """Return the calls that have arrived; those that a run makes at the same time arrive together."""
        return self.account.writes()[self._before :]


@dataclass
class Task:
    """A task that has begun a moment ago."""

    output: Path
    name: str
    seconds: float = 0.3
    _since: float = field(default=0.0, init=False)

    def __call__(self) -> bool:
        if not self._since and re.search(rf"^(TASK|RUNNING HANDLER) \[{re.escape(self.name)}\]", self._text(), re.M):
            self._since = time.monotonic()
        return bool(self._since) and time.monotonic() > self._since + self.seconds

    def _text(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""


@dataclass
class OnMachine:
    """The moment at which a shell command on an instance's machine succeeds; it is tried until then."""

    account: Account
    instance: str
    command: str
    _waiting: threading.Thread | None = field(default=None, repr=False)
    _met: threading.Event = field(default_factory=threading.Event, repr=False)

    def __call__(self) -> bool:
        if self._waiting is None:
            machine = self.account.machine(self.instance)
            self._waiting = threading.Thread(target=self._wait, args=[machine], daemon=True)
            self._waiting.start()
        return self._met.is_set()

    def _wait(self, machine: str) -> None:
        try:
            self.account.engine.run(machine, ["sh", "-c", f"until {self.command}; do sleep 0.02; done"])
        except MachinesError:
            return
        self._met.set()

"""Points at which a test ends a run: a call that arrives at the lab's EC2, a task that begins, a package unpacked."""

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
class Arrival:
    """A call of an action, from now on, as soon as the server gets it."""

    account: Account
    action: str
    _before: int = field(init=False)

    def __post_init__(self) -> None:
        self._before = self.account.writes().count(self.action)

    def __call__(self) -> bool:
        return self.account.writes().count(self.action) > self._before


@dataclass
class Unseen:
    """The first call of an action that was not seen since `start`, as soon as the server gets it."""

    account: Account
    start: int
    seen: list[str] = field(default_factory=list)

    def __call__(self) -> bool:
        return bool(self.unseen())

    def unseen(self) -> list[str]:
        """Return the actions that have arrived and were not seen before."""
        return [action for action in numbered(self.account.writes()[self.start :]) if action not in self.seen]


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


def numbered(writes: list[str]) -> list[str]:
    """Return each action once, in order; only launches are told from each other."""
    launches = 0
    actions = []
    for action in writes:
        launches += action == "ec2:RunInstances"
        actions.append(f"{action} {launches}" if action == "ec2:RunInstances" else action)
    return list(dict.fromkeys(actions))

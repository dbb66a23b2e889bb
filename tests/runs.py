"""Run the project's playbooks as a user would, and end them in the middle when a test asks for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "HANGER_TEST_RUN"
POLL_SECONDS = 0.01


@dataclass
class Run:
    """What one ansible-playbook call did."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """The number of changes that the recap tells."""
        return sum(int(count) for count in re.findall(r"changed=(\d+)", self.output))

    @property
    def roles(self) -> set[str]:
        """The roles of which more ran than the validation of their arguments, which no tag keeps away."""
        tasks = re.findall(
            r"^TASK \[(\w+) : (?!Validating arguments)(.*?)(?=^TASK |^PLAY |\Z)", self.output, re.M | re.S
        )
        return {role for role, told in tasks if re.search(r"^(ok|changed|included|fatal|failed):", told, re.M)}

    @property
    def text(self) -> str:
        """The output with its line breaks folded, to search for sentences."""
        return re.sub(r"\s+", " ", self.output)


@dataclass
class Platform:
    """One world and project, and how to run playbooks in it."""

    inventory: str
    environment: dict[str, str] = field(repr=False)
    arguments: tuple[str, ...] = ()

    def command(self, *arguments: str, playbook: str = "site.yml") -> list[str]:
        """Return the command line of a playbook."""
        return ["ansible-playbook", "-i", f"inventories/{self.inventory}", playbook, *self.arguments, *arguments]

    def play(self, *arguments: str, playbook: str = "site.yml", **environment: str) -> Run:
        """Run a playbook to its end."""
        result = subprocess.run(
            self.command(*arguments, playbook=playbook),
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(result.returncode, result.stdout + result.stderr)

    def killed(
        self, reached: Callable[[], bool], output: Path, *arguments: str, playbook: str = "site.yml"
    ) -> tuple[bool, Run]:
        """Run a playbook and kill every process of it, as a loss of power would, as soon as a point is reached.

        Returns whether it was killed; a run that ends before the point was not.
        """
        mark = uuid.uuid4().hex
        return self.disturbed(reached, lambda: kill_marked(mark), output, *arguments, playbook=playbook, mark=mark)

    def disturbed(
        self,
        reached: Callable[[], bool],
        act: Callable[[], None],
        output: Path,
        *arguments: str,
        playbook: str = "site.yml",
        mark: str = "",
    ) -> tuple[bool, Run]:
        """Run a playbook and do something as soon as a point is reached; return whether it was, and the run."""
        with output.open("wb") as stream:
            process = subprocess.Popen(
                self.command(*arguments, playbook=playbook),
                cwd=ROOT,
                env={**self.environment, MARK: mark or uuid.uuid4().hex, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            met = False
            while process.poll() is None and not (met := reached()):
                time.sleep(POLL_SECONDS)
            met = met and process.poll() is None
            if met:
                act()
            process.wait()
        return met, Run(process.returncode, output.read_text(errors="replace"))

    def ask(self, query: str) -> None:
        """Run a statement in the gym's database, as its owner's superuser would."""
        command = ["ansible", "-i", f"inventories/{self.inventory}", "oltp", "--become", "--become-user=postgres"]
        module = ["-m", "community.postgresql.postgresql_query", "-a", f"login_db=thehangerdb query='{query}'"]
        subprocess.run([*command, *module], cwd=ROOT, env=self.environment, check=True, capture_output=True)


def kill_marked(mark: str) -> None:
    """Kill the processes that carry a mark in their environment, in whatever session, until there are none."""
    while pids := [pid for pid in _processes() if f"{MARK}={mark}".encode() in _environment(pid)]:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(POLL_SECONDS)


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    """Return the environment of a living process; nothing for a zombie, and for those of other users."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []

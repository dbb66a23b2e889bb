"""The lab's own long-running processes: they outlive their starter and are known by a mark in their environment."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hanger_lab.files import append_private

log = logging.getLogger(__name__)

MARK = "HANGER_LAB_SERVICE"
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServiceError(Exception):
    """A process of the lab did not start or does not stay."""


@dataclass(frozen=True)
class Service:
    """A process of the lab; `health` is a URL (any answer but 5xx is good), `key` changes when it must restart."""

    lab_id: str
    name: str
    directory: Path
    command: Sequence[str] = ()
    health: str = ""
    key: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.directory / "logs" / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """JSON: the process's id and the key that it was started with."""
        return self.directory / "run" / f"{self.name}.pid"

    @property
    def mark(self) -> str:
        """The value of the mark in the environment."""
        return f"{self.lab_id}:{self.name}"

    def pids(self) -> list[int]:
        """Return its living processes, its main process first when the pid file knows it."""
        living = list(marked_processes(self.mark))
        main = self._recorded().get("pid")
        return sorted(living, key=lambda pid: (pid != main, pid))

    def current(self) -> bool:
        """Tell whether it runs and was started with the same key."""
        record = self._recorded()
        return record.get("key") == self.key and record.get("pid") in self.pids()

    def healthy(self, timeout: float = 2.0) -> bool:
        """Tell whether it answers."""
        try:
            with _WITHOUT_PROXY.open(self.health, timeout=timeout) as answer:
                return bool(answer.status < 500)
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    def start(self) -> None:
        """Start the process in a session of its own."""
        for path in (self.log_file, self.pid_file):
            path.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            **self.environment,
            MARK: self.mark,
            "PYTHONUNBUFFERED": "1",
            "PYTHONSAFEPATH": "1",
        }
        with append_private(self.log_file) as output:
            process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=environment,
                start_new_session=True,
            )
        self.pid_file.write_text(json.dumps({"pid": process.pid, "key": self.key}))

    def wait(self, seconds: float) -> None:
        """Wait until it answers; raise ServiceError with the end of its log when it ends first or takes too long."""
        deadline = time.monotonic() + seconds
        while not self.healthy():
            if not self.pids():
                raise ServiceError(f"the {self.name} endpoint ended: {self.last_lines()} (see {self.log_file})")
            if time.monotonic() > deadline:
                raise ServiceError(f"the {self.name} endpoint did not answer in {seconds:.0f} s (see {self.log_file})")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End all its processes, by force after a while; none is fine."""
        pids = self.pids()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids[:1] if number == signal.SIGTERM else pids:
                _signal(pid, number)
            deadline = time.monotonic() + STOP_SECONDS
            while (pids := self.pids()) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            if not pids:
                break
        self.pid_file.unlink(missing_ok=True)

    def last_lines(self, count: int = 3) -> str:
        """Return the last lines of its log."""
        lines = self.log_file.read_text(errors="replace").strip().splitlines() if self.log_file.exists() else []
        return " / ".join(lines[-count:]) or "no output"

    def _recorded(self) -> dict[str, object]:
        try:
            record = json.loads(self.pid_file.read_text())
        except (OSError, json.JSONDecodeError):
            return {}
        return record if isinstance(record, dict) else {}


def marked_processes(mark: str) -> Iterator[int]:
    """Find the living processes that carry a mark; those of other users are not looked at."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0") and _state(entry) not in "ZX":
                yield int(entry.name)
        except OSError:
            continue


def _state(entry: Path) -> str:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.debug("process %d is gone", pid)

"""A Docker engine of the lab's own, for hosts where none runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException

from hanger_lab.config import Lab
from hanger_lab.files import append_private
from hanger_lab.machines import firewall
from hanger_lab.machines.errors import EngineError
from hanger_lab.machines.hosttools import find
from hanger_lab.machines.locate import answers, private_record, private_socket

START_SECONDS = 60.0
STOP_SECONDS = 30.0
MARK = "HANGER_LAB_SERVICE"


@dataclass(frozen=True)
class PrivateEngine:
    """The files and the process of a lab's own engine."""

    lab: Lab

    @property
    def directory(self) -> Path:
        """Where its data is."""
        return self.lab.directory / "engine"

    @property
    def socket(self) -> Path:
        """The socket that it answers at; everything that names a socket lies beside it."""
        return private_socket(self.lab)

    @property
    def pid_file(self) -> Path:
        """Written by the engine itself."""
        return self.socket.with_name("docker.pid")

    @property
    def record(self) -> Path:
        """What the host's packet filter was like before; exists from before the start until after the end."""
        return private_record(self.lab)

    @property
    def exists(self) -> bool:
        """Tell whether it runs or did without having been ended properly."""
        return self.record.exists()

    @property
    def has_data(self) -> bool:
        """Tell whether it may have machines, running or not."""
        return (self.directory / "data").exists()

    def pid(self) -> int | None:
        """Return its process id when it runs."""
        try:
            pid = int(self.pid_file.read_text())
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if name == "dockerd" and str(self.socket).encode() in arguments else None

    def ready(self) -> bool:
        """Tell whether it answers requests; its socket exists some seconds earlier."""
        if not answers(self.socket):
            return False
        try:
            return bool(docker.DockerClient(base_url=f"unix://{self.socket}", timeout=5).ping())
        except (DockerException, OSError):
            return False

    def command(self) -> list[str]:
        """Return the command that runs it."""
        run = self.socket.parent
        return [
            *(find("dockerd") or "dockerd", "--host", f"unix://{self.socket}", "--bridge", "none"),
            *("--data-root", str(self.directory / "data"), "--exec-root", str(run / "exec")),
            *("--pidfile", str(self.pid_file), "--config-file", str(self._configuration())),
        ]

    def start(self) -> None:
        """Start it and wait until it answers; raise EngineError with the end of its log when it does not."""
        if self.ready():
            return
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        log_file = self.lab.directory / "logs" / "engine.log"
        log_file.parent.mkdir(parents=True, exist_ok=True)
        firewall.record(self.record)
        if self.pid() is None:
            self._clear_the_way()
        environment = {**os.environ, MARK: f"{self.lab.id}:engine", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        with append_private(log_file) as output:
            process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                env=environment,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                lines = " / ".join(log_file.read_text(errors="replace").strip().splitlines()[-3:])
                raise EngineError(f"the private Docker engine does not start: {lines} (see {log_file})")
            time.sleep(0.1)

    def stop(self, keep_data: bool = True) -> None:
        """End it, put the host's packet filter back, remove its run files and, if told so, its data."""
        if pid := self.pid():
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self.pid() == pid and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.pid() == pid:
                os.kill(pid, signal.SIGKILL)
        self._end_leftovers(b"containerd", b"containerd-shim-runc-v2", b"docker-proxy")
        firewall.restore(self.record)
        self._unmount()
        run = self.socket.parent
        if run == self.directory:
            shutil.rmtree(run / "exec", ignore_errors=True)
            for path in (self.socket, self.pid_file, self._configuration()):
                path.unlink(missing_ok=True)
        else:
            shutil.rmtree(run, ignore_errors=True)
        if not keep_data:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _configuration(self) -> Path:
        # A file of its own keeps the engine from reading the system's /etc/docker/daemon.json.
        path = self.directory / "daemon.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"live-restore": False}))
        return path

    def _clear_the_way(self) -> None:
        """Remove what a killed engine leaves that keeps the next from starting; its machines' helpers stay for it."""
        self._end_leftovers(b"containerd")
        for path in (self.pid_file, *(self.socket.parent / "exec").rglob("*.pid")):
            path.unlink(missing_ok=True)

    def _end_leftovers(self, *programs: bytes) -> None:
        """End the helpers of a dead engine by the names of their programs, known by the directories they work in."""
        marks = (str(self.socket.parent / "exec").encode(), str(self.directory / "data").encode())
        for entry in Path("/proc").iterdir():
            try:
                arguments = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                program = arguments.partition(b"\0")[0].rpartition(b"/")[2]
                if program in programs and any(mark in arguments for mark in marks):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue

    def _unmount(self) -> None:
        roots = (f"{self.directory}/", f"{self.socket.parent}/")
        points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for point in sorted(points, reverse=True):
            if point.startswith(roots):
                subprocess.run(["umount", "-l", point], check=False, capture_output=True)

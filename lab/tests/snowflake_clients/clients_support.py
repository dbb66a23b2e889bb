"""Makes an environment for each client: what they need of the connector does not fit into one."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECONDS = 150


@dataclass
class Outcome:
    """What a client's command came to."""

    code: int
    output: str


@dataclass
class Environment:
    """A virtual environment with one client, and what its commands are told."""

    path: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, program: str, *arguments: str, directory: Path | None = None) -> Outcome:
        """Run one of the environment's programs."""
        done = subprocess.run(
            [str(self.path / "bin" / program), *arguments],
            cwd=directory,
            env={**os.environ, **self.variables, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Outcome(done.returncode, done.stdout)

    def succeed(self, program: str, *arguments: str, directory: Path | None = None) -> str:
        """Run a program that must succeed; return what it printed."""
        outcome = self.run(program, *arguments, directory=directory)
        assert outcome.code == 0, outcome.output[-6000:]
        return outcome.output


def environment(name: str) -> Environment:
    """Return the environment that requirements/<name>.txt describes; it is made once and kept."""
    requirements = HERE / "requirements" / f"{name}.txt"
    wanted = hashlib.sha256(f"{sys.version}\n{requirements.read_text()}".encode()).hexdigest()
    path = Path(os.environ.get("HANGER_LAB_CACHE", ROOT / ".lab/cache")) / "clients" / name
    stamp = path / "stamp"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(path, ignore_errors=True)
        uv = str(Path(sys.executable).with_name("uv"))
        variables = {**os.environ, "UV_SYSTEM_CERTS": "1"}
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(path)],
            [uv, "pip", "sync", "--quiet", "--python", str(path / "bin/python"), str(requirements)],
        ):
            subprocess.run(command, env=variables, check=True, timeout=600)
        stamp.write_text(wanted)
    return Environment(path)

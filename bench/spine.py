"""How long the whole path takes: a fresh clone, the same with images cached, a second run, the first sync."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PORTS = {"HANGER_LAB_EC2_PORT": "5568", "HANGER_LAB_SNOWFLAKE_PORT": "8086"}


def _timed(command: list[str], directory: Path, environment: dict[str, str]) -> tuple[float, str]:
    started = time.monotonic()
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return time.monotonic() - started, result.stdout


def _unchanged(name: str, output: str) -> str:
    counts = re.findall(r"^\S+\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
    changed = sum(int(count) for count in counts)
    if changed or not counts:
        raise SystemExit(
            f"{name}: a second run must change nothing, this one says changed={changed}:\n{output[-4000:]}"
        )
    return f"changed={changed} on {len(counts)} hosts"


def _figure(name: str, value: float, unit: str, note: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 1), "unit": unit, "peer": None, "note": note}


def measure() -> Iterator[dict[str, Any]]:
    """Measure in a clone of HEAD with empty caches, and remove it afterwards; it stays where `make down` fails."""
    scratch = Path(tempfile.mkdtemp(prefix="hanger-bench-"))
    clone = scratch / "clone"
    environment = {**os.environ, **PORTS, "UV_CACHE_DIR": f"{scratch}/uv"}
    environment.pop("HANGER_LAB_DIR", None)
    environment.pop("HANGER_LAB_CACHE", None)
    measured = False
    try:
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        yield from _figures(clone, environment)
        measured = True
    finally:
        if _removed(scratch, clone, environment):
            shutil.rmtree(scratch)
        elif measured:
            raise SystemExit(1)


def _figures(clone: Path, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    ansible = {**environment, "PATH": f"{clone}/.venv/bin{os.pathsep}{environment['PATH']}"}
    seconds, output = _timed(["make", "up"], clone, environment)
    yield _figure("up_cold_s", seconds, "s", "make up in a fresh clone, nothing cached")
    rates = re.findall(r"([\d,]+) rows/s", output)
    yield _figure("first_sync_rows_per_s", float(rates[-1].replace(",", "")), "rows/s", "scale 100, the copy itself")
    for name, extra in (("second_run_s", []), ("second_check_s", ["--check"])):
        seconds, output = _timed(["ansible-playbook", "site.yml", *extra], clone, ansible)
        yield _figure(name, seconds, "s", _unchanged(name, output))
    _timed(["make", "down"], clone, environment)
    seconds, _ = _timed(["make", "up"], clone, environment)
    yield _figure("up_warm_s", seconds, "s", "make up after make down: environment and images cached")


def _removed(scratch: Path, clone: Path, environment: dict[str, str]) -> bool:
    """Take the lab down; say what is left where that fails."""
    if not clone.exists():
        return True
    down = subprocess.run(["make", "down"], cwd=clone, env=environment, check=False, capture_output=True, text=True)
    if down.returncode:
        sys.stderr.write(
            f"make down FAILED ({down.returncode}): machines, networks and processes of {clone} may be left. "
            f"It stays in {scratch}: run `make down` in {clone}, then remove it.\n{down.stdout[-4000:]}\n"
            f"{down.stderr[-4000:]}\n"
        )
    return down.returncode == 0

"""How long the whole path takes: a fresh clone, the same with images cached, a second run, the first sync."""

from __future__ import annotations

import os
import re
import subprocess
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


def _changed(output: str) -> int:
    return sum(int(count) for count in re.findall(r"changed=(\d+)", output))


def _figure(name: str, value: float, unit: str, note: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 1), "unit": unit, "peer": None, "note": note}


def measure() -> Iterator[dict[str, Any]]:
    """Measure in a clone of HEAD with empty caches, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="hanger-bench-") as scratch:
        clone = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        environment = {**os.environ, **PORTS, "UV_CACHE_DIR": f"{scratch}/uv"}
        environment.pop("HANGER_LAB_DIR", None)
        environment.pop("HANGER_LAB_CACHE", None)
        ansible = {**environment, "PATH": f"{clone}/.venv/bin{os.pathsep}{environment['PATH']}"}
        try:
            seconds, output = _timed(["make", "up"], clone, environment)
            yield _figure("up_cold_s", seconds, "s", "make up in a fresh clone, nothing cached")
            rates = re.findall(r"([\d,]+) rows/s", output)
            yield _figure(
                "first_sync_rows_per_s", float(rates[-1].replace(",", "")), "rows/s", "scale 100, the copy itself"
            )
            for name, extra in (("second_run_s", []), ("second_check_s", ["--check"])):
                seconds, output = _timed(["ansible-playbook", "site.yml", *extra], clone, ansible)
                yield _figure(name, seconds, "s", f"changed={_changed(output)}")
            _timed(["make", "down"], clone, environment)
            seconds, _ = _timed(["make", "up"], clone, environment)
            yield _figure("up_warm_s", seconds, "s", "make up after make down: environment and images cached")
        finally:
            subprocess.run(["make", "down"], cwd=clone, env=environment, check=False, capture_output=True)

"""How fast the gym's database is filled, in how much memory, and how long a run with nothing to do takes."""

from __future__ import annotations

import io
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PORTS = {"HANGER_LAB_EC2_PORT": "5574", "HANGER_LAB_SNOWFLAKE_PORT": "8092"}
PROJECT = "bench-oltp"
SCALE = 3000
SAMPLES = 5
TABLE = "routeclimbs"
SLICES = (
    ("routeclimbs", "--days=5-5", 1 << 27),
    ("payments", "--days=5-5", 1 << 26),
    ("members", "--days=5-5", 1 << 26),
    ("routesettings", "--days=5-5", 1 << 26),
)
"""Of the greatest chain: a table, some days, and the bytes after which it has shown how much it needs."""
GENERATOR = [sys.executable, "-m", "hanger_oltp"]


def measure() -> Iterator[dict[str, Any]]:
    """Measure loads with a server of its own and the second run in a lab of its own; remove both."""
    yield from _loads()
    yield from _peaks()
    yield from _second_run()


def _loads() -> Iterator[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "oltp" / "tests"))
    import psycopg
    from cluster import binaries, migrate, running
    from hanger_oltp.tables import TABLES

    programs = binaries()
    if programs is None:
        raise SystemExit("load_ratio_to_copy needs PostgreSQL's server on this machine: install package postgresql")
    names = ", ".join(TABLES[TABLE].names)
    with TemporaryDirectory() as scratch, running(programs) as target:
        with psycopg.connect(target, autocommit=True) as connection:
            migrate(connection)
            # As the role's load does: keys and indexes are made after the rows are there.
            connection.execute(f"CREATE TABLE loaded (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        making = f"{' '.join(GENERATOR)} table --scale={SCALE} {TABLE}"
        csv, binary = Path(scratch, "csv"), Path(scratch, "binary")
        _shell(f"{making} > {csv}")
        _shell(f"{making} --binary > {binary}")

        def copying(source: str, form: str) -> str:
            copy = f"\\copy loaded ({names}) FROM {source} WITH ({form})"
            return f"psql -XqAt '{target}' -c \"SET datestyle = 'ISO, YMD'\" -c \"{copy}\""

        ways = {
            "psql": copying(f"'{csv}'", "FORMAT csv, HEADER"),
            "generator": f"{making} --binary | {copying('pstdin', 'FORMAT binary')}",
            "limit": copying(f"'{binary}'", "FORMAT binary"),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(SAMPLES):
            for way, command in ways.items():
                _shell(f"psql -XqAt '{target}' -c 'TRUNCATE loaded' -c CHECKPOINT")
                seconds[way].append(_shell(command))
        rows = int(_output(f"psql -XqAt '{target}' -c 'TABLE loaded' | wc -l"))
    rates = {way: rows / statistics.median(taken) for way, taken in seconds.items()}
    note = f"{rows} rows of {TABLE}, median of {SAMPLES}"
    yield _figure(
        "load_ratio_to_copy", rates["generator"] / rates["psql"], "ratio", f"{note}; 0.6 wanted", "psql \\copy"
    )
    yield _figure("load_rows_per_s", rates["generator"], "rows/s", f"{note}, generator and COPY together")
    yield _figure("copy_rows_per_s", rates["psql"], "rows/s", f"{note}, a ready CSV file", "psql \\copy")
    yield _figure(
        "copy_limit_rows_per_s", rates["limit"], "rows/s", f"{note}, a ready binary file: the machine's limit"
    )


def _peaks() -> Iterator[dict[str, Any]]:
    with TemporaryDirectory() as scratch:
        whole = _peak([*GENERATOR, "generate", "--archive", f"--scale={SCALE}", f"--output={scratch}"])
    peaks = {f"all of scale {SCALE}": whole}
    for table, days, enough in SLICES:
        command = [*GENERATOR, "table", "--scale=1000000", days, table]
        peaks[f"{table} of scale 1000000"] = _peak(command, enough)
    note = ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items())
    yield _figure("generator_peak_mb", max(peaks.values()), "MB", note)


def _peak(command: list[str], enough: int | None = None) -> float:
    """Return the most memory that a command had, in MB; it may end when nobody reads more than enough."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        output, left = process.stdout or io.BytesIO(), enough or 1 << 62
        while left > 0 and (content := output.read(1 << 16)):
            left -= len(content)
        output.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and left > 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_maxrss / 1024


def _second_run() -> Iterator[dict[str, Any]]:
    directory = ROOT / ".lab" / "bench-oltp"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **PORTS,
        "HANGER_LAB_DIR": str(directory),
        "HANGER_LAB_CACHE": os.environ.get("HANGER_LAB_CACHE", str(ROOT / ".lab" / "cache")),
        "HANGER_PROJECT": PROJECT,
    }
    _timed(["hanger-lab", "up"], environment)
    try:
        _timed(["ansible-playbook", "site.yml"], environment)
        seconds, output = _timed(["ansible-playbook", "site.yml", "--tags", "postgres_server"], environment)
        counts = re.findall(r"^\S+\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
        changed = sum(int(count) for count in counts)
        if changed or not counts:
            raise SystemExit(f"a second run must change nothing, this one says changed={changed}:\n{output[-4000:]}")
        note = "site.yml --tags postgres_server on the whole platform, changed=0; 20 wanted"
        yield _figure("postgres_server_second_run_s", seconds, "s", note)
    finally:
        _timed(["hanger-lab", "down"], environment)


def _shell(command: str) -> float:
    started = time.monotonic()
    _output(command)
    return time.monotonic() - started


def _output(command: str) -> str:
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stderr[-4000:]}")
    return done.stdout


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    started = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return time.monotonic() - started, result.stdout


def _figure(name: str, value: float, unit: str, note: str, peer: str | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "peer": peer, "note": note}

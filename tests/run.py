"""Run every check of the project, two at a time, and close with one line: N passed, N failed."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "collections/ansible_collections/thehanger/platform"
UNIT = COLLECTION / "tests/unit"
COLLECTION_NAME = "ansible_collections.thehanger.platform"
PACKAGES = ("--config-file=../pyproject.toml", "--namespace-packages", "--explicit-package-bases")
FILTERS = (
    "filter_plugins",
    "roles/docker_host/filter_plugins",
    "roles/postgres_server/filter_plugins",
    "roles/postgres_server/library",
)
LOGS = ROOT / ".lab/test/test-logs"
# Labs beside the one of `make up`, each with its EC2 and Snowflake port: several platforms stand at a time, and no
# failure that one test orders meets another.
LABS = {"test": ("5567", "8085"), "test-aws": ("5569", "8087"), "test-faults": ("5572", "8090")}
STARTED = time.monotonic()
# After so many minutes no further step starts, so that a slow machine's CI says what it has seen before it is ended.
MINUTES = float(os.environ.get("HANGER_TEST_MINUTES", "inf"))
log = logging.getLogger("test")


@dataclass(frozen=True)
class Step:
    """One command; its tests are counted when it writes a JUnit file, else it counts as one."""

    name: str
    command: Sequence[str]
    directory: Path = ROOT
    junit: bool = False
    lab: str = "test"


@dataclass(frozen=True)
class Result:
    """What a step came to."""

    name: str
    passed: int
    failed: int
    skipped: int = 0


def pytest(name: str, *arguments: str, lab: str = "test") -> Step:
    """Describe a pytest run whose tests are counted one by one."""
    return Step(name, ["pytest", f"--junitxml={LOGS / name}.xml", *arguments], junit=True, lab=lab)


def static_checks() -> list[Step]:
    """List what needs no machine, the longest first."""
    return [
        pytest("modules-snowflake", *map(str, sorted(UNIT.glob("test_snowflake_*.py")))),
        pytest("modules", str(UNIT), "--ignore-glob=*/test_snowflake_*"),
        Step("ansible-lint", ["ansible-lint", "--offline", "-q"]),
        pytest("lab-snowflake", "lab/tests/snowflake"),
        pytest("lab-snowflake-clients", "lab/tests/snowflake_clients"),
        pytest("services", "tests/snowflake"),
        Step("yamllint", ["yamllint", "--strict", "."]),
        Step("ruff", ["ruff", "check", "."]),
        Step("mypy", ["mypy", "lab/hanger_lab", "oltp/hanger_oltp", *FILTERS]),
        Step(
            "mypy-collection",
            ["mypy", *PACKAGES, "-p", f"{COLLECTION_NAME}.plugins.module_utils"],
            ROOT / "collections",
        ),
        Step("ansible-config", ["ansible-config", "validate", "-t", "all"]),
        Step("changelog", ["antsibull-changelog", "lint"], COLLECTION),
        *(
            Step(f"syntax-{path.stem}", ["ansible-playbook", "-i", "localhost,", "--syntax-check", str(path)])
            for path in sorted(ROOT.glob("playbooks/*.yml"))
        ),
        pytest("repository", "tests/test_repository.py", "tests/unit"),
        pytest("generator", "oltp/tests"),
        Step(
            "modules-connector-5",
            ["tests/connector_5", f"--junitxml={LOGS / 'modules-connector-5.xml'}"],
            junit=True,
        ),
        Step("sanity", ["tests/sanity"]),
        Step("browser", ["tests/browser"]),
    ]


def lab_checks() -> list[Step]:
    """List what needs a lab, the longest first."""
    names = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))
    slow_first = sorted(names, key=["default", "airbyte_connections", "ec2_launch"].__contains__, reverse=True)
    return [
        pytest("end-to-end", "tests/end_to_end", lab="test-aws"),
        pytest("faults", "tests/faults", lab="test-faults"),
        pytest("access", "tests/access"),
        *(Step(f"molecule-{name}", ["molecule", "test", "-s", name]) for name in slow_first),
        *(pytest(f"lab-{part}", f"lab/tests/{part}") for part in ("machines", "ec2", "airbyte")),
    ]


def environment(lab: str) -> dict[str, str]:
    """Point a step at a lab of the tests' own, on the engine of a lab that runs already."""
    running = [path for path in (ROOT / ".lab/lab.json", ROOT / ".lab/test/lab.json") if path.is_file()]
    engine = {}
    if running and "DOCKER_HOST" not in os.environ:
        engine = {"DOCKER_HOST": json.loads(running[0].read_text())["engine"]["docker_host"]}
    ec2_port, snowflake_port = LABS[lab]
    return {
        **os.environ,
        **engine,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HANGER_LAB_DIR": str(ROOT / ".lab" / lab),
        "HANGER_LAB_CACHE": str(ROOT / ".lab" / "cache"),
        "HANGER_LAB_EC2_PORT": ec2_port,
        "HANGER_LAB_SNOWFLAKE_PORT": snowflake_port,
        "ANSIBLE_FORCE_COLOR": "0",
        "NO_COLOR": "1",
    }


def run(step: Step) -> Result:
    """Run one step with its output in a file; show the end of it when it fails."""
    started = time.monotonic()
    if started - STARTED > MINUTES * 60 and not step.name.startswith("down-"):
        log.info("%-28s skipped, for HANGER_TEST_MINUTES=%g are over", step.name, MINUTES)
        return Result(step.name, 0, 0, skipped=1)
    output = LOGS / f"{step.name}.log"
    (LOGS / f"{step.name}.xml").unlink(missing_ok=True)
    with output.open("wb") as stream:
        code = subprocess.run(
            step.command,
            cwd=step.directory,
            env=environment(step.lab),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ).returncode
    result = _count(step, code)
    log.info("%-28s %s in %.0f s", step.name, "failed" if result.failed else "passed", time.monotonic() - started)
    if result.failed:
        log.info("%s", "\n".join(output.read_text(errors="replace").split("\n")[-60:]))
    return result


def _count(step: Step, code: int) -> Result:
    report = LOGS / f"{step.name}.xml"
    if not step.junit or not report.is_file():
        return Result(step.name, int(code == 0), int(code != 0))
    suite = ET.parse(report).getroot()[0]
    total, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    return Result(step.name, total - failed - skipped, max(failed, int(code != 0)), skipped)


def in_parallel(steps: Sequence[Step], workers: int = 2) -> list[Result]:
    """Run steps that do not disturb each other."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, steps))


def main(pattern: str) -> int:
    """Run the steps whose name matches; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    LOGS.mkdir(parents=True, exist_ok=True)
    static, with_lab = (
        [step for step in steps if re.search(pattern, step.name)] for steps in (static_checks(), lab_checks())
    )
    labs = [name for name in LABS if name in {step.lab for step in with_lab} | {"test"}] if with_lab else []
    try:
        results = in_parallel([*(Step(f"up-{lab}", ["hanger-lab", "up"], lab=lab) for lab in labs[:1]), *static])
        results += [run(Step(f"up-{lab}", ["hanger-lab", "up"], lab=lab)) for lab in labs[1:]]
        if any(result.failed for result in results if result.name.startswith("up-")):
            results += [Result(step.name, 0, 0, skipped=1) for step in with_lab]
        else:
            results += in_parallel(with_lab)
    finally:
        down = [run(Step(f"down-{lab}", ["hanger-lab", "down"], lab=lab)) for lab in reversed(labs)]
    results += down
    passed, failed, skipped = (
        sum(getattr(result, kind) for result in results) for kind in ("passed", "failed", "skipped")
    )
    log.info("%d passed, %d failed%s", passed, failed, f", {skipped} skipped" if skipped else "")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

"""`hanger-lab` from outside: up, status, logs, down, also after they were killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hanger_lab.config import Lab
from hanger_lab.machines import Engine
from hanger_lab.machines.cleanup import remove_objects
from hanger_lab.processes import marked_processes
from hanger_lab.services import NAMES, environment

pytestmark = pytest.mark.engine
COMMAND = [sys.executable, "-m", "hanger_lab.cli"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for the tests of this file: each starts from whatever the last one left, as people do."""
    root = Path(__file__).parents[3]
    cache = Path(os.environ.get("HANGER_LAB_CACHE") or root / ".lab" / "cache").resolve()
    ports = []
    for _ in NAMES:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ports.append(listener.getsockname()[1])
    lab = Lab(tmp_path_factory.mktemp("lifecycle") / "lab", cache, *ports)
    yield lab
    hanger(lab, "down")
    remove_objects(Engine.connect(lab))


def hanger(lab: Lab, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment(lab), **extra}
    return subprocess.run(
        [*COMMAND, *arguments], env=variables, capture_output=True, text=True, check=False, timeout=600
    )


def facts(lab: Lab) -> dict[str, Any]:
    found = json.loads(lab.facts.read_text())
    assert isinstance(found, dict)
    return found


def leftovers(lab: Lab) -> list[str]:
    engine = Engine.connect(lab)
    label = {"label": f"com.thehanger.lab={lab.id}"}
    objects: list[Any] = [
        *engine.client.containers.list(all=True, filters=dict(label)),
        *engine.client.networks.list(filters=label),
        *engine.client.volumes.list(filters=label),
    ]
    names = [item.name for item in objects]
    return names + [f"pid {pid}" for name in NAMES for pid in marked_processes(f"{lab.id}:{name}")]


def test_a_taken_port_is_told_before_anything_is_changed(shared: Lab) -> None:
    with socket.create_server(("127.0.0.1", shared.snowflake_port)):
        refused = hanger(shared, "up")
    assert refused.returncode == 1
    assert f"port {shared.snowflake_port} for the snowflake endpoint is taken by" in refused.stderr
    assert "HANGER_LAB_SNOWFLAKE_PORT" in refused.stderr
    assert not shared.directory.exists()
    assert leftovers(shared) == []


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HANGER_LAB_EC2_PORT", "http", "HANGER_LAB_EC2_PORT must be a TCP port"),
        ("DOCKER_HOST", "tcp://192.0.2.9:2375", "engine on this host"),
        ("DOCKER_HOST", "unix:///nonexistent.sock", "no Docker engine answers at unix:///nonexistent.sock"),
    ],
)
def test_a_wrong_environment_is_told(shared: Lab, variable: str, value: str, message: str) -> None:
    refused = hanger(shared, "up", **{variable: value})
    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_lab_that_is_down_says_so(shared: Lab) -> None:
    asked = hanger(shared, "status")
    assert asked.returncode == 1
    assert "make up" in asked.stdout


def test_up_recovers_from_being_killed_half_way(shared: Lab) -> None:
    variables = {**os.environ, **environment(shared)}
    started = subprocess.Popen([*COMMAND, "up"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not any(marked_processes(f"{shared.id}:{NAMES[0]}")) and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not shared.facts.exists()
    for path in (shared.directory / "run").glob("*.pid"):
        path.unlink()

    done = hanger(shared, "up")
    assert done.returncode == 0, done.stderr
    assert hanger(shared, "status").returncode == 0
    for name in NAMES:
        assert len(list(marked_processes(f"{shared.id}:{name}"))) == 1


def test_up_again_repeats_nothing(shared: Lab) -> None:
    before = {name: list(marked_processes(f"{shared.id}:{name}")) for name in NAMES}
    known, written = facts(shared), shared.facts.stat().st_mtime_ns
    done = hanger(shared, "up")
    assert done.returncode == 0, done.stderr
    assert {name: list(marked_processes(f"{shared.id}:{name}")) for name in NAMES} == before
    assert (facts(shared), shared.facts.stat().st_mtime_ns) == (known, written)


def test_facts_name_what_answers_and_what_exists(shared: Lab) -> None:
    known = facts(shared)
    assert known["id"] == shared.id
    with socket.create_connection((known["snowflake"]["host"], known["snowflake"]["port"]), timeout=5):
        pass
    assert Path(known["snowflake"]["private_key_path"]).stat().st_mode & 0o777 == 0o600
    assert Path(known["airbyte"]["archive"]).is_file()
    assert shared.facts.stat().st_mode & 0o777 == 0o600


def test_another_engine_is_refused_while_the_lab_is_up(shared: Lab) -> None:
    for command in ("up", "down"):
        refused = hanger(shared, command, DOCKER_HOST="unix:///nonexistent.sock")
        assert refused.returncode == 1
        assert "unset it" in refused.stderr
    assert hanger(shared, "status").returncode == 0


def test_dead_endpoints_are_started_again(shared: Lab) -> None:
    for name in NAMES:
        for pid in marked_processes(f"{shared.id}:{name}"):
            os.kill(pid, signal.SIGKILL)
    assert hanger(shared, "status").returncode == 1
    assert hanger(shared, "up").returncode == 0
    assert hanger(shared, "status").returncode == 0


def test_single_machines_come_and_go(shared: Lab, tmp_path: Path) -> None:
    key = tmp_path / "key.pub"
    key.write_text("ssh-ed25519 AAAA test\n")
    created = hanger(shared, "machine", "create", "solo", "--image", "debian-12", "--authorized-key", str(key))
    assert created.returncode == 0, created.stderr
    machine = json.loads(created.stdout)
    assert json.loads(hanger(shared, "machine", "create", "solo", "--image", "debian-12").stdout) == machine
    refused = hanger(shared, "machine", "create", "solo", "--image", "debian-13")
    assert refused.returncode == 1
    assert "remove it first" in refused.stderr
    [listed] = json.loads(hanger(shared, "machine", "list").stdout)
    assert (listed["name"], listed["address"], listed["state"]) == ("solo", machine["address"], "running")
    with socket.create_connection((machine["address"], 22), timeout=30):
        pass
    assert hanger(shared, "machine", "remove", "solo", "never").returncode == 0
    assert json.loads(hanger(shared, "machine", "list").stdout) == []


def test_logs_are_shown_by_service(shared: Lab) -> None:
    assert f"lab {shared.id}" in hanger(shared, "logs", "ec2").stdout
    refused = hanger(shared, "logs", "redshift")
    assert refused.returncode == 1
    assert "ec2, snowflake" in refused.stderr


def test_down_leaves_nothing_even_without_lab_json(shared: Lab) -> None:
    assert hanger(shared, "machine", "create", "last").returncode == 0
    shared.facts.unlink()
    for path in (shared.directory / "run").glob("*.pid"):
        path.unlink()
    done = hanger(shared, "down")
    assert done.returncode == 0, done.stderr
    assert leftovers(shared) == []
    assert sorted(path.name for path in shared.directory.iterdir()) == ["logs", "secrets"]
    assert hanger(shared, "down").returncode == 0


@pytest.mark.parametrize("command", [[], ["up"], ["status"], ["down"], ["logs"], ["machine"], ["machine", "create"]])
def test_each_command_explains_itself(shared: Lab, command: list[str]) -> None:
    asked = hanger(shared, *command, "--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith("usage: hanger-lab")

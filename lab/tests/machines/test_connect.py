"""SSH through the engine, where the addresses of machines cannot be reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hanger_lab.config import Lab
from hanger_lab.connect import proxy_command
from hanger_lab.machines import Engine
from hanger_lab.machines.cleanup import remove_objects
from hanger_lab.reach import is_here, reach, way
from hanger_lab.services import environment

GATEWAY = IPv4Address("127.0.0.1")
ELSEWHERE = IPv4Address("192.0.2.1")


@pytest.mark.parametrize(
    ("choice", "gateway", "proxied"),
    [
        ("", GATEWAY, False),
        ("auto", ELSEWHERE, True),
        ("direct", ELSEWHERE, False),
        ("proxy", GATEWAY, True),
    ],
)
def test_the_way_follows_from_where_the_networks_are(
    lab: Lab, choice: str, gateway: IPv4Address, proxied: bool
) -> None:
    engine: Any = SimpleNamespace(address="unix:///desktop.sock", host_address=lambda image: "192.168.65.254")
    found = reach(lab, engine, gateway, {"HANGER_LAB_SSH": choice})
    assert bool(found.proxy_command) is proxied
    assert ("through the engine" in way(found)) is proxied
    here = gateway == GATEWAY
    assert found.gateway == (gateway if here else None)
    assert found.host == "127.0.0.1"
    assert found.host_from_machines(engine, "image") == ("127.0.0.1" if here else "192.168.65.254")


def test_another_way_is_refused(lab: Lab) -> None:
    engine: Any = SimpleNamespace(address="unix:///docker.sock")
    with pytest.raises(ValueError, match="auto, direct, proxy"):
        reach(lab, engine, GATEWAY, {"HANGER_LAB_SSH": "vpn"})
    assert is_here(GATEWAY)
    assert not is_here(ELSEWHERE)


def test_the_proxy_command_survives_the_shell_and_ssh(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "a lab, 100% odd", tmp_path)
    asked = subprocess.run(
        ["ssh", "-G", "-F", "none", "-o", f"ProxyCommand={proxy_command(lab)}", "10.1.2.3"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    line = next(line for line in asked.splitlines() if line.startswith("proxycommand "))
    command = line.removeprefix("proxycommand ").replace("%%", "%").replace("%h %p", "10.1.2.3 22")
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], check=True, capture_output=True, text=True).stdout
    assert words.splitlines()[-4:] == ["--lab", str(lab.directory), "10.1.2.3", "22"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A machine, and SSH to it by the words that `machine create` says."""
    root = Path(__file__).parents[3]
    cache = Path(os.environ.get("HANGER_LAB_CACHE") or root / ".lab" / "cache").resolve()
    directory = tmp_path_factory.mktemp("connect")
    lab = Lab(directory / "lab", cache)
    key = directory / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    variables = {**os.environ, **environment(lab), "HANGER_LAB_SSH": "proxy"}
    create = [sys.executable, "-m", "hanger_lab.cli", "machine", "create", "m", f"--authorized-key={key}.pub"]
    made = json.loads(subprocess.run(create, env=variables, check=True, capture_output=True).stdout)
    options = ["-q", "-F", "none", "-i", str(key), "-o", f"ProxyCommand={made['proxy_command']}"]
    options += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    yield SimpleNamespace(lab=lab, options=options, address=made["address"], engine=Engine.connect(lab), made=made)
    remove_objects(Engine.connect(lab))


def ssh(machine: SimpleNamespace, command: str, stdin: bytes = b"") -> bytes:
    words = ["ssh", *machine.options, f"admin@{machine.address}", command]
    return subprocess.run(words, input=stdin, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.engine
def test_bytes_arrive_as_they_left_and_no_connection_comes_from_outside(machine: SimpleNamespace) -> None:
    content = os.urandom(3_000_000)
    assert ssh(machine, "cat", content) == content
    peer = ssh(machine, "echo $SSH_CONNECTION").decode().split()[0]
    assert peer == machine.address


@pytest.mark.engine
def test_nothing_of_it_stays_in_the_machine(machine: SimpleNamespace) -> None:
    process = subprocess.Popen(["ssh", *machine.options, f"admin@{machine.address}", "echo up; sleep 60"], stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.wait()
    gone = "for i in $(seq 50); do pgrep -f 'import os, [s]ocket' >/dev/null || exit 0; sleep 0.1; done; exit 1"
    machine.engine.run(machine.made["container"], ["sh", "-c", gone])


@pytest.mark.engine
def test_a_closed_port_is_told(machine: SimpleNamespace) -> None:
    command = [sys.executable, "-m", "hanger_lab.connect", "--lab", str(machine.lab.directory)]
    for host, port, reason in ((machine.address, "4", "refused"), ("192.0.2.9", "22", "no running machine")):
        done = subprocess.run([*command, host, port], capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 1
        assert reason in done.stderr

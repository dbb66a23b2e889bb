"""The stand-in for session-manager-plugin, in a real machine."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hanger_lab.config import Lab
from hanger_lab.ec2.ssm.agent import AGENT, package
from hanger_lab.machines import Engine
from hanger_lab.machines.cleanup import remove_objects
from hanger_lab.services import environment
from hanger_lab.session_plugin import script

PACKAGE = "/amazon-ssm-eu-west-1/latest/debian_amd64/amazon-ssm-agent.deb"
BOOTED = """for attempt in $(seq 100); do
    case $(systemctl is-system-running --wait 2>/dev/null) in running|degraded) exit 0 ;; esac
    sleep 0.2
done
exit 1"""
HOLD = """
import json, sys
from hanger_lab.config import Lab
from hanger_lab.machines import Engine
from hanger_lab.session_plugin import Session, ended_by_signals, hold
with ended_by_signals():
    hold(Engine.connect(Lab.from_environment()), Session("lab-1", **json.loads(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A machine with the agent's package, and the command that holds a session with it."""
    root = Path(__file__).parents[3]
    cache = Path(os.environ.get("HANGER_LAB_CACHE") or root / ".lab" / "cache").resolve()
    lab = Lab(tmp_path_factory.mktemp("session") / "lab", cache)
    variables = {**os.environ, **environment(lab)}
    create = [sys.executable, "-m", "hanger_lab.cli", "machine", "create", "m"]
    subprocess.run(create, env=variables, check=True, capture_output=True)
    engine = Engine.connect(lab)
    name = f"{engine.prefix}m"
    engine.put_files(name, {"/root/agent.deb": package(PACKAGE) or b""})
    engine.run(name, ["sh", "-c", BOOTED])
    engine.run(name, ["sh", "-c", "dpkg --force-architecture --install /root/agent.deb"])
    yield SimpleNamespace(engine=engine, name=name, environment=variables)
    remove_objects(engine)


def command(machine: SimpleNamespace, document: str, parameters: str = "{}") -> list[str]:
    words = f'{{"machine": "{machine.name}", "address": "", "document": "{document}", "parameters": {parameters}}}'
    return [sys.executable, "-c", HOLD, words]


@pytest.mark.engine
def test_the_agent_runs_from_its_package_and_keeps_its_user(machine: SimpleNamespace) -> None:
    assert machine.engine.run(machine.name, ["systemctl", "is-active", "amazon-ssm-agent"]) == "active\n"
    assert machine.engine.run(machine.name, ["cat", "/usr/bin/amazon-ssm-agent"]) == AGENT
    assert machine.engine.run(machine.name, ["su", "-c", "sudo -n id -un", "ssm-user"]) == "root\n"


@pytest.mark.engine
def test_a_session_is_a_terminal_of_ssm_user(machine: SimpleNamespace) -> None:
    typed = b"stty -echo; PS1=\nid -un; tty; sudo id -un </dev/null; printf '%s\\n' end-of-$((1+1))\nexit\n"
    master, slave = pty.openpty()
    done = subprocess.Popen(
        command(machine, "SSM-SessionManagerRunShell"), env=machine.environment, stdin=-1, stdout=slave, stderr=-1
    )
    os.close(slave)
    done.communicate(typed, timeout=60)
    shown = b""
    while not shown.endswith(b"lab-1.\r\r\n\r\r\n"):
        shown += os.read(master, 65536)
    assert done.returncode == 0
    text = shown.decode().replace("\r", "")
    assert text.startswith("\nStarting session with SessionId: lab-1\n")
    assert re.search(r"ssm-user\n/dev/pts/\d+\nroot\nend-of-2\n", text), text
    assert b"end-of-2\r\r\n" in shown


@pytest.mark.engine
def test_a_forwarded_port_carries_bytes_and_ends_with_the_plugin(machine: SimpleNamespace) -> None:
    echo = (
        "import socket; s = socket.create_server(('127.0.0.1', 7000))\nwhile 1: c = s.accept()[0]; c.sendall(c.recv(9))"
    )
    machine.engine.run(machine.name, ["systemd-run", "--quiet", "python3", "-c", echo])
    machine.engine.run(machine.name, ["sh", "-c", "until ss -Hltn | grep -q :7000; do sleep 0.1; done"])
    forwarding = command(machine, "AWS-StartPortForwardingSession", '{"portNumber": ["7000"]}')
    plugin = subprocess.Popen(forwarding, env=machine.environment, stdin=subprocess.DEVNULL, stdout=-1, text=True)
    assert plugin.stdout is not None
    lines = (line for line in plugin.stdout if line.startswith("Port "))
    port = int(next(lines).split()[1])
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"\x00\xff\r\nbytes")
            assert connection.recv(9) == b"\x00\xff\r\nbytes"
    plugin.terminate()
    assert plugin.wait(20) == 0


def test_the_script_names_the_lab_whatever_its_directory_is_called(tmp_path: Path) -> None:
    path = tmp_path / "plugin"
    path.write_text(script(Lab(tmp_path / "a lab; 'odd'", tmp_path)))
    assert subprocess.run(["sh", str(path), "--version"], check=True, capture_output=True).stdout.endswith(b"-lab\n")
    refused = subprocess.run(["sh", str(path), "nonsense"], check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "usage: session-manager-plugin RESPONSE" in refused.stderr

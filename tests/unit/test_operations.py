"""Machines and tunnels as tables and commands."""

import json
import shlex
import socket
import sys
from pathlib import Path

import pytest
from ansible.errors import AnsibleError

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "filter_plugins"), str(ROOT / "lookup_plugins")]

import free_port  # noqa: E402
from operations import (  # noqa: E402
    instance_table,
    service_ports,
    session_forwarding,
    ssh_forwarding,
    tunnel_table,
    tunnels,
    with_local_ports,
)

SERVICES = [
    {"name": "airbyte", "group": "el", "port": 8000, "path": "/health"},
    {"name": "superset", "group": "tools", "port": 8088},
]
EL = {"id": "i-1", "address": "192.0.2.1", "user": "admin", "port": 22, "key": "/key", "arguments": "-o A='b c'"}


def opened(*sockets):
    return with_local_ports(tunnels(SERVICES, {"el": EL}, sockets), [8001])


def test_only_services_with_a_machine_get_a_tunnel():
    assert [(item["name"], item["local_port"]) for item in tunnels(SERVICES, {"el": EL}, [])] == [("airbyte", 0)]
    assert tunnels(SERVICES, {}, []) == []


def test_a_tunnel_that_is_open_keeps_its_port():
    assert [item["local_port"] for item in opened("airbyte.8017", "other.1")] == [8017]
    assert [item["local_port"] for item in opened("other.1")] == [8001]


def test_the_command_forwards_from_the_loopback_with_the_arguments_of_the_connection():
    words = shlex.split(ssh_forwarding(opened()[0], "airbyte.8001"))
    assert words[words.index("-L") + 1] == "127.0.0.1:8001:127.0.0.1:8000"
    assert words[words.index("-S") + 1] == "airbyte.8001"
    assert {"-f", "ControlMaster=yes", "ExitOnForwardFailure=yes", "A=b c"} <= set(words)
    assert words[-1] == "admin@192.0.2.1"


def test_the_command_by_hand_stays_in_the_foreground():
    words = shlex.split(ssh_forwarding(opened()[0]))
    assert not {"-f", "-S", "BatchMode=yes"} & set(words)
    assert {"A=b c", "/key"} <= set(words)


def test_session_manager_gets_its_parameters_as_json():
    words = shlex.split(session_forwarding(opened()[0], "eu-west-1"))
    assert words[words.index("--target") + 1] == "i-1"
    assert json.loads(words[-1]) == {"portNumber": ["8000"], "localPortNumber": ["8001"]}


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([{"status": 200}], "answers"),
        ([{"status": 404}], "answers"),
        ([{"status": 502}], "open, but the service does not answer"),
        ([{"status": -1}], "open, but the service does not answer"),
        ([], "not opened"),
    ],
)
def test_the_table_says_whether_the_service_answers(answers, state):
    line = tunnel_table(opened(), answers, "eu-west-1", False).split("\n")[2]
    assert line.startswith("airbyte    http://127.0.0.1:8001")
    assert f"  {state}  " in line


def test_the_table_of_machines_says_what_check_mode_foresees():
    machine = {
        "id": "i-1",
        "name": "el",
        "type": "t3.small",
        "state": "running",
        "public_ip": "",
        "private_ip": "10.0.0.4",
    }
    assert "running, would be stopped" in instance_table([machine], ["i-1"], "stopped")
    assert "would be" not in instance_table([machine], ["i-1"])
    assert "would be" not in instance_table([machine], [], "stopped")


def test_security_groups_open_the_ports_of_services():
    assert service_ports(SERVICES)[0] == {"name": "airbyte", "security_group": "el", "port": 8000}


def test_a_taken_port_is_passed_over_and_none_is_given_twice():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        first, second = free_port.LookupModule().run([port, port])
    assert port < first < second


def test_a_hundred_taken_ports_are_an_error(monkeypatch):
    monkeypatch.setattr(free_port, "_is_free", lambda port: False)
    with pytest.raises(AnsibleError, match="No port from 8000 to 8099 is free"):
        free_port.LookupModule().run([8000])

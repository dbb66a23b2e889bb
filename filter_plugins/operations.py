"""Filters of the day-two playbooks: machines and tunnels as tables and commands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from tabulate import tabulate

Row = Mapping[str, Any]
# SSH dies with its connection, and says at once when the port cannot be forwarded.
_SSH = (
    "BatchMode=yes",
    "ControlMaster=yes",
    "ControlPersist=no",
    "ExitOnForwardFailure=yes",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ConnectTimeout=10",
)


def instance_table(instances: Iterable[Row], switched: Iterable[str] = (), will_be: str = "") -> str:
    """Lay out instances of `ec2_project`; `will_be` is the state that check mode foresees for those in `switched`."""
    changing = set(switched) if will_be else set()
    rows = [
        [
            item["name"],
            item["type"],
            f"{item['state']}, would be {will_be}" if item["id"] in changing else item["state"],
            item["public_ip"] or "-",
            item["private_ip"],
        ]
        for item in sorted(instances, key=lambda item: str(item["name"]))
    ]
    return tabulate(rows, headers=["Machine", "Type", "State", "Address", "Private"], disable_numparse=True)


def service_ports(services: Iterable[Row]) -> list[dict[str, Any]]:
    """Name the ports of services as `ec2_launch_services` takes them; a group's security group has its name."""
    return [{"name": item["name"], "security_group": item["group"], "port": int(item["port"])} for item in services]


def tunnels(services: Iterable[Row], machines: Mapping[str, Row], open_sockets: Iterable[str]) -> list[dict[str, Any]]:
    """Join services ({name, group, port, path}) with the machine of their group: what a tunnel needs to be opened.

    `machines` is {group: variables of its first machine}; services without one are left out. A socket is named
    <service>.<local port>; `local_port` is 0 where none is open.
    """
    known = {PurePath(path).stem: int(PurePath(path).suffix[1:]) for path in open_sockets}
    return [
        {
            "name": str(service["name"]),
            "port": int(service["port"]),
            "path": str(service.get("path", "/")),
            "machine": machines[service["group"]],
            "local_port": known.get(str(service["name"]), 0),
        }
        for service in services
        if service["group"] in machines
    ]


def ssh_forwarding(tunnel: Row, socket: str = "") -> str:
    """Write the command that opens a tunnel, with the same arguments as Ansible's connection.

    With a socket it goes to the background and can be closed by the socket, without one it lasts until Ctrl-C.
    """
    machine = tunnel["machine"]
    words = ["ssh", "-N"]
    if socket:
        words += ["-f", "-T", "-S", socket, *(word for option in _SSH for word in ("-o", option))]
    words += ["-L", f"127.0.0.1:{tunnel['local_port']}:127.0.0.1:{tunnel['port']}"]
    words += ["-p", str(machine.get("port") or 22)]
    if machine.get("key"):
        words += ["-i", str(machine["key"])]
    words += [*shlex.split(str(machine.get("arguments") or "")), f"{machine['user']}@{machine['address']}"]
    return shlex.join(words)


def session_forwarding(tunnel: Row, region: str) -> str:
    """Write the command that opens a tunnel by Session Manager."""
    ports = {"portNumber": [str(tunnel["port"])], "localPortNumber": [str(tunnel["local_port"])]}
    words = ["aws", "ssm", "start-session", "--region", region, "--target", str(tunnel["machine"]["id"])]
    return shlex.join([*words, "--document-name", "AWS-StartPortForwardingSession", "--parameters", json.dumps(ports)])


def with_local_ports(opened: Sequence[Row], ports: Iterable[int]) -> list[dict[str, Any]]:
    """Give each tunnel that has no local port yet one of these."""
    free = iter(ports)
    return [{**item, "local_port": item["local_port"] or next(free)} for item in opened]


def tunnel_table(opened: Sequence[Row], answers: Sequence[Row], region: str, by_session: bool) -> str:
    """Lay out tunnels: the URL and the state of each service, and the command that opens the tunnel by hand.

    `answers` are the results of asking each service, in the same order, empty when nobody was asked.
    """
    rows = []
    for index, item in enumerate(opened):
        command = session_forwarding(item, region) if by_session else ssh_forwarding(item)
        state = _state(answers[index]) if answers else "not opened"
        rows.append([item["name"], f"http://127.0.0.1:{item['local_port']}", state, command])
    return tabulate(rows, headers=["Service", "URL", "State", "By hand"], disable_numparse=True)


def _state(answer: Row) -> str:
    return "answers" if 200 <= int(answer.get("status", 0)) < 500 else "open, but the service does not answer"


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {
            "instance_table": instance_table,
            "service_ports": service_ports,
            "session_forwarding": session_forwarding,
            "ssh_forwarding": ssh_forwarding,
            "tunnel_table": tunnel_table,
            "tunnels": tunnels,
            "with_local_ports": with_local_ports,
        }

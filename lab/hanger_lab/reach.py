"""How this host and the lab's machines reach one another: by address, or through the engine where that cannot be."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from hanger_lab.config import Lab
from hanger_lab.connect import proxy_command
from hanger_lab.machines import Engine

VARIABLE = "HANGER_LAB_SSH"
CHOICES = ("auto", "direct", "proxy")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Reach:
    """How `ssh` reaches machines (empty: by their addresses), and the address that endpoints listen on for machines.

    There is no such address where the engine's networks are not on this host: machines then use the engine's own name
    for it, which leads to this host's loopback interface.
    """

    proxy_command: str
    gateway: IPv4Address | None
    why: str

    @property
    def host(self) -> str:
        """The address of the endpoints from this host."""
        return str(self.gateway) if self.gateway else LOOPBACK

    def host_from_machines(self, engine: Engine, image: str) -> str:
        """Return the address of the endpoints from machines; `image` is one that the engine has."""
        return str(self.gateway) if self.gateway else engine.host_address(image)


def reach(lab: Lab, engine: Engine, gateway: IPv4Address, environment: Mapping[str, str] = os.environ) -> Reach:
    """Find out whether the networks of the engine are here; HANGER_LAB_SSH overrules how SSH goes.

    Raises ValueError for another value of HANGER_LAB_SSH than auto, direct or proxy.
    """
    choice = environment.get(VARIABLE) or "auto"
    if choice not in CHOICES:
        raise ValueError(f"{VARIABLE} must be one of {', '.join(CHOICES)}, not {choice!r}")
    here = is_here(gateway)
    if choice == "auto":
        why = "" if here else f"the machines' networks of the engine at {engine.address} are not on this host"
    else:
        why = f"{VARIABLE} is {choice}"
    proxied = choice == "proxy" or (choice == "auto" and not here)
    return Reach(
        proxy_command=proxy_command(lab) if proxied else "",
        gateway=gateway if here else None,
        why=why,
    )


def is_here(address: IPv4Address) -> bool:
    """Tell whether an address is one of this host, by taking a port of it: a bridge elsewhere leaves none."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        try:
            listener.bind((str(address), 0))
        except OSError:
            return False
    return True


def way(found: Reach) -> str:
    """Say which way SSH goes, and why when it is not the usual one."""
    how = "through the engine (ProxyCommand)" if found.proxy_command else "by the machines' addresses"
    return f"SSH goes {how}{': ' + found.why if found.why else ''}"

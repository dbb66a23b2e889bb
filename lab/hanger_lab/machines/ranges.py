"""Address ranges that a lab must keep away from: routes, resolvers, other networks, package mirrors and indexes."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Any

from hanger_lab.machines.errors import RangeError
from hanger_lab.machines.hostconfig import mirror_hosts

RESOLVE_SECONDS = 3.0
# Shorter prefixes are default routes in disguise, such as a VPN's 0.0.0.0/1.
SHORTEST_ROUTE = 4
POOL = IPv4Network("10.64.0.0/10")


@dataclass(frozen=True)
class Use:
    """A range in use and by what; `device` is the interface of a route."""

    network: IPv4Network
    reason: str
    device: str = ""


def range_conflicts(
    network: IPv4Network, networks: Mapping[str, IPv4Network] | None = None, own_devices: Collection[str] = ()
) -> list[str]:
    """Return why a range must not be used, in words; `networks` are Docker's, routes of `own_devices` do not count."""
    docker = [Use(other, f"Docker network {name}") for name, other in (networks or {}).items()]
    uses = [use for use in host_uses() if not (use.device and use.device in own_devices)]
    return conflicts(network, [*docker, *uses])


def conflicts(network: IPv4Network, uses: Iterable[Use]) -> list[str]:
    """Return the reasons of the uses that overlap a range, without repetition."""
    return list(dict.fromkeys(f"{use.reason} ({use.network})" for use in uses if use.network.overlaps(network)))


def free_range(
    prefix: int,
    candidates: Iterable[IPv4Network] = (),
    networks: Mapping[str, IPv4Network] | None = None,
    own_devices: Collection[str] = (),
) -> IPv4Network:
    """Return the first candidate, then the first range of the prefix length in the pool, that nothing uses."""
    for network in (*candidates, *POOL.subnets(new_prefix=prefix)):
        if not range_conflicts(network, networks, own_devices):
            return network
    raise RangeError(f"no free /{prefix} in {POOL}: every range overlaps a route, a resolver or another network")


def host_uses() -> list[Use]:
    """Return what this host itself uses: its routes and addresses, its resolvers, its mirrors and indexes."""
    return [*routes(_route_table()), *resolvers(_resolver_files()), *_mirrors()]


def routes(table: Iterable[Mapping[str, Any]]) -> list[Use]:
    """Read the routes of `ip -json route show table all`; default routes count only through their gateways."""
    uses = []
    for route in table:
        device = str(route.get("dev", ""))
        if gateway := _network(str(route.get("gateway", ""))):
            uses.append(Use(gateway, f"gateway of {device}", device))
        destination = _network(str(route.get("dst", "")))
        if destination and destination.prefixlen >= SHORTEST_ROUTE and not destination.is_loopback:
            uses.append(Use(destination, f"route through {device}" if device else "route", device))
    return uses


def resolvers(texts: Iterable[str]) -> list[Use]:
    """Read the name servers of resolv.conf texts; loopback stubs do not count, a server's /24 does with it."""
    words = [line.split() for text in texts for line in text.splitlines()]
    servers = [_network(line[1]) for line in words if len(line) > 1 and line[0] == "nameserver"]
    return [
        Use(server.supernet(new_prefix=24), f"resolver {server[0]}")
        for server in servers
        if server and not server.is_loopback
    ]


@cache
def _mirrors() -> list[Use]:
    hosts = sorted(mirror_hosts())
    pool = ThreadPoolExecutor(max_workers=8)
    futures = {pool.submit(_addresses, host): host for host in hosts}
    done, _ = wait(futures, timeout=RESOLVE_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    return [
        Use(IPv4Network(address), f"package mirror or index {futures[future]}")
        for future in done
        for address in sorted(future.result())
        if not address.is_loopback
    ]


def _addresses(host: str) -> set[IPv4Address]:
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return set()
    return {IPv4Address(entry[4][0]) for entry in found}


def _route_table() -> list[Any]:
    command = ["ip", "-4", "-json", "route", "show", "table", "all"]
    try:
        text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        return list(json.loads(text or "[]"))
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError):
        return proc_routes(Path("/proc/net/route").read_text())


def proc_routes(text: str) -> list[dict[str, str]]:
    """Read /proc/net/route, for hosts without iproute2."""
    table = []
    for line in text.splitlines()[1:]:
        device, destination, gateway, mask = (line.split()[index] for index in (0, 1, 2, 7))
        length = int(mask, 16).bit_count()
        route = {"dev": device, "dst": f"{_little_endian(destination)}/{length}"}
        table.append(route | ({"gateway": str(_little_endian(gateway))} if int(gateway, 16) else {}))
    return table


def _resolver_files() -> list[str]:
    paths = [Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")]
    return [path.read_text(errors="replace") for path in paths if path.is_file()]


def _little_endian(text: str) -> IPv4Address:
    return IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None

"""Filters over what a machine tells of its network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any


def docker_host_collisions(base: str, routes: Iterable[Mapping[str, Any]], inside: Iterable[str]) -> list[str]:
    """Name the routes (as `ip -json route` lists them) that overlap a range and do not lead to a bridge inside."""
    wanted, bridges = ip_network(base), list(inside)
    return [
        f"{route['dst']} ({route.get('dev', '?')})"
        for route in routes
        if route["dst"] != "default"
        and not any(fnmatchcase(route.get("dev", ""), bridge) for bridge in bridges)
        and wanted.overlaps(ip_network(route["dst"], strict=False))
    ]


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"docker_host_collisions": docker_host_collisions}

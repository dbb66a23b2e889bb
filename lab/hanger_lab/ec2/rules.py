"""Security groups as nftables, written as text for one machine's own network namespace.

What the lab enforces is ingress over IPv4, by CIDR, by group reference, by port range and by ICMP type. Egress rules
are kept by the API and not enforced. The chain sits at priority -150: after connection tracking, before the DNAT of a
Docker engine inside the machine, so published ports are covered too.

The lab's host reaches machines from the first address of the VPC (its gateway) and stands for every address outside
the VPC: a rule whose CIDR reaches outside admits it, whichever outside address the rule names; a rule for addresses
of the VPC only does not. It has a second such address, on the side of the Elastic IPs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

TABLE = "hanger_security_groups"
CLOSED = "hanger_closed"  # what a machine puts up at boot when it cannot read its rules
EVERYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Ingress:
    """One permission: "tcp", "udp", "icmp", "-1" (all) or an IP protocol number; ports, or ICMP type and code."""

    protocol: str
    first: int | None
    last: int | None
    sources: frozenset[IPv4Network]


def ruleset(permissions: Iterable[Ingress], vpc: IPv4Network, hosts: Iterable[IPv4Address] = ()) -> str:
    """Return an nftables script that replaces the machine's table; raise ValueError for an unknown protocol.

    `hosts` are further addresses of the lab's host, besides the VPC's gateway.
    """
    gateways = [vpc[1], *hosts]
    accepts = {
        f"{source} {match} accept".replace("  ", " ")
        for permission in permissions
        for match in [_match(permission)]
        for source in _sources(permission.sources, vpc, gateways)
    }
    lines = [
        f"table inet {CLOSED}",
        f"delete table inet {CLOSED}",
        f"table inet {TABLE}",
        f"delete table inet {TABLE}",
        f"table inet {TABLE} {{",
        f"  # the lab's host is {' and '.join(map(str, gateways))}, and stands for everything outside {vpc}",
        "  chain ingress {",
        "    type filter hook prerouting priority -150; policy accept;",
        '    iifname != "eth*" accept',
        "    ct state established,related accept",
        "    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
        *(f"    {line}" for line in sorted(accepts)),
        "    drop",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _sources(networks: Iterable[IPv4Network], vpc: IPv4Network, gateways: list[IPv4Address]) -> list[str]:
    """Return the source matches: one for addresses inside the VPC, one for what reaches outside."""
    networks = list(networks)
    inside = list(collapse_addresses(network for network in networks if network.subnet_of(vpc)))
    outside = [network for network in networks if not network.subnet_of(vpc)]
    matches = []
    if inside:
        matches.append(f"ip saddr {_set(inside)} ip saddr != {vpc[1]}")
    if outside:
        reachable = list(collapse_addresses([*outside, *map(IPv4Network, gateways)]))
        matches.append("meta nfproto ipv4" if EVERYWHERE in reachable else f"ip saddr {_set(reachable)}")
    return matches


def _set(networks: Iterable[IPv4Network]) -> str:
    texts = (str(network.network_address) if network.prefixlen == 32 else str(network) for network in networks)
    return "{ " + ", ".join(texts) + " }"


def _match(permission: Ingress) -> str:
    protocol, first, last = permission.protocol, permission.first, permission.last
    if protocol == "-1":
        return ""
    if protocol == "icmp":
        if first is None or first < 0:
            return "ip protocol icmp"
        return f"icmp type {first}" if last is None or last < 0 else f"icmp type {first} icmp code {last}"
    if protocol in ("tcp", "udp"):
        if first is None or last is None or first < 0:
            return f"meta l4proto {protocol}"
        return f"{protocol} dport {first}" if first == last else f"{protocol} dport {first}-{last}"
    if protocol.isdigit() and int(protocol) < 256:
        return f"meta l4proto {protocol}"
    raise ValueError(f"unknown protocol in a security group: {protocol!r}")

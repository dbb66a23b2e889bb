from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hanger_lab.ec2.rules import Ingress, ruleset

VPC = IPv4Network("10.77.0.0/16")


def accepts(*permissions: Ingress) -> list[str]:
    lines = ruleset(permissions, VPC).splitlines()
    start = next(index for index, line in enumerate(lines) if "icmpv6" in line) + 1
    return [line.strip() for line in lines[start : lines.index("    drop")]]


def ingress(protocol: str, first: int | None, last: int | None, *sources: str) -> Ingress:
    return Ingress(protocol, first, last, frozenset(IPv4Network(source) for source in sources))


def test_no_permission_drops_everything_that_is_new() -> None:
    text = ruleset([], VPC)
    assert "    drop\n" in text
    assert "hook prerouting priority -150" in text
    assert "ct state established,related accept" in text
    assert accepts() == []


def test_the_table_replaces_itself() -> None:
    lines = ruleset([], VPC).splitlines()
    assert lines[:5] == [
        "table inet hanger_closed",
        "delete table inet hanger_closed",
        "table inet hanger_security_groups",
        "delete table inet hanger_security_groups",
        "table inet hanger_security_groups {",
    ]


@pytest.mark.parametrize(
    ("permission", "line"),
    [
        (ingress("tcp", 22, 22, "0.0.0.0/0"), "meta nfproto ipv4 tcp dport 22 accept"),
        (ingress("udp", 5050, 5060, "0.0.0.0/0"), "meta nfproto ipv4 udp dport 5050-5060 accept"),
        (ingress("icmp", -1, -1, "0.0.0.0/0"), "meta nfproto ipv4 ip protocol icmp accept"),
        (ingress("icmp", 8, -1, "0.0.0.0/0"), "meta nfproto ipv4 icmp type 8 accept"),
        (ingress("icmp", 3, 4, "0.0.0.0/0"), "meta nfproto ipv4 icmp type 3 icmp code 4 accept"),
        (ingress("-1", None, None, "0.0.0.0/0"), "meta nfproto ipv4 accept"),
        (ingress("50", None, None, "0.0.0.0/0"), "meta nfproto ipv4 meta l4proto 50 accept"),
        (
            ingress("tcp", 5432, 5432, "10.77.1.4/32", "10.77.1.6/32"),
            "ip saddr { 10.77.1.4, 10.77.1.6 } ip saddr != 10.77.0.1 tcp dport 5432 accept",
        ),
    ],
)
def test_a_permission_is_one_line(permission: Ingress, line: str) -> None:
    assert accepts(permission) == [line]


def test_an_address_outside_admits_the_host_too() -> None:
    assert accepts(ingress("tcp", 22, 22, "203.0.113.7/32")) == [
        "ip saddr { 10.77.0.1, 203.0.113.7 } tcp dport 22 accept"
    ]


def test_the_vpc_itself_does_not_admit_the_host() -> None:
    assert accepts(ingress("tcp", 5432, 5432, "10.77.0.0/16")) == [
        "ip saddr { 10.77.0.0/16 } ip saddr != 10.77.0.1 tcp dport 5432 accept"
    ]


def test_a_range_around_the_vpc_does_not_repeat_the_host() -> None:
    assert accepts(ingress("tcp", 22, 22, "10.0.0.0/8", "10.77.1.0/24")) == [
        "ip saddr { 10.0.0.0/8 } tcp dport 22 accept",
        "ip saddr { 10.77.1.0/24 } ip saddr != 10.77.0.1 tcp dport 22 accept",
    ]


def test_a_group_without_members_admits_nobody() -> None:
    assert accepts(ingress("tcp", 5432, 5432)) == []


def test_an_unknown_protocol_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown protocol"):
        ruleset([ingress("carrier-pigeon", 1, 1, "0.0.0.0/0")], VPC)

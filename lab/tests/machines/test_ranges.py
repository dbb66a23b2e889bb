from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
from hanger_lab.machines import RangeError, ranges
from hanger_lab.machines.ranges import Use, conflicts, free_range, proc_routes, resolvers, routes

TABLE = [
    {"dst": "default", "gateway": "192.168.7.1", "dev": "eth0"},
    {"dst": "0.0.0.0/1", "gateway": "10.200.0.1", "dev": "tun0"},
    {"dst": "10.20.0.0/16", "dev": "tun0"},
    {"type": "local", "dst": "10.30.0.5", "dev": "lo"},
    {"type": "local", "dst": "127.0.0.0/8", "dev": "lo"},
]


def net(text: str) -> IPv4Network:
    return IPv4Network(text)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> list[Use]:
    uses: list[Use] = []
    monkeypatch.setattr(ranges, "host_uses", lambda: uses)
    return uses


@pytest.mark.parametrize(
    ("cidr", "reason"),
    [
        ("10.20.5.0/24", "route through tun0 (10.20.0.0/16)"),
        ("10.0.0.0/8", "route through tun0 (10.20.0.0/16)"),
        ("10.200.0.0/24", "gateway of tun0 (10.200.0.1/32)"),
        ("10.30.0.0/24", "route through lo (10.30.0.5/32)"),
    ],
)
def test_routes_and_gateways_are_in_use(cidr: str, reason: str) -> None:
    assert reason in conflicts(net(cidr), routes(TABLE))


@pytest.mark.parametrize("cidr", ["10.21.0.0/16", "10.199.0.0/16", "127.1.0.0/16"])
def test_default_routes_and_loopback_are_not(cidr: str) -> None:
    assert conflicts(net(cidr), routes(TABLE)) == []


def test_a_resolver_takes_its_neighbourhood_and_a_stub_none() -> None:
    uses = resolvers(["nameserver 10.9.9.53 # office\nnameserver 127.0.0.53\nnameserver fe80::1\nsearch example.com\n"])
    assert conflicts(net("10.9.9.0/28"), uses) == ["resolver 10.9.9.53 (10.9.9.0/24)"]
    assert conflicts(net("127.0.0.0/24"), uses) == []


def test_docker_networks_are_in_use(host: list[Use]) -> None:
    found = ranges.range_conflicts(net("10.77.0.0/16"), {"other": net("10.77.4.0/24")})
    assert found == ["Docker network other (10.77.4.0/24)"]


def test_a_free_range_is_the_first_candidate_that_nothing_uses(host: list[Use]) -> None:
    host.append(Use(net("10.77.1.0/24"), "route"))
    assert free_range(16, [net("10.77.0.0/16"), net("10.78.0.0/16")]) == net("10.78.0.0/16")
    assert free_range(24).subnet_of(ranges.POOL)


def test_no_free_range_is_an_error_that_says_so(host: list[Use]) -> None:
    host.append(Use(net("10.0.0.0/8"), "route through vpn"))
    with pytest.raises(RangeError, match="no free /24"):
        free_range(24, [net("10.1.0.0/24")])


def test_proc_net_route_reads_like_ip() -> None:
    text = (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0107A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0007A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    uses = routes(proc_routes(text))
    assert [str(use.network) for use in uses] == ["192.168.7.1/32", "192.168.7.0/24"]


def test_mirrors_that_resolve_into_a_range_are_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *_: Any) -> list[Any]:
        if host != "mirror.example":
            raise OSError
        return [(2, 1, 6, "", ("10.44.0.9", 0))]

    monkeypatch.setattr(ranges, "mirror_hosts", lambda: {"mirror.example", "gone.example"})
    monkeypatch.setattr("socket.getaddrinfo", resolve)
    ranges._mirrors.cache_clear()
    try:
        assert conflicts(net("10.44.0.0/16"), ranges._mirrors()) == [
            "package mirror or index mirror.example (10.44.0.9/32)"
        ]
    finally:
        ranges._mirrors.cache_clear()

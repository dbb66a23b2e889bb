"""What docker_host tells of ranges that are in use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/docker_host/filter_plugins"))
from docker_host import docker_host_collisions

ROUTES = [
    {"dst": "default", "gateway": "10.77.0.1", "dev": "ens5"},
    {"dst": "10.77.0.0/20", "dev": "ens5"},
    {"dst": "10.77.0.2", "gateway": "10.77.0.1", "dev": "ens5"},
    {"dst": "172.17.0.0/16", "dev": "docker0"},
    {"dst": "10.201.0.0/24", "dev": "br-0123456789ab"},
    {"type": "blackhole", "dst": "192.168.0.0/16"},
]


@pytest.mark.parametrize(
    ("base", "found"),
    [
        ("10.201.0.0/16", []),
        ("172.16.0.0/12", []),
        ("10.77.16.0/20", []),
        ("10.77.8.0/24", ["10.77.0.0/20 (ens5)"]),
        ("10.0.0.0/8", ["10.77.0.0/20 (ens5)", "10.77.0.2 (ens5)"]),
        ("192.168.7.0/24", ["192.168.0.0/16 (?)"]),
    ],
)
def test_only_ranges_outside_dockers_bridges_collide(base, found):
    assert docker_host_collisions(base, ROUTES, ["docker0", "br-*"]) == found

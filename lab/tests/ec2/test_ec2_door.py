"""What the lab's tools learn of instances, and the tools alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any

import pytest
from ec2_support import run_instance
from hanger_lab import connect
from hanger_lab.config import Lab
from hanger_lab.ec2.door import admits
from hanger_lab.ec2.rules import Ingress

VPC = IPv4Network("10.71.0.0/16")
OUTSIDE = frozenset({IPv4Network("203.0.113.7/32")})
INSIDE = frozenset({IPv4Network("10.71.1.4/32")})


@pytest.fixture
def asking(ec2: Any, lab: Lab) -> Lab:
    lab.facts.write_text(json.dumps({"ec2": {"endpoint_url": ec2.meta.endpoint_url}}))
    return lab


def test_an_address_leads_to_the_machine_of_its_instance(asking: Lab, ec2: Any, network: SimpleNamespace) -> None:
    instance = run_instance(ec2, network)
    address = instance["PrivateIpAddress"]
    found = connect.ask(asking, "route", address=address, port="22")
    assert found == {"machine": f"hanger-{asking.id}-{instance['InstanceId']}", "address": address}
    with pytest.raises(connect.RouteError, match="do not admit this host to port 5432"):
        connect.ask(asking, "route", address=address, port="5432")
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    with pytest.raises(connect.RouteError, match="no running instance"):
        connect.ask(asking, "route", address=address, port="22")


def test_only_the_labs_secret_key_opens_it(asking: Lab, ec2: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{ec2.meta.endpoint_url}/lab/route?address=10.71.1.4&port=22")


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (Ingress("tcp", 22, 22, OUTSIDE), True),
        (Ingress("tcp", 20, 30, OUTSIDE), True),
        (Ingress("-1", None, None, OUTSIDE), True),
        (Ingress("tcp", 23, 65535, OUTSIDE), False),
        (Ingress("udp", 22, 22, OUTSIDE), False),
        (Ingress("tcp", 22, 22, INSIDE), False),
        (Ingress("tcp", 22, 22, frozenset({IPv4Network("0.0.0.0/0")})), True),
    ],
)
def test_the_host_is_admitted_as_everything_outside_the_vpc(rule: Ingress, admitted: bool) -> None:
    assert admits([rule], VPC, 22) is admitted

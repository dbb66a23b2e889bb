"""Bad input is told before anything is created: which variable, what is wrong with it, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from account import Account
from conftest import PROJECT, Fault, variables
from runs import Platform

LAUNCH = ("--tags", "ec2_launch")
ONE = {
    "name": "oltp",
    "type": "t3.small",
    "hanger_roles": ["oltp"],
    "security_groups": ["admin", "oltp"],
    "root_volume": {"size": 20},
}


def refused(platform: Platform, account: Account, *arguments: str, **environment: str) -> str:
    """Return what a run says that must fail without having changed anything."""
    before = account.writes()
    run = platform.play(*LAUNCH, *arguments, **environment)
    assert run.code != 0, run.output[-3000:]
    assert run.changed == 0
    assert account.writes() == before
    return run.text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param(
            {
                "ec2_launch_images": {"own": {"id": "ami-00000000000000000", "login": "admin"}},
                "ec2_launch_instances": [{**ONE, "image": "own"}],
            },
            ["ec2_launch_images, image own", "no image ami-00000000000000000", "An AMI id belongs to one region"],
            id="unknown AMI",
        ),
        pytest.param(
            {"ec2_launch_instances": [{**ONE, "type": "t3.smal"}]},
            ["ec2_launch_instances, instance oltp", "no instance type t3.smal"],
            id="unknown type",
        ),
        pytest.param(
            {"ec2_launch_region": "eu-wset-1"},
            ["region: eu-wset-1 is no region that EC2 is in", "Did you mean eu-west-1?"],
            id="wrong region",
        ),
        pytest.param(
            {"ec2_launch_vpc_cidr": "10.77.0.0/61"},
            ["ec2_launch_vpc_cidr: '10.77.0.0/61' is no range of addresses such as"],
            id="CIDR typo",
        ),
        pytest.param(
            {"ec2_launch_admin_cidrs": ["203.0.113.7"]},
            ["ec2_launch_admin_cidrs: '203.0.113.7' is no range: write 203.0.113.7/32"],
            id="address without its prefix",
        ),
        pytest.param(
            {"ec2_launch_admin_cidrs": ["0.0.0.0/0"]},
            ["would open port 22 to the whole world", "ec2_launch_admin_from_anywhere: true if you really mean it"],
            id="open to the world",
        ),
        pytest.param(
            {"ec2_launch_vpc_id": "vpc-00000000000000000", "ec2_launch_subnets": [{"name": "a", "id": "subnet-1"}]},
            ["ec2_launch_vpc_id: eu-west-1 has no VPC vpc-00000000000000000", "aws ec2 describe-vpcs"],
            id="unknown VPC",
        ),
        pytest.param(
            {"ec2_launch_ttl": "2020-01-01"},
            ["ec2_launch_ttl: 2020-01-01 is past, so nothing is launched"],
            id="expired before it starts",
        ),
        pytest.param(
            {"ec2_launch_max_monthly_usd": 1},
            ["ec2_launch_max_monthly_usd"],
            id="too expensive",
        ),
    ],
)
def test_a_mistake_is_named_with_its_fix(
    platform: Platform, account: Account, values: dict[str, Any], told: list[str]
) -> None:
    text = refused(platform, account, *variables(**values))
    assert [sentence for sentence in told if sentence not in text] == [], text[-3000:]


def test_a_type_that_the_zone_does_not_offer_is_told_with_the_zones_that_do(
    platform: Platform, account: Account
) -> None:
    offerings = account.ec2.describe_instance_type_offerings(LocationType="availability-zone")["InstanceTypeOfferings"]
    by_type: dict[str, set[str]] = {}
    for offering in offerings:
        by_type.setdefault(offering["InstanceType"], set()).add(offering["Location"])
    kind, zones = min((kind, zones) for kind, zones in by_type.items() if len(zones) == 2)
    (elsewhere,) = {"eu-west-1a", "eu-west-1b", "eu-west-1c"} - zones
    subnets = [{"name": "a", "availability_zone": elsewhere, "cidr": _first_subnet(account)}]
    text = refused(
        platform,
        account,
        *variables(ec2_launch_instances=[{**ONE, "type": kind}], ec2_launch_subnets=subnets),
    )
    assert f"{kind} is not offered in {elsewhere}, but in {', '.join(sorted(zones))}" in text
    assert "Choose another type, or place the subnets there" in text


def test_subnets_that_overlap_or_leave_the_vpc_are_told_together(platform: Platform, account: Account) -> None:
    first = _first_subnet(account)
    subnets = [
        {"name": "a", "availability_zone": "eu-west-1a", "cidr": first},
        {"name": "b", "availability_zone": "eu-west-1b", "cidr": first},
        {"name": "c", "availability_zone": "eu-west-1c", "cidr": "192.0.2.0/24"},
    ]
    text = refused(platform, account, *variables(ec2_launch_subnets=subnets))
    assert f"subnet b: {first} overlaps {first} of the subnet a" in text
    assert "subnet c: 192.0.2.0/24 is outside" in text


def test_expired_credentials_are_told_with_how_to_renew_them(
    platform: Platform, account: Account, fault: Fault
) -> None:
    fault("expired")
    text = refused(platform, account)
    assert "The credentials are expired" in text
    assert "aws sso login" in text


@pytest.fixture
def imported_key(account: Account, tmp_path: Path) -> Iterator[Path]:
    """The path at which the private half of the project's key pair would be."""
    path = tmp_path / "key"
    account.ec2.import_key_pair(
        KeyName=PROJECT,
        PublicKeyMaterial=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0fR7ZmcFzsPj1C5VYpdUGAAuGfbKDbCoVQ3Z3uU2fB",
    )
    yield path
    account.ec2.delete_key_pair(KeyName=PROJECT)


def test_a_key_pair_without_its_private_key_is_told(platform: Platform, account: Account, imported_key: Path) -> None:
    text = refused(platform, account, *variables(ec2_launch_private_key_path=str(imported_key)))
    assert f"EC2 has the key pair {PROJECT}, but there is no private key at {imported_key}" in text
    assert "Copy it there from the computer that built the platform, or choose another ec2_launch_key_name" in text


def test_a_private_key_that_others_may_read_is_told(platform: Platform, account: Account, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("a key\n")
    path.chmod(0o644)
    text = refused(platform, account, *variables(ec2_launch_private_key_path=str(path)))
    assert f"others may read {path} (mode 0644), so SSH refuses it. Run: chmod 600 {path}" in text


def _first_subnet(account: Account) -> str:
    cidr = json.loads(account.lab.facts.read_text())["network"]["vpc_cidr"]
    return str(cidr).partition("/")[0] + "/24"

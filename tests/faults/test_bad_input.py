"""Bad input is told before anything is created: which variable, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from account import Account
from conftest import PROJECT, variables
from hanger_lab.ec2.faults import Fault, Faults
from points import Task
from runs import Platform

INFRA = "playbooks/infra.yml"
PUBLIC_KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0fR7ZmcFzsPj1C5VYpdUGAAuGfbKDbCoVQ3Z3uU2fB"
ZONES = {"eu-west-1a", "eu-west-1b", "eu-west-1c"}


def refused(platform: Platform, account: Account, **values: Any) -> str:
    """Return what a run says that must fail without having changed anything."""
    before = account.writes()
    run = platform.play(*variables(**values), playbook=INFRA)
    assert run.code != 0, run.output[-3000:]
    assert run.changed == 0
    assert account.writes() == before
    return run.text


def instance(name: str, **more: Any) -> dict[str, Any]:
    """Describe an instance."""
    root = {"root_volume": {"size": 20}}
    return {"name": name, "type": "t3.small", "hanger_roles": ["oltp"], "security_groups": ["admin"], **root, **more}


class TestOptions:
    """What the variables alone show: everything is told in one go."""

    @pytest.fixture(scope="class")
    @classmethod
    def key(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A private key that others may read."""
        path = tmp_path_factory.mktemp("keys") / "key"
        path.write_text("a key\n")
        path.chmod(0o644)
        return path

    @pytest.fixture(scope="class")
    @classmethod
    def first(cls, vpc_cidr: str) -> str:
        """The first range of the VPC."""
        return vpc_cidr.partition("/")[0] + "/24"

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, platform: Platform, account: Account, key: Path, first: str) -> str:
        ranges = {"a": first, "b": first, "c": "192.0.2.0/24"}
        return refused(
            platform,
            account,
            ec2_launch_admin_cidrs=["203.0.113.7", "198.51.100.7/24", "0.0.0.0/0"],
            ec2_launch_private_key_path=str(key),
            ec2_launch_subnets=[
                {"name": name, "availability_zone": f"eu-west-1{name}", "cidr": cidr} for name, cidr in ranges.items()
            ],
            ec2_launch_instances=[instance("oltp", security_groups=["admn"])],
            ec2_launch_ttl="31.12.2030",
        )

    def test_an_address_without_its_prefix(self, told: str) -> None:
        assert "ec2_launch_admin_cidrs: '203.0.113.7' is no range: write 203.0.113.7/32" in told

    def test_a_range_with_bits_behind_its_prefix(self, told: str) -> None:
        assert "'198.51.100.7/24' has bits set behind its prefix: write 198.51.100.0/24 for the whole range" in told

    def test_ssh_open_to_the_world(self, told: str) -> None:
        assert "0.0.0.0/0 would open port 22 to the whole world. Name your own addresses in ec2_launch_admin" in told
        assert "or set ec2_launch_admin_from_anywhere: true if you really mean it" in told

    def test_a_private_key_that_others_may_read(self, told: str, key: Path) -> None:
        assert f"ec2_launch_private_key_path: others may read {key} (mode 0644), so SSH refuses it" in told
        assert f"Run: chmod 600 {key}" in told

    def test_subnets_that_overlap(self, told: str, first: str) -> None:
        assert f"ec2_launch_subnets, subnet b: {first} overlaps {first} of the subnet a" in told

    def test_a_subnet_outside_the_vpc(self, told: str, vpc_cidr: str) -> None:
        assert f"subnet c: 192.0.2.0/24 is outside {vpc_cidr}, which ec2_launch_vpc_cidr says" in told

    def test_an_unknown_security_group(self, told: str) -> None:
        assert "instance oltp: nobody defines the security group admn. Did you mean admin?" in told

    def test_a_date_of_another_kind(self, told: str) -> None:
        assert "ec2_launch_ttl: '31.12.2030' is no date such as 2026-12-31" in told


class TestAccount:
    """What only the account and the region show: everything is told in one go."""

    @pytest.fixture(scope="class")
    @classmethod
    def key(cls, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """The path at which the private half of the account's key pair would be."""
        account.ec2.import_key_pair(KeyName=PROJECT, PublicKeyMaterial=PUBLIC_KEY)
        yield tmp_path_factory.mktemp("keys") / "key"
        account.ec2.delete_key_pair(KeyName=PROJECT)

    @pytest.fixture(scope="class")
    @classmethod
    def scarce(cls, account: Account) -> tuple[str, set[str]]:
        """An instance type that is not offered in every zone, and the zones where it is."""
        asked = account.ec2.get_paginator("describe_instance_type_offerings").paginate(LocationType="availability-zone")
        zones: dict[str, set[str]] = {}
        for offering in (offering for page in asked for offering in page["InstanceTypeOfferings"]):
            zones.setdefault(offering["InstanceType"], set()).add(offering["Location"])
        return min((kind, where) for kind, where in zones.items() if len(where) == 2 and "x86" not in kind)

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, platform: Platform, account: Account, key: Path, scarce: tuple[str, set[str]], vpc_cidr: str) -> str:
        kind, zones = scarce
        prefix = vpc_cidr.rpartition(".")[0].rpartition(".")[0]
        zones_of = {"a": next(iter(zones)), "b": next(iter(ZONES - zones))}
        return refused(
            platform,
            account,
            ec2_launch_private_key_path=str(key),
            ec2_launch_images={"own": {"id": "ami-00000000000000000", "login": "admin"}},
            ec2_launch_image="own",
            ec2_launch_subnets=[
                {"name": name, "availability_zone": zone, "cidr": f"{prefix}.{number}.0/24"}
                for number, (name, zone) in enumerate(zones_of.items())
            ],
            ec2_launch_instances=[
                instance("oltp"),
                instance("el", type="t3.smal"),
                instance("tools", type=kind, subnet="b"),
            ],
            ec2_launch_ttl="2020-01-01",
        )

    def test_an_unknown_image(self, told: str) -> None:
        assert "ec2_launch_images, image own (for oltp" in told
        assert "eu-west-1 has no image ami-00000000000000000. An AMI id belongs to one region" in told

    def test_an_unknown_type(self, told: str) -> None:
        assert "ec2_launch_instances, instance el: eu-west-1 has no instance type t3.smal." in told

    def test_a_type_that_the_zone_does_not_offer(self, told: str, scarce: tuple[str, set[str]]) -> None:
        kind, zones = scarce
        (elsewhere,) = ZONES - zones
        assert f"{kind} is not offered in {elsewhere}, but in {', '.join(sorted(zones))}. Choose another type" in told

    def test_a_key_pair_without_its_private_key(self, told: str, key: Path) -> None:
        assert f"EC2 has the key pair {PROJECT}, but there is no private key at {key}" in told
        assert "Copy it there from the computer that built the platform, or choose another ec2_launch_key_name" in told

    def test_a_platform_that_has_expired_before_it_starts(self, told: str) -> None:
        assert "ec2_launch_ttl: 2020-01-01 is past, so nothing is launched. Set a later one, or none" in told


def test_a_wrong_region(platform: Platform, account: Account) -> None:
    told = refused(platform, account, ec2_launch_region="eu-wset-1")
    assert "region: eu-wset-1 is no region that EC2 is in. Did you mean eu-west-1?" in told


def test_a_range_with_a_typing_error(platform: Platform, account: Account) -> None:
    told = refused(platform, account, ec2_launch_vpc_cidr="10.77.0.0/61")
    assert "ec2_launch_vpc_cidr: '10.77.0.0/61' is no range of addresses such as" in told


def test_an_unknown_vpc(platform: Platform, account: Account) -> None:
    subnets = [{"name": "a", "id": "subnet-00000000000000000"}]
    told = refused(platform, account, ec2_launch_vpc_id="vpc-00000000000000000", ec2_launch_subnets=subnets)
    assert "ec2_launch_vpc_id: eu-west-1 has no VPC vpc-00000000000000000" in told
    assert "aws ec2 describe-vpcs" in told


def test_more_than_it_may_cost(platform: Platform, account: Account) -> None:
    told = refused(platform, account, ec2_launch_max_monthly_usd=1)
    assert "ec2_launch_max_monthly_usd" in told


def test_credentials_that_have_expired(platform: Platform, account: Account) -> None:
    faults = Faults(account.lab.directory / "ec2")
    faults.order(Fault("expired"))
    try:
        told = refused(platform, account)
    finally:
        faults.clear()
    assert "(RequestExpired) when calling the DescribeInstances operation: Request has expired" in told


def test_credentials_that_expire_during_a_run(platform: Platform, account: Account, output: Path) -> None:
    before, faults = account.writes(), Faults(account.lab.directory / "ec2")
    begun = Task(output, "ec2_launch : Plan | Compare what is described with what exists", seconds=0)
    try:
        met, run = platform.disturbed(begun, partial(faults.order, Fault("expired")), output, playbook=INFRA)
    finally:
        faults.clear()
    assert met
    assert run.code != 0
    assert "The credentials are expired. Get new ones (aws sso login, or a new access key)" in run.text
    assert account.writes() == before

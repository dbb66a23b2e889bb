"""What goes wrong on AWS's side, or on a machine, ends in a message or in the platform, and the next run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from account import Account
from conftest import PROJECT, Fault, destroy, variables
from points import OnMachine
from runs import Platform, Run

EL = {
    "name": "el",
    "type": "t3.small",
    "hanger_roles": ["oltp", "el", "tools"],
    "security_groups": ["admin", "el"],
    "root_volume": {"size": 20},
}
ONE_MACHINE = variables(ec2_launch_instances=[EL])
NAME = f"{PROJECT}-el"


def launch(platform: Platform) -> Run:
    """Launch the one machine."""
    return platform.play(*ONE_MACHINE, playbook="playbooks/infra.yml")


@pytest.fixture(autouse=True, scope="module")
def removed_before(platform: Platform) -> None:
    """Start without a platform."""
    run = destroy(platform)
    assert run.code == 0, run.output[-4000:]


def test_a_lack_of_capacity_in_every_zone_is_told_and_leaves_nothing_that_costs(
    platform: Platform, account: Account, fault: Fault
) -> None:
    fault("capacity")
    run = launch(platform)
    assert run.code != 0
    assert "AWS answers InsufficientInstanceCapacity" in run.text
    assert "Try another zone (ec2_launch_subnets)" in run.text
    assert account.instances() == {}
    assert account.orphans() == []


def test_a_used_up_quota_is_told(platform: Platform, account: Account, fault: Fault) -> None:
    fault("quota", "vcpus", "--limit", "1")
    run = launch(platform)
    assert run.code != 0
    assert "AWS answers VcpuLimitExceeded" in run.text
    assert "Service Quotas" in run.text
    assert account.instances() == {}


def test_a_zone_without_capacity_gives_way_to_the_next(platform: Platform, account: Account, fault: Fault) -> None:
    fault("capacity", "--zone", "eu-west-1a")
    run = launch(platform)
    assert run.code == 0, run.output[-4000:]
    assert account.instances()[NAME]["Placement"]["AvailabilityZone"] != "eu-west-1a"
    again = launch(platform)
    assert (again.code, again.changed) == (0, 0), again.output[-4000:]


def test_a_range_that_another_vpc_has_is_told_before_anything_is_created(platform: Platform, account: Account) -> None:
    before = account.writes()
    run = platform.play("--check", "-e", "ec2_launch_project=another", playbook="playbooks/infra.yml")
    assert run.code == 0, run.output[-4000:]
    assert "the two can never be peered. Choose another range if they should be" in run.text
    assert account.writes() == before


def test_a_build_and_a_removal_come_through_a_storm_of_throttling(
    platform: Platform, account: Account, fault: Fault
) -> None:
    fault("throttle", "all", "--percent", "30")
    for run in (destroy(platform), launch(platform), launch(platform)):
        assert run.code == 0, run.output[-4000:]
    assert run.changed == 0, run.output
    assert list(account.instances()) == [NAME]
    assert account.orphans() == []


def test_a_machine_that_loses_power_while_it_is_configured_is_started_and_finished(
    platform: Platform, account: Account, fault: Fault, output: Path
) -> None:
    site = ("--tags", "ec2_launch,docker_host", *ONE_MACHINE)
    instance = account.instances()[NAME]["InstanceId"]
    met, run = platform.disturbed(OnMachine(account, NAME, "pgrep -x dpkg"), lambda: fault("kill", NAME), output, *site)
    assert met, f"no package was unpacked:\n{run.output[-3000:]}"
    assert run.code != 0
    assert "unreachable=1" in run.output
    assert account.instances()[NAME]["State"]["Name"] == "stopped"
    again = platform.play(*site)
    assert again.code == 0, again.output[-5000:]
    assert account.instances()[NAME]["InstanceId"] == instance
    assert (
        account.engine.run(account.machine(NAME), ["sh", "-c", "dpkg --audit; systemctl is-active docker"])
        == "active\n"
    )

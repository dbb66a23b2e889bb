"""A run that is killed anywhere is finished by the next one: the same platform, nothing twice, nothing left hanging."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from account import Account
from conftest import PROJECT, destroy
from points import Arrival, OnMachine, Task, Unseen, numbered
from runs import Platform, Run

SITE = ("--tags", "ec2_launch,docker_host")
DESTROY = ("--tags", "ec2_launch", "-e", f"hanger_destroy_confirm={PROJECT}")
EL = f"{PROJECT}-el"
UNPACKING = "a package is unpacked"
MINIMUM = 10
ENGINE = (
    "cat /etc/docker/daemon.json; systemctl is-active docker; systemctl is-enabled docker; dpkg --audit; "
    "dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' | grep -E 'docker|containerd'; getent group docker; "
    "find /etc/apt /etc/docker /etc/systemd/system | sort"
)


@dataclass
class Build:
    """A finished platform: what stands, what the engine's host looks like, what was called and what was changed."""

    stands: dict[str, list[dict[str, Any]]]
    engine: str
    actions: list[str]
    tasks: list[str]


def finished(account: Account, start: int, output: str) -> Build:
    """Describe a platform that stands."""
    engine = account.engine.run(account.machine(EL), ["sh", "-c", ENGINE])
    return Build(account.describe(), engine, numbered(account.writes()[start:]), changed_tasks(output))


def changed_tasks(output: str) -> list[str]:
    """Return the names of the tasks and handlers of docker_host that changed something."""
    tasks = re.split(r"^(?:TASK|RUNNING HANDLER) \[", output, flags=re.M)
    return [
        task.partition("]")[0]
        for task in tasks
        if task.startswith("docker_host") and re.search("^changed:", task, re.M)
    ]


def succeeded(run: Run) -> None:
    """Stop the test with the end of the output of a run that failed."""
    assert run.code == 0, run.output[-5000:]


@pytest.fixture(scope="module")
def undisturbed(account: Account, platform: Platform) -> Build:
    """A build that nothing disturbs; it stands until the removal is tested."""
    start = len(account.writes())
    run = platform.play(*SITE)
    succeeded(run)
    return finished(account, start, run.output)


def test_the_undisturbed_build_leaves_nothing_hanging_or_untagged(account: Account, undisturbed: Build) -> None:
    assert account.orphans() == []
    assert account.untagged(PROJECT) == []
    assert len(undisturbed.stands["Instances"]) == 3


def test_a_removal_killed_anywhere_is_finished_by_the_next(
    account: Account, platform: Platform, undisturbed: Build, output: Path
) -> None:
    for action in ("ec2:TerminateInstances", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteVpc"):
        met, run = platform.killed(Arrival(account, action), output, *DESTROY, playbook="playbooks/destroy.yml")
        assert met, f"{action} never arrived:\n{run.output[-3000:]}"
    succeeded(destroy(platform))
    assert {kind: rows for kind, rows in account.describe().items() if rows} == {}
    assert account.orphans() == []


@pytest.fixture(scope="module")
def killed_at() -> list[str]:
    """The points at which the disturbed build was killed."""
    return []


@pytest.fixture(scope="module")
def disturbed(
    account: Account,
    platform: Platform,
    undisturbed: Build,
    killed_at: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Build:
    """A build from nothing whose runs are killed one after the other, each at a point that none had reached before."""
    assert account.instances() == {}
    output = tmp_path_factory.mktemp("kills") / "output"
    start = len(account.writes())
    for _ in undisturbed.actions:
        unseen = Unseen(account, start, [*killed_at])
        met, run = platform.killed(unseen, output, *SITE, "--skip-tags", "docker_host")
        killed_at += unseen.unseen()
        if not met:
            succeeded(run)
            break
    met, run = platform.killed(OnMachine(account, EL, "pgrep -x dpkg"), output, *SITE)
    assert met, f"no package was unpacked:\n{run.output[-3000:]}"
    killed_at.append(UNPACKING)
    for task in undisturbed.tasks[1:]:
        output.unlink()
        met, run = platform.killed(Task(output, task), output, *SITE)
        if met:
            killed_at.append(task)
    succeeded(platform.play(*SITE))
    return finished(account, start, "")


def test_every_kind_of_call_and_every_launch_was_a_point(
    undisturbed: Build, disturbed: Build, killed_at: list[str]
) -> None:
    assert set(killed_at) >= {*undisturbed.actions, UNPACKING}
    assert len(killed_at) >= MINIMUM


def test_the_same_platform_stands(undisturbed: Build, disturbed: Build) -> None:
    assert disturbed.stands == undisturbed.stands
    assert disturbed.engine == undisturbed.engine


def test_nothing_is_left_hanging_or_untagged(account: Account, disturbed: Build) -> None:
    assert account.orphans() == []
    assert account.untagged(PROJECT) == []


def test_another_run_changes_nothing(platform: Platform, disturbed: Build) -> None:
    run = platform.play(*SITE)
    succeeded(run)
    assert run.changed == 0, run.output

"""A run that is killed anywhere is finished by the next one: the same platform, nothing twice, nothing left hanging."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from account import Account
from conftest import PROJECT, destroy
from points import OnMachine, Task, Write
from runs import Platform, Run

SITE = ("--tags", "ec2_launch,docker_host")
DESTROY = ("--tags", "ec2_launch", "-e", f"hanger_destroy_confirm={PROJECT}")
EL = f"{PROJECT}-el"
UNPACKING = "a package is unpacked"
MINIMUM, TOO_MANY, TASKS = 10, 30, 5
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
    return Build(account.describe(), engine, account.writes()[start:], changed_tasks(output))


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
    """A build from nothing that nothing disturbs; it stands until the removal is tested."""
    succeeded(destroy(platform))
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
    kills = killed_at_every_write(account, platform, output, *DESTROY, playbook="playbooks/destroy.yml")
    assert len(kills) >= 4, kills
    assert {kind: rows for kind, rows in account.describe().items() if rows} == {}
    assert account.orphans() == []


@pytest.fixture(scope="module")
def kills() -> list[list[str]]:
    """What had arrived or begun at each kill of the disturbed build."""
    return []


@pytest.fixture(scope="module")
def disturbed(
    account: Account,
    platform: Platform,
    undisturbed: Build,
    kills: list[list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Build:
    """A build from nothing whose runs are killed one after the other, each at the first thing that it does."""
    assert account.instances() == {}
    output = tmp_path_factory.mktemp("kills") / "output"
    start = len(account.writes())
    kills += killed_at_every_write(account, platform, output, *SITE, "--skip-tags", "docker_host")
    met, run = platform.killed(OnMachine(account, EL, "pgrep -x dpkg"), output, *SITE)
    assert met, f"no package was unpacked:\n{run.output[-3000:]}"
    kills.append([UNPACKING])
    later = undisturbed.tasks[1:]
    for task in later[:: max(1, len(later) // TASKS)]:
        output.unlink()
        met, run = platform.killed(Task(output, task), output, *SITE)
        kills += [[task]] if met else []
    succeeded(platform.play(*SITE))
    return finished(account, start, "")


def killed_at_every_write(
    account: Account, platform: Platform, output: Path, *arguments: str, playbook: str = "site.yml"
) -> list[list[str]]:
    """Kill runs at their first write until one has nothing to write; return what had arrived at each kill."""
    kills: list[list[str]] = []
    while len(kills) < TOO_MANY:
        write = Write(account)
        met, run = platform.killed(write, output, *arguments, playbook=playbook)
        if not met:
            succeeded(run)
            return kills
        kills.append(write.arrived())
    pytest.fail(f"the runs do not come to an end: {kills}")


def test_every_kind_of_call_was_a_point(undisturbed: Build, disturbed: Build, kills: list[list[str]]) -> None:
    assert {point for kill in kills for point in kill} >= {*undisturbed.actions, UNPACKING}
    assert len(kills) >= MINIMUM, kills


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

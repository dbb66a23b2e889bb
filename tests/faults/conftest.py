"""A project of its own in the lab, and failures that are ordered from it; all of it is removed at the end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from account import Account, this_lab
from runs import Platform, Run

PROJECT = "faults"
AWS_OF_THE_USERS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
Fault = Callable[..., None]


@pytest.fixture(scope="session")
def account() -> Account:
    """The account, seen from outside."""
    return Account(this_lab())


@pytest.fixture(scope="session")
def vpc_cidr(account: Account) -> str:
    """The range that the lab keeps for a VPC."""
    return str(json.loads(account.lab.facts.read_text())["network"]["vpc_cidr"])


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The lab's world with a project of its own; what is left of it is removed after the last test."""
    environment = {name: value for name, value in os.environ.items() if name not in AWS_OF_THE_USERS}
    platform = Platform(
        "lab", {**environment, "HANGER_PROJECT": PROJECT}, variables(hanger_backup_repository="directory")
    )
    yield platform
    order("clear")
    removal = destroy(platform)
    assert removal.code == 0, removal.output[-4000:]


@pytest.fixture
def fault() -> Iterator[Fault]:
    """Order failures; none is in force before and after the test."""
    order("clear")
    yield order
    order("clear")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A file for the output of a run that is killed."""
    return tmp_path / "output"


def order(*arguments: str) -> None:
    """Order a failure of the lab."""
    subprocess.run(["hanger-lab", "fault", *arguments], check=True, capture_output=True)


def destroy(platform: Platform) -> Run:
    """Remove the project's machines and network."""
    confirmed = f"hanger_destroy_confirm={PROJECT}"
    return platform.play("--tags", "ec2_launch", "-e", confirmed, playbook="playbooks/destroy.yml")


def variables(**values: Any) -> tuple[str, str]:
    """Spell extra variables for the command line."""
    return "-e", json.dumps(values)

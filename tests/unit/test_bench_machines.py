"""The machines' benchmark takes its lab down whatever happens, and gives no figure for a run that changed something."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimpleNamespace]:
    spec = importlib.util.spec_from_file_location("bench_machines", BENCH / "machines.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = SimpleNamespace(ran=[], failing="", recap="localhost : ok=9 changed=0")

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        state.ran.append((command, options["env"]))
        if command == ["hanger-lab", "up"]:
            facts = Path(options["env"]["HANGER_LAB_DIR"]) / "lab.json"
            facts.parent.mkdir(parents=True)
            facts.write_text("{}")
        failed = state.failing in command if state.failing else False
        return subprocess.CompletedProcess(command, int(failed), state.recap, "broken" if failed else "")

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(module, "_logins", lambda facts: iter(()))
    monkeypatch.setenv("AWS_PROFILE", "work")
    state.measure = module.measure
    yield state


def test_it_measures_a_second_run_and_the_removal(machines: SimpleNamespace) -> None:
    assert [figure["name"] for figure in machines.measure()] == ["ec2_launch_second_run_s", "destroy_s"]
    assert machines.ran[-1][0] == ["hanger-lab", "down"]


def test_no_profile_of_the_users_is_used(machines: SimpleNamespace) -> None:
    list(machines.measure())
    assert all("AWS_PROFILE" not in environment for _, environment in machines.ran)


def test_a_run_that_changes_something_is_no_figure(machines: SimpleNamespace) -> None:
    machines.recap = "localhost : ok=9 changed=1"
    with pytest.raises(SystemExit, match="must change nothing, this one says changed=1"):
        list(machines.measure())
    assert machines.ran[-1][0] == ["hanger-lab", "down"]


def test_a_failure_is_told_and_the_lab_goes_down(machines: SimpleNamespace) -> None:
    machines.failing = "playbooks/destroy.yml"
    with pytest.raises(SystemExit, match="broken"):
        list(machines.measure())
    assert machines.ran[-1][0] == ["hanger-lab", "down"]

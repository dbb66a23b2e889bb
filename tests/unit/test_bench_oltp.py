"""The database's benchmark takes its lab down whatever happens; a run that changed something is no figure."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
RECAP = "localhost : ok=9    changed=0\noltp      : ok=9    changed={}\n"


@pytest.fixture
def oltp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimpleNamespace]:
    spec = importlib.util.spec_from_file_location("bench_oltp", BENCH / "oltp.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = SimpleNamespace(ran=[], failing="", changed=0, module=module)

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        state.ran.append((command, options["env"]))
        return subprocess.CompletedProcess(
            command, int(state.failing in command), RECAP.format(state.changed), "broken"
        )

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run, Popen=subprocess.Popen, PIPE=-1, DEVNULL=-3))
    monkeypatch.setenv("AWS_PROFILE", "work")
    yield state


def test_it_measures_the_second_run_in_a_lab_of_its_own(oltp: SimpleNamespace) -> None:
    (figure,) = oltp.module._second_run()
    assert figure["name"] == "postgres_server_second_run_s"
    assert [command[0] for command, _ in oltp.ran] == [
        "hanger-lab",
        "ansible-playbook",
        "ansible-playbook",
        "hanger-lab",
    ]
    assert all("AWS_PROFILE" not in environment for _, environment in oltp.ran)
    assert {environment["HANGER_PROJECT"] for _, environment in oltp.ran} == {"bench-oltp"}


def test_a_run_that_changes_something_is_no_figure(oltp: SimpleNamespace) -> None:
    oltp.changed = 3
    with pytest.raises(SystemExit, match="must change nothing, this one says changed=3"):
        list(oltp.module._second_run())
    assert oltp.ran[-1][0] == ["hanger-lab", "down"]


def test_a_failure_is_told_and_the_lab_goes_down(oltp: SimpleNamespace) -> None:
    oltp.failing = "site.yml"
    with pytest.raises(SystemExit, match=r"site\.yml failed"):
        list(oltp.module._second_run())
    assert oltp.ran[-1][0] == ["hanger-lab", "down"]


def test_memory_of_a_command_is_that_of_the_command(oltp: SimpleNamespace) -> None:
    big = [sys.executable, "-c", "x = bytearray(150 << 20); print(len(x))"]
    assert 150 < oltp.module._peak(big) < 250


def test_a_command_may_end_when_it_has_shown_enough(oltp: SimpleNamespace) -> None:
    endless = [sys.executable, "-c", "while True: print('x' * 1000)"]
    assert oltp.module._peak(endless, enough=100_000) < 400


def test_a_command_that_fails_is_no_figure(oltp: SimpleNamespace) -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        oltp.module._peak([sys.executable, "-c", "raise SystemExit(3)"])

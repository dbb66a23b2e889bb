"""The benchmarks tell what went wrong, and keep no half of a result."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
RECAP = "el   : ok=9    changed={}    unreachable=0\noltp : ok=9    changed=0    unreachable=0\n"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Shell:
    """Answers the commands of the spine's benchmark."""

    def __init__(self) -> None:
        self.changed = 0
        self.down = 0
        self.up = 0

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        code, output = 0, RECAP.format(self.changed) if command[0] == "ansible-playbook" else "1,234 rows/s"
        if command[0] == "git":
            Path(command[-1]).mkdir()
        elif command == ["make", "down"]:
            code = self.down
        elif command == ["make", "up"]:
            code = self.up
        return subprocess.CompletedProcess(command, code, output, "a network is in use" if code else "")


@pytest.fixture
def spine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimpleNamespace]:
    module, shell = load("spine"), Shell()
    scratch = tmp_path / "scratch"
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=shell))

    def make(prefix: str) -> str:
        scratch.mkdir()
        return str(scratch)

    monkeypatch.setattr(module.tempfile, "mkdtemp", make)
    yield SimpleNamespace(measure=module.measure, shell=shell, scratch=scratch)


def test_a_measurement_leaves_nothing(spine: SimpleNamespace) -> None:
    figures = {figure["name"]: figure["note"] for figure in spine.measure()}
    assert figures["second_run_s"] == "changed=0 on 2 hosts"
    assert "up_warm_s" in figures
    assert not spine.scratch.exists()


@pytest.mark.parametrize("recap", ["a change", "no recap"])
def test_a_second_run_that_changes_something_is_no_figure(
    spine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, recap: str
) -> None:
    spine.shell.changed = 2
    if recap == "no recap":
        monkeypatch.setattr(sys.modules[__name__], "RECAP", "changed={}")
        spine.shell.changed = 0
    with pytest.raises(SystemExit, match="second_run_s: a second run must change nothing"):
        list(spine.measure())
    assert not spine.scratch.exists()


def test_a_lab_that_does_not_go_down_is_told_and_kept(
    spine: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = spine.measure()
    next(figures)
    spine.shell.down = 2
    with pytest.raises(SystemExit):
        list(figures)
    told = capsys.readouterr().err
    assert "make down FAILED (2)" in told
    assert "a network is in use" in told
    assert str(spine.scratch) in told
    assert spine.scratch.exists()


def test_why_it_failed_first_is_not_hidden(spine: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    spine.shell.up = spine.shell.down = 2
    with pytest.raises(SystemExit, match="make up failed"):
        list(spine.measure())
    assert "make down FAILED" in capsys.readouterr().err
    assert spine.scratch.exists()


def test_the_last_result_stays_until_the_next_is_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = load("run")
    monkeypatch.setattr(run, "BENCH", tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "paper.py").write_text("def measure():\n    yield {'name': 'one'}\n    raise SystemExit('half way')\n")
    kept = tmp_path / "results" / "paper.jsonl"
    kept.parent.mkdir()
    kept.write_text("before\n")
    with pytest.raises(SystemExit, match="half way"):
        run.main("paper")
    assert kept.read_text() == "before\n"
    (tmp_path / "paper.py").write_text("def measure():\n    yield {'name': 'the whole'}\n")
    monkeypatch.delitem(sys.modules, "paper")
    importlib.invalidate_caches()
    assert run.main("paper") == 0
    assert json.loads(kept.read_text())["name"] == "the whole"
    assert [path.name for path in kept.parent.iterdir()] == ["paper.jsonl"]

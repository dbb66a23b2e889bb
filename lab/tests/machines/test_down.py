"""`hanger-lab down` and the lock, without an engine: what it connects to, what it refuses, what it leaves."""

from __future__ import annotations

import fcntl
import io
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hanger_lab import cli
from hanger_lab import down as down_module
from hanger_lab.config import Lab
from hanger_lab.down import down
from hanger_lab.lock import exclusive, lock_file
from hanger_lab.machines import EngineError
from hanger_lab.machines.locate import NO_ENGINE, engine_address, record_address, recorded_address
from hanger_lab.machines.private import PrivateEngine
from hanger_lab.machines.provision import provide_engine
from hanger_lab.progress import Progress
from hanger_lab.services import environment
from rich.console import Console


class PaperClient:
    """A Docker client of an engine that is there and says nothing else."""

    def __init__(self, base_url: str, timeout: int) -> None:
        self.base_url = base_url

    def info(self) -> dict[str, Any]:
        return {"OSType": "linux", "OperatingSystem": "Debian"}


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The addresses of the engines that objects were removed from; the host has none but those of the test."""
    addresses: list[str] = []
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("docker.DockerClient", PaperClient)
    monkeypatch.setattr("hanger_lab.machines.locate.DEFAULT_SOCKET", tmp_path / "default.sock")
    monkeypatch.setattr(down_module, "remove_objects", lambda engine: addresses.append(engine.address))
    monkeypatch.setattr(down_module, "remove_images", lambda engine: None)
    return addresses


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Two engines that answer."""
    listeners = {name: socket.socket(socket.AF_UNIX) for name in ("default", "other")}
    for name, listener in listeners.items():
        listener.bind(str(tmp_path / f"{name}.sock"))
        listener.listen()
    yield {name: f"unix://{tmp_path}/{name}.sock" for name in listeners}
    for listener in listeners.values():
        listener.close()


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(said: io.StringIO) -> Progress:
    return Progress(Console(file=said, width=500))


def brought_up(lab: Lab, address: str | None) -> None:
    for name in ("run", "ec2", "snowflake", "logs", "secrets", "ssh"):
        (lab.directory / name).mkdir(parents=True)
    (lab.directory / "ec2" / "state.pickle").write_bytes(b"")
    if address:
        lab.facts.write_text(json.dumps({"engine": {"docker_host": address}}))


def everything(lab: Lab) -> list[str]:
    return sorted(str(path) for path in lab.directory.rglob("*") if path != lock_file(lab))


def test_down_cleans_the_engine_that_the_lab_is_in(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress
) -> None:
    brought_up(lab, sockets["other"])
    down(lab, progress)
    assert cleaned == [sockets["other"]]
    assert sorted(path.name for path in lab.directory.iterdir()) == ["logs", "secrets", "ssh"]


def test_another_docker_host_is_refused_and_nothing_deleted(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought_up(lab, sockets["other"])
    before = everything(lab)
    monkeypatch.setenv("DOCKER_HOST", sockets["default"])
    with pytest.raises(EngineError, match=f"{sockets['other']}, but DOCKER_HOST is {sockets['default']}: unset it"):
        down(lab, progress)
    with pytest.raises(EngineError, match="unset it"):
        down(lab, progress, without_engine=True)
    assert (everything(lab), cleaned) == (before, [])
    with pytest.raises(EngineError, match="unset it"):
        provide_engine(lab)


def test_the_labs_own_engine_is_not_started_to_be_refused(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought_up(lab, f"unix://{lab.directory}/engine/docker.sock")
    (lab.directory / "engine" / "data").mkdir(parents=True)
    monkeypatch.setattr(PrivateEngine, "start", lambda engine: pytest.fail("was started"))
    monkeypatch.setenv("DOCKER_HOST", sockets["default"])
    with pytest.raises(EngineError, match="unset it"):
        down(lab, progress)


def test_the_same_engine_by_another_path_is_the_same(lab: Lab, sockets: dict[str, str], tmp_path: Path) -> None:
    brought_up(lab, sockets["other"])
    (tmp_path / "link").symlink_to(tmp_path)
    linked = f"unix://{tmp_path}/link/other.sock"
    assert engine_address(lab, {"DOCKER_HOST": linked}) in (linked, sockets["other"])


@pytest.mark.parametrize("recorded", [True, False], ids=["facts", "instances only"])
def test_an_engine_that_does_not_answer_keeps_the_lab(
    lab: Lab, cleaned: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], recorded: bool
) -> None:
    brought_up(lab, f"unix://{lab.directory}/gone.sock" if recorded else None)
    before = everything(lab)
    for name, value in environment(lab).items():
        monkeypatch.setenv(name, value)
    assert cli.main(["down", "--purge"]) == 1
    assert "start it" in capsys.readouterr().err
    assert (everything(lab), cleaned) == (before, [])
    assert cli.main(["down", "--without-engine"]) == 0
    assert sorted(path.name for path in lab.directory.iterdir()) == ["logs", "secrets", "ssh"]


def test_an_engine_that_this_user_may_not_use_is_not_gone(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought_up(lab, sockets["other"])
    monkeypatch.setattr("hanger_lab.machines.locate.answers", lambda path: False)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    before = everything(lab)
    with pytest.raises(EngineError, match="join the group docker"):
        down(lab, progress, without_engine=True)
    assert everything(lab) == before


def test_an_engine_that_refuses_is_no_success(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PaperClient, "info", lambda self: {"OSType": "windows"})
    with pytest.raises(EngineError, match="needs an engine for Linux"):
        down(lab, progress)
    brought_up(lab, None)
    before = everything(lab)
    with pytest.raises(EngineError, match="needs an engine for Linux"):
        down(lab, progress)
    assert everything(lab) == before


def test_the_labs_own_engine_without_data_has_no_machines(lab: Lab, cleaned: list[str], progress: Progress) -> None:
    brought_up(lab, f"unix://{lab.directory}/engine/docker.sock")
    down(lab, progress)
    assert sorted(path.name for path in lab.directory.iterdir()) == ["logs", "secrets", "ssh"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_labs_own_engine_that_ended_is_brought_back(
    lab: Lab, cleaned: list[str], progress: Progress, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    own = f"unix://{lab.directory}/engine/docker.sock"
    brought_up(lab, own)
    (lab.directory / "engine" / "data").mkdir(parents=True)
    (lab.directory / "engine" / "before.json").write_text("{}")

    def start(engine: PrivateEngine) -> None:
        if fails:
            raise EngineError("no dockerd")
        listener.bind(str(engine.socket))
        listener.listen()

    monkeypatch.setattr(PrivateEngine, "start", start)
    monkeypatch.setattr(PrivateEngine, "stop", lambda engine, keep_data: None)
    before = everything(lab)
    with socket.socket(socket.AF_UNIX) as listener:
        if fails:
            with pytest.raises(EngineError, match="no dockerd"):
                down(lab, progress)
            assert everything(lab) == before
        down(lab, progress, without_engine=fails)
    assert cleaned == ([] if fails else [own])
    assert not lab.facts.exists()


def test_nothing_is_removed_where_nothing_is(
    lab: Lab, cleaned: list[str], progress: Progress, said: io.StringIO
) -> None:
    down(lab, progress)
    assert "nothing to remove" in said.getvalue()
    assert not lab.directory.exists()


def test_the_engine_is_written_down_before_the_lab_is_up(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", sockets["other"])
    assert provide_engine(lab).address == sockets["other"]
    assert recorded_address(lab) == sockets["other"]
    assert engine_address(lab, {}) == sockets["other"]


def test_a_labs_machines_are_not_looked_for_in_a_new_engine(
    lab: Lab, cleaned: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record_address(lab, f"unix://{tmp_path}/gone.sock")
    monkeypatch.setattr("hanger_lab.machines.provision.require", lambda *args: pytest.fail("installs an engine"))
    with pytest.raises(EngineError, match=r"gone\.sock has the machines of the lab in .* does not answer") as error:
        provide_engine(lab)
    assert NO_ENGINE not in str(error.value)


def test_purge_removes_all_inside_the_lock_and_says_so(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress, said: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    lab = replace(lab, cache=lab.directory / "cache")
    brought_up(lab, sockets["other"])
    remove, removed = shutil.rmtree, []

    def watched(path: Path) -> None:
        removed.append(path.name)
        with lock_file(lab).open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(path)

    monkeypatch.setattr(down_module.shutil, "rmtree", watched)
    down(lab, progress, purge=True)
    assert {"run", "ssh", "secrets", "logs"} <= set(removed)
    assert "nothing stayed" in said.getvalue()
    assert not lab.directory.exists()


def test_down_tells_what_stayed(
    lab: Lab, sockets: dict[str, str], cleaned: list[str], progress: Progress, said: io.StringIO
) -> None:
    brought_up(lab, sockets["other"])
    (lab.directory / "test").mkdir()
    down(lab, progress)
    assert f"logs, secrets, ssh, test in {lab.directory}" in said.getvalue()
    assert "the images in the engine stayed" in said.getvalue()


def test_who_waits_for_a_lock_that_is_removed_gets_one_that_excludes(lab: Lab) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait() -> None:
        with exclusive(lab):
            entered.set()
            leave.wait(10)

    waiting = threading.Thread(target=wait)
    try:
        with exclusive(lab):
            waiting.start()
            assert not entered.wait(0.3)
            lock_file(lab).unlink()
            lab.directory.rmdir()
        assert entered.wait(10)
        with lock_file(lab).open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        leave.set()
        waiting.join()


def test_the_labs_directory_is_its_owners_alone(lab: Lab) -> None:
    lab.directory.mkdir(mode=0o755)
    with exclusive(lab):
        assert lab.directory.stat().st_mode & 0o777 == 0o700

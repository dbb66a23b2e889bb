from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hanger_oltp import GENERATOR_VERSION
from hanger_oltp.cli import main
from hanger_oltp.files import write
from hanger_oltp.gym import COLUMNS, Gym

Contents = Callable[[Path], dict[str, bytes]]


def test_same_input_gives_same_bytes(tmp_path: Path, contents: Contents) -> None:
    write(Gym(scale=2), tmp_path / "here")
    for name in ("again", "hashed"):
        command = [sys.executable, "-m", "hanger_oltp", "--scale", "2", "--output", str(tmp_path / name)]
        environment = {
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PYTHONHASHSEED": str(len(name)),
            "TZ": "Asia/Tokyo",
        }
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        assert contents(tmp_path / name) == contents(tmp_path / "here")


@pytest.mark.parametrize("other", [Gym(seed=43), Gym(scale=2), Gym(until=date(2025, 1, 1))])
def test_other_input_gives_other_bytes(tmp_path: Path, contents: Contents, other: Gym) -> None:
    write(Gym(), tmp_path / "one")
    write(other, tmp_path / "two")
    assert contents(tmp_path / "one")["routeclimbs.csv.gz"] != contents(tmp_path / "two")["routeclimbs.csv.gz"]


def test_one_file_per_table_and_a_manifest_of_them(tmp_path: Path, contents: Contents) -> None:
    counts = write(Gym(), tmp_path)
    assert set(contents(tmp_path)) == {*(f"{table}.csv.gz" for table in COLUMNS), "manifest.json"}
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    given = {"generator": GENERATOR_VERSION, "scale": 1, "seed": 42, "until": "2026-01-01", "rows": counts}
    assert manifest == given


def test_a_failed_run_leaves_no_manifest_and_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Gym(), tmp_path)
    before = (tmp_path / "members.csv.gz").read_bytes()

    def broken(self: Gym) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Gym, "rows", broken)
    with pytest.raises(OSError, match="No space"):
        write(Gym(scale=3), tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    assert (tmp_path / "members.csv.gz").read_bytes() == before
    assert not list(tmp_path.glob(".draft-*"))


def test_plain_files(tmp_path: Path) -> None:
    assert main(["--scale", "1", "--plain", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "routecolors.csv").read_text().startswith("route_color_id,route_color\n1,Red\n")


def test_archive_holds_the_files_and_is_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert main(["--scale", "1", "--pack", "--output", str(tmp_path / name)]) == 0
    with tarfile.open(tmp_path / "one" / "tables.tar") as tar:
        packed = {member.name: tar.extractfile(member).read() for member in tar}
    assert packed == {f"{table}.csv.gz": (tmp_path / "one" / f"{table}.csv.gz").read_bytes() for table in COLUMNS}
    assert (tmp_path / "one" / "tables.tar").read_bytes() == (tmp_path / "two" / "tables.tar").read_bytes()


@pytest.mark.parametrize("scale", ["0", "-1", "1.5", "many"])
def test_scale_that_is_no_size_is_refused(tmp_path: Path, scale: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([f"--scale={scale}", "--output", str(tmp_path)])
    assert stop.value.code == 2
    assert "must be a whole number, 1 or more" in capsys.readouterr().err


def test_output_that_is_a_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--output", str(tmp_path / "file")]) == 1
    assert "file" in capsys.readouterr().err


def test_default_scale_of_the_platform_is_quick(tmp_path: Path) -> None:
    start = time.process_time()
    counts = write(Gym(scale=100), tmp_path)
    assert time.process_time() - start < 5
    assert counts["members"] == 5000
    assert counts["routeclimbs"] == pytest.approx(60_000, rel=0.05)

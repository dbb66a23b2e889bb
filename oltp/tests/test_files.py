from __future__ import annotations

import gzip
import hashlib
import json
import resource
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hanger_oltp import GENERATOR_VERSION, files
from hanger_oltp.chain import Chain
from hanger_oltp.cli import main
from hanger_oltp.draw import Stream, apportion, field, weighted
from hanger_oltp.files import write_archive, write_csv
from hanger_oltp.tables import TABLES

PACKAGE = str(Path(__file__).parents[1])
MEMORY_MB = 500


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(directory.iterdir())}


def test_same_input_gives_same_bytes(tmp_path: Path) -> None:
    write_csv(Chain(scale=2), tmp_path / "here")
    for name in ("again", "hashed"):
        command = [sys.executable, "-m", "hanger_oltp", "generate", "--scale=2", f"--output={tmp_path / name}"]
        environment = {"PYTHONPATH": PACKAGE, "PYTHONHASHSEED": str(len(name)), "TZ": "Asia/Tokyo"}
        # Without the instructions that only some processors have, numpy calculates on other ways.
        environment |= {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"} if name == "hashed" else {}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert contents(tmp_path / name) == contents(tmp_path / "here")


def test_data_change_only_with_the_version(tmp_path: Path) -> None:
    write_csv(Chain(), tmp_path)
    total = hashlib.sha256(b"".join((tmp_path / f"{name}.csv").read_bytes() for name in TABLES))
    assert (GENERATOR_VERSION, total.hexdigest()[:16]) == (2, "bd20814ce1b7a536")


@pytest.mark.parametrize("other", [Chain(seed=43), Chain(scale=2), Chain(until=date(2025, 1, 1))])
def test_other_input_gives_other_bytes(tmp_path: Path, other: Chain) -> None:
    write_csv(Chain(), tmp_path / "one")
    write_csv(other, tmp_path / "two")
    assert contents(tmp_path / "one")["routeclimbs.csv"] != contents(tmp_path / "two")["routeclimbs.csv"]


@pytest.mark.parametrize("scale", [1, 3, 20])
def test_counts_follow_the_scale(tmp_path: Path, scale: int) -> None:
    counts = write_csv(Chain(scale=scale), tmp_path)
    assert counts["members"] == 50 * scale
    assert counts["routeclimbs"] == pytest.approx(600 * scale, rel=0.1)
    assert {name for name, count in counts.items() if count} == set(TABLES)


def test_archive_holds_the_rows_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PART", 500)
    chain = Chain(scale=10)
    write_csv(chain, tmp_path / "csv")
    write_archive(chain, tmp_path / "archive")
    described = json.loads((tmp_path / "archive" / "manifest.json").read_text())["tables"]
    with tarfile.open(tmp_path / "archive" / "tables.tar") as tar:
        names = tar.getnames()
        assert len([name for name in names if name.startswith("routeclimbs.")]) > 1
        for name, table in described.items():
            parts = [part for part in names if part.startswith(f"{name}.")]
            content = gzip.decompress(b"".join(tar.extractfile(part).read() for part in parts))
            plain = (tmp_path / "csv" / f"{name}.csv").read_bytes()
            if table["format"] == "csv":
                assert content == plain
            else:
                width = 2 + sum(12 if column.kind == "timestamp" else 8 for column in TABLES[name].columns)
                assert len(content) == 19 + table["rows"] * width + 2


def test_a_failed_run_leaves_no_manifest_and_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(Chain(), tmp_path)
    before = (tmp_path / "members.csv").read_bytes()

    def broken(chain: Chain) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(files, "rows", broken)
    with pytest.raises(OSError, match="No space"):
        write_csv(Chain(scale=3), tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    assert (tmp_path / "members.csv").read_bytes() == before
    assert not list(tmp_path.glob(".draft-*"))


@pytest.mark.parametrize("scale", ["0", "-1", "1.5", "many", "1000001"])
def test_scale_that_is_no_size_is_refused(tmp_path: Path, scale: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["generate", f"--scale={scale}", "--output", str(tmp_path)])
    assert stop.value.code == 2
    assert "must be a whole number from 1 to 1000000" in capsys.readouterr().err


def test_output_that_is_a_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["generate", "--output", str(tmp_path / "file")]) == 1
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "--scale=400", "--archive"],
        ["table", "--scale=1000000", "--days=200-200", "--binary", "climbingsessions"],
    ],
)
def test_memory_is_bounded(tmp_path: Path, arguments: list[str]) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))

    command = [sys.executable, "-m", "hanger_oltp", *arguments]
    command += [f"--output={tmp_path}"] if arguments[0] == "generate" else []
    # One thread: numpy's own reserve addresses, not memory, for each.
    environment = {"PYTHONPATH": PACKAGE, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, preexec_fn=limit, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1, 1]), (7, [0.1] * 365), (0, [1.0]), (1000, [3, 1, 0])])
def test_apportion_adds_up(total: int, weights: list[float]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert min(parts) >= 0


def test_draws_are_the_same_everywhere_and_even() -> None:
    stream = Stream(42, "test")
    assert field(stream.bits(np.arange(6)), 0, 4).tolist() == [6, 5, 2, 4, 12, 11]
    counts = np.bincount(field(stream.bits(np.arange(1 << 16)), 24, 4), minlength=16)
    # Chi-squared with 15 degrees of freedom: one run in 100,000 would be beyond.
    assert (((counts - 4096) ** 2) / 4096).sum() < 50


def test_weighted_draws_follow_the_weights() -> None:
    assert np.bincount(weighted((3, 1))).tolist() == [3072, 1024]

"""What is wrong with a person's files is told by file, line and column; what is right is packed as it is."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from hanger_oltp.chain import Chain
from hanger_oltp.check import MOST_ERRORS, Check, Numbers
from hanger_oltp.cli import main
from hanger_oltp.files import write_csv
from hanger_oltp.tables import TABLES


@pytest.fixture
def own(tmp_path: Path) -> Path:
    write_csv(Chain(), tmp_path / "own")
    (tmp_path / "own" / "manifest.json").unlink()
    return tmp_path / "own"


def errors(directory: Path) -> list[str]:
    check = Check(directory)
    check.run()
    return check.errors


def replace(path: Path, line: int, text: str) -> None:
    lines = path.read_text().split("\n")
    lines[line - 1] = text
    path.write_text("\n".join(lines))


def test_good_files_have_no_errors(own: Path) -> None:
    assert errors(own) == []


@pytest.mark.parametrize(
    ("table", "line", "text", "error"),
    [
        ("routeclimbs", 5, "4,1,1,2024/05/04 22:52:54,,11", "route_climb_rating: 11 is not from 1 to 10"),
        ("routeclimbs", 5, "4,1,1,2024/05/04 22:52:54,,7.5", "route_climb_rating: '7.5' is no whole number"),
        ("routeclimbs", 5, "4,1,1,2024/02/30 22:52:54,,7", "route_climb_start_datetime: '2024/02/30 22:52:54' is no"),
        ("routeclimbs", 5, "4,1,1,04.05.2024 22:52,,7", "route_climb_start_datetime: '04.05.2024 22:52' is no"),
        ("routeclimbs", 5, "4,1,999,,,7", "member_id: 999 is not in members.csv"),
        ("routeclimbs", 5, "4,,1,,,7", "route_id: is empty"),
        ("routeclimbs", 5, "1,1,1,,,7", "route_climb_id: 1 is there twice"),
        ("routeclimbs", 5, "99999999999,1,1,,,7", "route_climb_id: 99999999999 is not from"),
        ("routeclimbs", 5, "4,1,1,,7", " has 5 values, 6 are wanted"),
        ("routecolors", 3, "2,Ultramarine blue", "route_color: has 16 characters, 10 fit"),
        ("members", 1, "member_id,name", "column member_first_name is missing"),
        ("members", 4, "3,A,B,,,,131,,1,1", "member_age: 131 is not from 0 to 130"),
        ("memberaddresses", 3, "1,Somewhere,Colorado,80301,Boulder,United States,1", "state: has 8 characters, 2 fit"),
    ],
)
def test_an_error_names_file_line_and_column(own: Path, table: str, line: int, text: str, error: str) -> None:
    replace(own / f"{table}.csv", line, text)
    space = " " if line == 1 else ""
    assert any(found.startswith(f"{table}.csv:{line}:{space}{error}") for found in errors(own)), errors(own)


def test_the_same_address_twice(own: Path) -> None:
    lines = (own / "memberaddresses.csv").read_text().split("\n")
    replace(own / "memberaddresses.csv", 5, lines[1])
    assert errors(own)[0].startswith("memberaddresses.csv:5:member_id, address: ")


def test_an_unknown_column_is_named(own: Path) -> None:
    path = own / "routes.csv"
    path.write_text(path.read_text().replace("gym_quadrant", "quadrant", 1))
    found = errors(own)
    assert found[0] == "routes.csv:1: column gym_quadrant is missing"
    assert found[1].startswith("routes.csv:1: column 'quadrant' is not one of routes: ")
    assert len(found) == 2, "children of a table that cannot be read are not blamed"


def test_columns_may_stand_in_any_order(own: Path, tmp_path: Path) -> None:
    lines = [line.split(",") for line in (own / "routes.csv").read_text().strip().split("\n")]
    (own / "routes.csv").write_text("\n".join(",".join(reversed(line)) for line in lines))
    assert main(["check", str(own), "--output", str(tmp_path / "packed")]) == 0
    packed = json.loads((tmp_path / "packed" / "manifest.json").read_text())["tables"]["routes"]
    assert packed["columns"] == [*reversed(TABLES["routes"].names)]
    with tarfile.open(tmp_path / "packed" / "tables.tar") as tar:
        assert gzip.decompress(tar.extractfile("routes.0").read()) == (own / "routes.csv").read_bytes()


def test_a_row_over_two_lines_counts_both(own: Path) -> None:
    replace(own / "members.csv", 2, '1,"Ada\nAugusta",B,,,,30,,1,1')
    replace(own / "members.csv", 5, "x,A,B,,,,30,,1,1")
    assert errors(own)[0].startswith("members.csv:5:member_id: 'x'")


def test_bytes_that_are_no_text_are_named(own: Path) -> None:
    path = own / "members.csv"
    path.write_bytes(path.read_bytes().replace(b"\n2,", b"\n2,\xe9", 1))
    assert errors(own) == ["members.csv:3:member_first_name: is not UTF-8"]


def test_what_spreadsheets_write_is_taken(own: Path, tmp_path: Path) -> None:
    path = own / "routecolors.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert errors(own) == []
    assert main(["check", str(own), "--output", str(tmp_path / "packed")]) == 0
    with tarfile.open(tmp_path / "packed" / "tables.tar") as tar:
        assert gzip.decompress(tar.extractfile("routecolors.0").read()).startswith(b"route_color_id,")


def test_the_first_errors_of_a_file_are_shown(own: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = own / "routeclimbs.csv"
    head, *rows = path.read_text().strip().split("\n")
    path.write_text("\n".join([head, *(row[: row.rindex(",")] + ",0" for row in rows)]))
    assert main(["check", str(own), "--output", str(tmp_path / "packed")]) == 1
    told = capsys.readouterr().err.strip().split("\n")
    assert len(told) == MOST_ERRORS + 1
    assert "and more errors" in told[-1]
    assert not (tmp_path / "packed").exists()


def test_original_files_are_wanted_and_others_may_be_missing(own: Path) -> None:
    (own / "payments.csv").unlink()
    assert errors(own) == []
    (own / "routecolors.csv").rename(own / "colours.csv")
    assert errors(own) == ["colours.csv: there is no table colours", "routecolors.csv: is missing"]


def test_a_fingerprint_follows_the_content(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(own, tmp_path / "same")
    for directory in (own, tmp_path / "same"):
        assert main(["digest", str(directory)]) == 0
    replace(own / "members.csv", 2, "1,Ada,B,,,,30,,1,1")
    assert main(["digest", str(own)]) == 0
    first, same, other = capsys.readouterr().out.split()
    assert first == same != other
    assert main(["digest", str(tmp_path)]) == 1


def test_a_set_of_numbers_holds_any() -> None:
    numbers = Numbers()
    some = (0, 1, 65_535, 65_536, -1, 2**31 - 1, -(2**31))
    assert [numbers.add(number) for number in some] == [True] * len(some)
    assert [numbers.add(number) for number in some] == [False] * len(some)
    assert 2 not in numbers
    assert -2 not in numbers

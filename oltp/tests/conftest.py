from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hanger_oltp.files import write
from hanger_oltp.gym import COLUMNS, Gym

Tables = dict[str, list[dict[str, str]]]


def read(directory: Path) -> Tables:
    tables: Tables = {}
    for table in COLUMNS:
        with gzip.open(directory / f"{table}.csv.gz", "rt", newline="") as text:
            tables[table] = list(csv.DictReader(text))
    return tables


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    directory = tmp_path_factory.mktemp("gym")
    write(Gym(scale=10), directory)
    return read(directory)


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    return lambda directory: {file.name: file.read_bytes() for file in sorted(directory.iterdir())}

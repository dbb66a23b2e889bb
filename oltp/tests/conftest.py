from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hanger_oltp.chain import Chain
from hanger_oltp.files import write_csv
from hanger_oltp.tables import TABLES

Rows = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("chain")
    write_csv(Chain(scale=50), made)
    return made


@pytest.fixture(scope="session")
def tables(directory: Path) -> Rows:
    return {name: list(csv.DictReader((directory / f"{name}.csv").open(newline=""))) for name in TABLES}

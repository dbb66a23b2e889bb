"""Rows to files: one CSV per table, a manifest that says what they hold, an archive of them all."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from gzip import GzipFile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from hanger_oltp import GENERATOR_VERSION
from hanger_oltp.gym import COLUMNS, Gym

MANIFEST = "manifest.json"
ARCHIVE = "tables.tar"


def write(gym: Gym, directory: Path, *, compress: bool = True) -> dict[str, int]:
    """Write `<table>.csv[.gz]` for every table, then the manifest; return the number of rows per table.

    A file appears complete or not at all, so a directory with a manifest is a complete one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    manifest = directory / MANIFEST
    manifest.unlink(missing_ok=True)
    counts: Counter[str] = Counter(dict.fromkeys(COLUMNS, 0))
    suffix = ".csv.gz" if compress else ".csv"
    with TemporaryDirectory(prefix=".draft-", dir=directory) as drafts:
        with ExitStack() as stack:
            writers = {}
            for table, columns in COLUMNS.items():
                text = stack.enter_context(_open(Path(drafts, f"{table}{suffix}"), compress))
                writers[table] = csv.writer(text, lineterminator="\n").writerow
                writers[table](columns)
            for table, row in gym.rows():
                writers[table](row)
                counts[table] += 1
        for draft in Path(drafts).iterdir():
            draft.replace(directory / draft.name)
    manifest.write_text(
        json.dumps(
            {
                "generator": GENERATOR_VERSION,
                "scale": gym.scale,
                "seed": gym.seed,
                "until": gym.until.isoformat(),
                "rows": dict(counts),
            },
            indent=2,
        )
        + "\n"
    )
    return dict(counts)


def pack(directory: Path) -> Path:
    """Put the tables' compressed files into one archive beside them, for a single copy over a network."""
    archive = directory / ARCHIVE
    with TemporaryDirectory(prefix=".draft-", dir=directory) as drafts:
        draft = Path(drafts, ARCHIVE)
        with tarfile.open(draft, "w", format=tarfile.USTAR_FORMAT) as tar:
            for table in COLUMNS:
                content = (directory / f"{table}.csv.gz").read_bytes()
                member = tarfile.TarInfo(f"{table}.csv.gz")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        draft.replace(archive)
    return archive


@contextmanager
def _open(path: Path, compress: bool) -> Iterator[IO[str]]:
    with ExitStack() as stack:
        raw: IO[bytes] = stack.enter_context(path.open("wb"))
        if compress:
            raw = cast(IO[bytes], stack.enter_context(GzipFile("", "wb", 6, raw, mtime=0)))
        yield stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8", newline=""))

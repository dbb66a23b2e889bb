"""Rows to files: a CSV per table for people, or one archive for a load; a manifest says what they hold."""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from hanger_oltp import GENERATOR_VERSION
from hanger_oltp.chain import Chain
from hanger_oltp.check import Check, digest, files
from hanger_oltp.encode import BINARY_HEAD, BINARY_TAIL, binary_rows, csv_head, csv_rows
from hanger_oltp.rows import rows
from hanger_oltp.tables import TABLES

MANIFEST = "manifest.json"
ARCHIVE = "tables.tar"
_PART = 8 << 20
_GZIP = 31


def write_csv(chain: Chain, directory: Path) -> dict[str, int]:
    """Write `<table>.csv` for every table, then the manifest; return the number of rows per table.

    A file appears complete or not at all, so a directory with a manifest is a complete one.
    """
    with _complete(directory) as drafts:
        counts: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
        with ExitStack() as stack:
            files = {name: stack.enter_context(Path(drafts, f"{name}.csv").open("wb")) for name in TABLES}
            for name, table in TABLES.items():
                files[name].write(csv_head(table))
            for name, columns in rows(chain):
                files[name].write(csv_rows(TABLES[name], columns))
                counts[name] += len(columns[0])
        manifest(drafts, generated(chain, counts))
    return dict(counts)


def write_archive(chain: Chain, directory: Path) -> dict[str, int]:
    """Write ARCHIVE as a load wants it, then the manifest; return the number of rows per table."""
    with _complete(directory) as drafts:
        counts: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
        with Archive.create(drafts / ARCHIVE) as archive:
            for name, table in TABLES.items():
                archive.add(name, BINARY_HEAD if table.fixed_width else csv_head(table))
            for name, columns in rows(chain):
                table = TABLES[name]
                archive.add(name, (binary_rows if table.fixed_width else csv_rows)(table, columns))
                counts[name] += len(columns[0])
            for name, table in TABLES.items():
                archive.add(name, BINARY_TAIL if table.fixed_width else b"")
        manifest(drafts, generated(chain, counts))
    return dict(counts)


def pack_csv(directory: Path, output: Path) -> list[str]:
    """Check a person's own files and write ARCHIVE and manifest of them; return the errors that kept it from that."""
    check = Check(directory)
    check.run()
    if check.errors:
        return check.errors
    with _complete(output) as drafts:
        with Archive.create(drafts / ARCHIVE) as archive:
            for name, path in files(directory).items():
                with path.open("rb") as source:
                    if source.read(len(BOM_UTF8)) != BOM_UTF8:
                        source.seek(0)
                    archive.add_file(name, source)
        tables = {
            name: {"rows": check.rows[name], "columns": columns, "format": "csv"}
            for name, columns in check.columns.items()
        }
        manifest(drafts, {"sha256": digest(directory), "tables": tables})
    return []


def generated(chain: Chain, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the manifest of generated data."""
    return {
        "generator": GENERATOR_VERSION,
        "scale": chain.scale,
        "seed": chain.seed,
        "until": chain.until.isoformat(),
        "tables": {
            name: {
                "rows": counts[name],
                "columns": table.names,
                "format": "binary" if table.fixed_width else "csv",
            }
            for name, table in TABLES.items()
        },
    }


def manifest(directory: Path, content: Mapping[str, Any]) -> None:
    """Write a manifest."""
    (directory / MANIFEST).write_text(json.dumps(content, indent=2) + "\n")


@dataclass
class _Member:
    compressor: Any = field(default_factory=lambda: zlib.compressobj(1, zlib.DEFLATED, _GZIP))
    content: bytearray = field(default_factory=bytearray)
    parts: int = 0


class Archive:
    """A tar that grows part by part: `<table>.<number>`, whose parts are one gzip stream per table."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members: dict[str, _Member] = {}

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator[Archive]:
        """Write an archive; it is complete when the block ends without an error."""
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            archive = cls(tar)
            yield archive
            for name, member in archive._members.items():
                member.content += member.compressor.flush()
                archive._write(name, member)

    def add(self, name: str, content: bytes) -> None:
        """Append to a table's stream."""
        member = self._members.setdefault(name, _Member())
        member.content += member.compressor.compress(content)
        if len(member.content) >= _PART:
            self._write(name, member)

    def add_file(self, name: str, source: IO[bytes]) -> None:
        """Append what is left of an open file to a table's stream."""
        while content := source.read(_PART):
            self.add(name, content)

    def _write(self, name: str, member: _Member) -> None:
        info = tarfile.TarInfo(f"{name}.{member.parts}")
        info.size = len(member.content)
        self._tar.addfile(info, io.BytesIO(member.content))
        member.parts += 1
        member.content.clear()


@contextmanager
def _complete(directory: Path) -> Iterator[Path]:
    """Make files in a draft and move them into a directory when all are there, the manifest last."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MANIFEST).unlink(missing_ok=True)
    with TemporaryDirectory(prefix=".draft-", dir=directory) as name:
        drafts = Path(name)
        yield drafts
        for draft in sorted(drafts.iterdir(), key=lambda path: path.name == MANIFEST):
            draft.replace(directory / draft.name)

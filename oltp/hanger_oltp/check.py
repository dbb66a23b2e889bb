"""CSV files of a person's own: every row checked against the tables before anything reaches a database."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from hanger_oltp.tables import TABLES, Column, Table

MOST_ERRORS = 20
MOST_WORD_KEYS = 2_000_000
"""Keys with words in them that are remembered; whether one beyond them is there twice is left to the database."""
_PAGE_BITS = 16
_EXAMPLES = {"timestamp": "2024/05/04 22:52:54", "date": "2024/05/04"}


class Numbers:
    """A set of whole numbers of four bytes, a bit for each in pages that are made when needed: 512 MiB at most."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Add a number; return whether it is new."""
        page = self._pages.setdefault(number >> _PAGE_BITS, bytearray(1 << (_PAGE_BITS - 3)))
        place, bit = divmod(number & ((1 << _PAGE_BITS) - 1), 8)
        new = not page[place] & (1 << bit)
        page[place] |= 1 << bit
        return new

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> _PAGE_BITS)
        place, bit = divmod(number & ((1 << _PAGE_BITS) - 1), 8)
        return page is not None and bool(page[place] & (1 << bit))


def files(directory: Path) -> dict[str, Path]:
    """Return the tables' files that a directory has, in the order of the tables."""
    return {name: path for name in TABLES if (path := directory / f"{name}.csv").is_file()}


def digest(directory: Path) -> str:
    """Return a fingerprint of a directory's files; raise OSError where it has none."""
    total = hashlib.sha256()
    found = files(directory)
    if not found:
        raise OSError(f"{directory} has no file such as members.csv")
    for name, path in found.items():
        with path.open("rb") as stream:
            total.update(f"{name}:{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


class Check:
    """One pass over a directory's files. `errors` are those found, `columns` and `rows` what each file holds."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.errors: list[str] = []
        self.columns: dict[str, tuple[str, ...]] = {}
        self.rows: dict[str, int] = {}
        self._keys: dict[str, Numbers] = {}

    def run(self) -> None:
        """Check every file, parents before children."""
        found = files(self.directory)
        known = {f"{name}.csv" for name in TABLES}
        for path in sorted(self.directory.glob("*.csv")):
            if path.name not in known:
                self.errors.append(f"{path.name}: there is no table {path.stem}")
        for name, table in TABLES.items():
            if name in found:
                errors = list(self._file(table, found[name]))
                self.errors += errors[:MOST_ERRORS]
                if len(errors) > MOST_ERRORS:
                    self.errors.append(f"{name}.csv: and more errors, of which the first {MOST_ERRORS} are shown")
            elif table.original:
                self.errors.append(f"{name}.csv: is missing")

    def _file(self, table: Table, path: Path) -> Iterator[str]:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = tuple(next(reader, ()))
            wrong = list(_header(table, header))
            # Children of a table that cannot be read are not told that their parents are missing.
            if wrong:
                yield from (f"{path.name}:1: {text}" for text in wrong)
                return
            self.columns[table.name], self.rows[table.name] = header, 0
            self._keys[table.name] = Numbers()
            rows = _Rows(table, header, self._keys)
            found = 0
            try:
                line = reader.line_num + 1
                for row in reader:
                    for text in rows.errors(row):
                        yield f"{path.name}:{line}:{text}"
                        found += 1
                    self.rows[table.name] += 1
                    line = reader.line_num + 1
                    if found > MOST_ERRORS:
                        return
            except csv.Error as error:
                yield f"{path.name}:{reader.line_num}: {error}"


def _header(table: Table, header: Sequence[str]) -> Iterator[str]:
    for name in table.names:
        if header.count(name) != 1:
            yield f"column {name} is {'missing' if name not in header else 'there twice'}"
    for name in dict.fromkeys(header):
        if name not in table.names:
            yield f"column {name!r} is not one of {table.name}: {', '.join(table.names)}"


class _Rows:
    def __init__(self, table: Table, header: Sequence[str], keys: dict[str, Numbers]) -> None:
        by_name = {column.name: column for column in table.columns}
        self._table, self._columns = table, [by_name[name] for name in header]
        self._keys = keys
        self._places = [header.index(name) for name in table.key]
        self._words: set[bytes] = set()

    def errors(self, row: Sequence[str]) -> Iterator[str]:
        """Yield what is wrong with a row, beginning with the column's name."""
        if len(row) != len(self._columns):
            yield f" has {len(row)} values, {len(self._columns)} are wanted"
            return
        wrong: set[str] = set()
        for column, text in zip(self._columns, row, strict=True):
            problem = _value(column, text)
            parents = self._keys.get(column.references or "")
            if not problem and text and parents is not None and int(text) not in parents:
                problem = f"{text} is not in {column.references}.csv"
            if problem:
                wrong.add(column.name)
                yield f"{column.name}: {problem}"
        key = [row[place] for place in self._places]
        if wrong.isdisjoint(self._table.key) and not self._new(key):
            yield f"{', '.join(self._table.key)}: {', '.join(key)} is there twice"

    def _new(self, key: Sequence[str]) -> bool:
        if len(key) == 1:
            return self._keys[self._table.name].add(int(key[0]))
        mark = hashlib.blake2b("\0".join([str(int(key[0])), *key[1:]]).encode(), digest_size=12).digest()
        if mark in self._words:
            return False
        if len(self._words) < MOST_WORD_KEYS:
            self._words.add(mark)
        return True


def _value(column: Column, text: str) -> str:
    """Return what is wrong with a value; nothing when it can be loaded."""
    if not text:
        return "is empty" if column.required else ""
    if column.kind == "text":
        return _text(column, text)
    if column.kind == "int":
        return _number(column, text)
    return _moment(column, text)


def _text(column: Column, text: str) -> str:
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        return "is not UTF-8"
    if "\0" in text:
        return "has a NUL character"
    return f"has {len(text)} characters, {column.length} fit" if len(text) > column.length else ""


def _number(column: Column, text: str) -> str:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdecimal()):
        return f"{text!r} is no whole number"
    number = int(text[:20])
    return "" if column.low <= number <= column.high else f"{text} is not from {column.low} to {column.high}"


def _moment(column: Column, text: str) -> str:
    kind = datetime if column.kind == "timestamp" else date
    if len(text) == len(_EXAMPLES[column.kind]) and text.isascii():
        try:
            kind.fromisoformat(text.replace("/", "-"))
        except ValueError:
            pass
        else:
            return ""
    return f"{text!r} is no {column.kind} such as {_EXAMPLES[column.kind]}"

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kind of object is: how it is listed and described, what its properties are, how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from . import values
from .identifiers import Name, quote
from .values import Value

Row = Mapping[str, Any]
Wanted = Callable[[Any], Value]
Words = Union[str, tuple[str, ...]]  # noqa: UP007  (the sanity test cannot follow | here)


@dataclass(frozen=True)
class Property:
    """One property of an object.

    `read` and `column` make its value out of a SHOW row, or with `detail` out of what DESC says; `wanted` makes it out
    of the option. Both raise ValueError or return values that compare. `created` stands in where an object is created
    and the option says nothing. `shown` is what is printed, and compared by `same`, instead of the value itself.
    A property without a column is set at creation only; one that is `fixed` cannot be changed later.
    One with a `command` is changed by statements of its own, from the value that stands to the one that is wanted; it
    starts with the value of the property that `initial` names, or with what `write` set at creation.
    `settled` holds the errors that say that a command came too late, because the account had done the same by itself.
    A property with several columns gets all of them; one with a `clause` is no assignment: it stands `first` or `last`
    behind the name.
    """

    option: str
    keyword: str
    column: Words | None
    wanted: Wanted
    read: Wanted
    write: Callable[[Value], str]
    created: Value = None
    shown: Callable[[Value], Value] = field(default=lambda value: value)
    same: Callable[[Value, Value], bool] = field(default=lambda wanted, known: wanted == known)
    command: Callable[[Value, Value], Iterable[str]] | None = None
    initial: str = ""
    settled: frozenset[int] = frozenset()
    clause: str = ""
    detail: bool = False
    fixed: bool = False

    @property
    def assigned(self) -> bool:
        """Whether it is written as `KEYWORD = value`, in CREATE and in ALTER."""
        return self.command is None and not self.clause

    def observed(self, row: Row) -> dict[str, Value]:
        """Return the value in a row, nothing where the account does not show it."""
        columns = (self.column,) if isinstance(self.column, str) else self.column or ()
        if not columns or not set(columns) <= set(row):
            return {}
        return {self.option: self.read(row[columns[0]] if len(columns) == 1 else [row[column] for column in columns])}

    def differs(self, wanted: Value, known: Value) -> bool:
        """Return whether the value that stands is not the one that is wanted."""
        return not self.same(self.shown(wanted), self.shown(known))


@dataclass(frozen=True)
class Details:
    """How DESC tells what the listing does not: in rows of a name and a value, or in the columns of its only row.

    `missing` says by a row of the listing that there is nothing to ask for.
    """

    columns: tuple[str, str] | None = None
    missing: Callable[[Row], bool] = field(default=lambda row: False)

    def read(self, rows: Iterable[Row]) -> Row:
        """Return what DESC said, by name in lower case."""
        if self.columns is None:
            return next(iter(rows), {})
        name, value = self.columns
        return {str(row[name]).lower(): row[value] for row in rows}


@dataclass(frozen=True)
class Kind:
    """One kind of object: its option in the modules, its word in SQL, how all of them are listed, its properties.

    `place` is the kind that it stands in. Names in `hidden` are not objects of their own, names in `protected` are
    never dropped. `introduction` stands between name and properties in CREATE. A listing that names a `{place}` is
    asked for each one.
    """

    option: str
    word: str
    listing: str
    name_columns: tuple[str, ...]
    properties: tuple[Property, ...]
    place: Kind | None = None
    details: Details | None = None
    hidden: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()
    introduction: str = ""

    @property
    def label(self) -> str:
        """The kind in a message."""
        return self.word.lower()

    @property
    def parts(self) -> int:
        """How many parts a name has."""
        return 1 + (self.place.parts if self.place else 0)

    def name_of(self, row: Row) -> Name:
        """Return the name of the object in a row of the listing."""
        return tuple(str(row[column]) for column in self.name_columns)

    def observed(self, row: Row) -> dict[str, Value]:
        """Return the properties in a row of the listing."""
        return self._read(row, detail=False)

    def observed_details(self, rows: Iterable[Row]) -> dict[str, Value]:
        """Return the properties that DESC tells."""
        return self._read(self.details.read(rows), detail=True) if self.details else {}

    def _read(self, row: Row, detail: bool) -> dict[str, Value]:
        return {
            option: value
            for item in self.properties
            if item.detail == detail
            for option, value in item.observed(row).items()
        }


def comment() -> Property:
    """Return the comment that nearly every kind has."""
    return text("comment")


def text(option: str, keyword: str = "", column: str = "", *, detail: bool = False, fixed: bool = False) -> Property:
    """Return a property of free text."""
    return Property(
        option,
        keyword or option.upper(),
        column or option,
        values.text,
        values.text,
        values.as_literal,
        detail=detail,
        fixed=fixed,
    )


def reference(option: str, column: str = "") -> Property:
    """Return a property that names another object."""
    return Property(
        option, option.upper(), column or option, values.reference, values.observed_reference, values.as_identifier
    )


def whole(option: str, keyword: str, column: str) -> Property:
    """Return a property that is a whole number."""
    return Property(option, keyword, column, values.whole, values.whole, values.as_keyword)


def switch(option: str, keyword: str, column: str, *, created: Value = None, detail: bool = False) -> Property:
    """Return a property that is true or false."""
    return Property(
        option, keyword, column, values.boolean, values.boolean, values.as_keyword, created=created, detail=detail
    )


def word(option: str, keyword: str, column: str, *, fixed: bool = False) -> Property:
    """Return a property that is one of a few words."""
    return Property(option, keyword, column, values.keyword, values.keyword, values.as_keyword, fixed=fixed)


def several(
    option: str,
    keyword: str,
    wanted: Wanted,
    read: Wanted,
    write: Callable[[Value], str],
    column: str = "",
) -> Property:
    """Return a property that is a set of words, which only DESC tells."""
    return Property(option, keyword, column or option, wanted, read, write, same=_same_members, detail=True)


def _same_members(wanted: Value, known: Value) -> bool:
    """An empty set is what DESC does not mention."""
    return values.members(wanted) == values.members(known)


def retention() -> Property:
    """Return the reach of Time Travel."""
    return whole("data_retention_days", "DATA_RETENTION_TIME_IN_DAYS", "retention_time")


def subject(kind: Kind, name: Name) -> str:
    """Name an object of a kind for SQL."""
    return f"{kind.word} {quote(name)}"

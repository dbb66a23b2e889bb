# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers and literals: unquoted text folds to upper case, quoted text is exact, what is sent is always quoted."""

from __future__ import annotations

import re

Name = tuple[str, ...]

MAX_LENGTH = 255
_PART = re.compile(r'"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_$]*)')
_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")
_OBSERVED_PART = re.compile(r'"((?:[^"]|"")*)"|([^".]*)')


def parse(text: str) -> Name:
    """Read a dotted name as Snowflake reads it in SQL; raises ValueError with the reason."""
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(_reason(text))
        quoted, plain = match.groups()
        part = plain.upper() if quoted is None else quoted.replace('""', '"')
        if not 1 <= len(part) <= MAX_LENGTH or "\0" in part:
            raise ValueError(f"each part of a name has 1 to {MAX_LENGTH} characters, none of them NUL")
        parts.append(part)
        position = match.end()
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            raise ValueError(_reason(text))
        position += 1


def _reason(text: str) -> str:
    return (
        f"{text!r} is not a name: letters, digits, _ and $, not beginning with a digit; "
        'put double quotes around any other part, as in RAW."my table"'
    )


def parse_observed(text: str) -> Name:
    """Read a name out of SHOW output, where unquoted text is exact and `<TABLE>` stands for a future object."""
    parts: list[str] = []
    position = 0
    while True:
        match = _OBSERVED_PART.match(text, position)
        if match is None:
            return (text,)
        quoted, plain = match.groups()
        parts.append(plain if quoted is None else quoted.replace('""', '"'))
        position = match.end()
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            return (text,)
        position += 1


def quote(name: Name) -> str:
    """Write a name for SQL, every part quoted."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


def show(name: Name) -> str:
    """Write a name for people: quoted only where it has to be. `parse` reads it back."""
    return ".".join(part if _PLAIN.fullmatch(part) else quote((part,)) for part in name)


def literal(text: str) -> str:
    """Write a string literal for SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in options: what they name, and the error that says where one is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .errors import InvalidInputError
from .identifiers import Name, parse

Options = Mapping[str, Any]
_FORMS = {1: "NAME", 2: "DATABASE.NAME", 3: "DATABASE.SCHEMA.NAME"}


def name_at(path: str, text: Any, parts: int | Iterable[int]) -> Name:
    """Read a name of so many parts; raises InvalidInputError with its path."""
    allowed = (parts,) if isinstance(parts, int) else tuple(parts)
    try:
        name = parse(str(text))
    except ValueError as error:
        raise InvalidInputError(path, str(error)) from error
    if len(name) not in allowed:
        forms = " or ".join(_FORMS[count] for count in allowed)
        raise InvalidInputError(path, f"{text!r} has {len(name)} part(s); expected {forms}")
    return name


def present(item: Options) -> bool:
    """Return whether an entry describes something that should be there."""
    return bool(item.get("state", "present") == "present")


def one_of(item: Options, path: str, *options: str) -> str:
    """Return which of the options is given; raises InvalidInputError unless it is exactly one."""
    given = [option for option in options if item.get(option)]
    if len(given) != 1:
        named = f"{', '.join(options[:-1])} and {options[-1]}"
        raise InvalidInputError(path, f"exactly one of {named} is needed; given: {' and '.join(given) or 'none'}")
    return given[0]


def path_of(text: Any) -> Path:
    """Return a path with the home directory in place of ~, as it is where there is no such user."""
    try:
        return Path(str(text)).expanduser()
    except RuntimeError:
        return Path(str(text))

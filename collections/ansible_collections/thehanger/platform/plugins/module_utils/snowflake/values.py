# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of properties: one form for what is wanted and for what SHOW prints."""

from __future__ import annotations

import re
from typing import Any, Union

from .identifiers import literal, parse, parse_observed, quote, show

Value = Union[str, int, bool, None]  # noqa: UP007  (the sanity test cannot follow | here)

_SIZES = {"2XLARGE": "XXLARGE", "X2LARGE": "XXLARGE", "3XLARGE": "XXXLARGE", "X3LARGE": "XXXLARGE"}
SIZES = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE", "X5LARGE", "X6LARGE")


def text(value: Any) -> str:
    """Normalise free text; SHOW prints none as NULL or as nothing."""
    return "" if value is None else str(value)


def boolean(value: Any) -> bool:
    """Normalise a truth value; SHOW prints `true`, `Y` or a boolean, depending on the column."""
    return str(value).lower() in ("true", "y", "yes", "1")


def observed_suspension(value: Any) -> bool:
    """Normalise the state of a warehouse; one that goes to sleep or wakes up counts as there already."""
    return str(value).upper() in ("SUSPENDED", "SUSPENDING")


def seconds(value: Any) -> int:
    """Normalise a number of seconds, 0 for never."""
    return 0 if _missing(value) else int(value)


def warehouse_size(value: Any) -> str:
    """Normalise a size: X-Small, x-small and XSMALL are one; raises ValueError for what is none."""
    size = re.sub(r"[-_ ]", "", str(value)).upper()
    size = _SIZES.get(size, re.sub(r"^([456])X", r"X\1", size))
    if size not in SIZES:
        raise ValueError(f"{value!r} is not a size; sizes are {', '.join(SIZES)}")
    return size


def observed_size(value: Any) -> str:
    """Normalise a size that SHOW printed, also one that is not known here."""
    try:
        return warehouse_size(value)
    except ValueError:
        return str(value)


def user_type(value: Any) -> str:
    """Normalise the type of a user; SHOW prints none for a person."""
    return "PERSON" if _missing(value) else str(value).upper()


def reference(value: Any) -> str | None:
    """Normalise the name of another object, nothing for none; raises ValueError for what is no name."""
    return show(parse(value)) if value else None


def observed_reference(value: Any) -> str | None:
    """Normalise the name of another object that SHOW printed."""
    return None if _missing(value) else show(parse_observed(str(value)))


def observed_text(value: Any) -> str | None:
    """Normalise text that SHOW prints as nothing or as `null` where there is none."""
    return None if _missing(value) else str(value)


def as_literal(value: Value) -> str:
    """Write text for SQL."""
    return literal(str(value))


def as_keyword(value: Value) -> str:
    """Write a number, a truth value or a keyword for SQL."""
    return str(value).upper()


def as_identifier(value: Value) -> str:
    """Write the name of another object for SQL."""
    return quote(parse(str(value)))


def _missing(value: Any) -> bool:
    return value is None or str(value).lower() in ("", "null")

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of properties: one form for what is wanted and for what SHOW prints."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any, Union

from .identifiers import literal, parse, parse_observed, quote, show

Value = Union[str, int, bool, tuple[str, ...], None]  # noqa: UP007  (the sanity test cannot follow | here)

_SIZES = {"2XLARGE": "XXLARGE", "X2LARGE": "XXLARGE", "3XLARGE": "XXXLARGE", "X3LARGE": "XXXLARGE"}
_TRIGGER_ACTIONS = ("NOTIFY", "SUSPEND", "SUSPEND_IMMEDIATE")
TRIGGER_COLUMNS = ("notify_at", "suspend_at", "suspend_immediately_at")
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


def observed_managed_access(value: Any) -> bool:
    """Normalise the options of a schema."""
    return "MANAGED ACCESS" in str(value).upper()


def whole(value: Any) -> int:
    """Normalise a whole number; SHOW prints 0 as nothing in some columns."""
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


def keyword(value: Any) -> str | None:
    """Normalise a word out of a fixed list."""
    return None if _missing(value) else str(value).upper()


def credits_(value: Any) -> int:
    """Normalise a number of credits; raises ValueError where Snowflake would take it for no limit at all."""
    if int(value) < 1:
        raise ValueError("a quota is at least 1 credit")
    return int(value)


def observed_credits(value: Any) -> Value:
    """Normalise a quota that SHOW printed, such as 20.00; one with a fraction stays as it is."""
    if _missing(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else str(value)


def triggers(value: Any) -> str:
    """Normalise triggers, which are given as {at, do}; raises ValueError for what no monitor can have."""
    found = sorted((int(item["at"]), str(item["do"]).upper()) for item in value)
    if not found:
        raise ValueError("Snowflake cannot take the last trigger from a monitor; leave the option out")
    if any(percent < 1 for percent, action in found):
        raise ValueError("a threshold is at least 1 percent of the quota")
    for action, most in (("NOTIFY", 5), ("SUSPEND", 1), ("SUSPEND_IMMEDIATE", 1)):
        if sum(1 for _percent, other in found if other == action) > most:
            raise ValueError(f"a monitor has at most {most} trigger(s) that {action.lower()}")
    return _triggers_text(found)


def observed_triggers(columns: Any) -> str | None:
    """Normalise triggers that SHOW printed in a column for each action, such as 80%,90%."""
    found = [
        (int(percent), action)
        for action, shown in zip(_TRIGGER_ACTIONS, columns, strict=True)
        for percent in re.findall(r"(\d+)%", str(shown or ""))
    ]
    return _triggers_text(sorted(found)) or None


def as_triggers(value: Value) -> str:
    """Write triggers for SQL."""
    pairs = (item.split("% ") for item in str(value).split(", "))
    return "TRIGGERS " + " ".join(f"ON {percent} PERCENT DO {action.upper()}" for percent, action in pairs)


def _triggers_text(found: list[tuple[int, str]]) -> str:
    return ", ".join(f"{percent}% {action.lower()}" for percent, action in dict.fromkeys(found))


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


def members(value: Value) -> tuple[str, ...]:
    """Return what a set of words holds, nothing where there is no set."""
    return value if isinstance(value, tuple) else ()


def words(value: Any) -> tuple[str, ...]:
    """Normalise a set of words: their order means nothing."""
    return tuple(sorted({str(item) for item in value}))


def keywords(value: Any) -> tuple[str, ...]:
    """Normalise a set of words without regard to case."""
    return words(str(item).upper() for item in value)


def addresses(value: Any) -> tuple[str, ...]:
    """Normalise IPv4 addresses and networks; raises ValueError for what is none."""
    for item in value:
        ipaddress.IPv4Network(str(item))
    return words(value)


def references(value: Any) -> tuple[str, ...]:
    """Normalise names of other objects; raises ValueError for what is no name."""
    return words(show(parse(str(item))) for item in value)


def observed_words(value: Any) -> tuple[str, ...]:
    """Normalise a set that SHOW or DESC printed: `a,b`, `[A, B]`, JSON, or nothing."""
    if _missing(value):
        return ()
    text_ = str(value)
    try:
        found = json.loads(text_)
    except ValueError:
        found = [item.strip(" '\"") for item in text_.strip("[]").split(",")]
    return words(item for item in (found if isinstance(found, list) else [text_]) if item)


def observed_rules(value: Any) -> tuple[str, ...]:
    """Normalise the names of network rules, which DESC prints as JSON objects."""
    if _missing(value):
        return ()
    found = json.loads(str(value))
    return words(show(parse_observed(str(item["fullyQualifiedRuleName"]))) for item in found)


def format_options(value: Any) -> tuple[str, ...]:
    """Normalise the options of a file format; raises ValueError for a name that is none."""
    for name in value:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(name)) or str(name).upper() == "TYPE":
            raise ValueError(f"{name!r} is not an option of a file format")
    return words(f"{str(name).upper()} = {_format_value(item)}" for name, item in value.items())


def observed_format_options(value: Any) -> tuple[str, ...]:
    """Normalise the options that SHOW printed as JSON."""
    return () if _missing(value) else format_options({k: v for k, v in json.loads(str(value)).items() if k != "TYPE"})


def _format_value(value: Any) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(literal(str(item)) for item in value) + ")"
    if isinstance(value, bool | int):
        return str(value).upper()
    text_ = str(value)
    return text_.upper() if re.fullmatch("true|false|none|auto|[0-9]+", text_, re.IGNORECASE) else literal(text_)


def covers(wanted: Value, known: Value) -> bool:
    """Return whether everything that is wanted stands, whatever else there is."""
    return set(members(wanted)) <= set(members(known))


def as_literals(value: Value) -> str:
    """Write a set of words for SQL."""
    return "(" + ", ".join(literal(item) for item in members(value)) + ")"


def as_identifiers(value: Value) -> str:
    """Write a set of names for SQL."""
    return "(" + ", ".join(quote(parse(item)) for item in members(value)) + ")"


def as_format_options(value: Value) -> str:
    """Write the options of a file format for SQL."""
    return " ".join(members(value))


def _missing(value: Any) -> bool:
    return value is None or str(value).lower() in ("", "null")

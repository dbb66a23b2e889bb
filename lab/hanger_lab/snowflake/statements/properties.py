"""Checks for the values of object properties: each takes what was written and returns what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.parser import Properties, Value

Check = Callable[[str, Value], Value]


def text(name: str, value: Value) -> Value:
    """Accept a string."""
    if value is None or isinstance(value, str):
        return value
    raise errors.invalid_value(value, name)


def boolean(name: str, value: Value) -> Value:
    """Accept TRUE or FALSE, also in quotes."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.upper() in ("TRUE", "FALSE"):
        return value.upper() == "TRUE"
    raise errors.invalid_value(value, name)


def integer(low: int, high: int) -> Check:
    """Accept a whole number from `low` to `high`, or NULL."""

    def check(name: str, value: Value) -> Value:
        if value is None:
            return value
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise errors.invalid_value(value, name)

    return check


def choice(*allowed: str, aliases: Mapping[str, str] | None = None) -> Check:
    """Accept one of these words in any case."""

    def check(name: str, value: Value) -> Value:
        if isinstance(value, str):
            word = value.strip('"').upper()
            word = (aliases or {}).get(word, word)
            if word in allowed:
                return word
        raise errors.invalid_value(value, name)

    return check


def identifier(name: str, value: Value) -> Value:
    """Accept a name, in quotes or not; an empty one means none."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            return names.show(names.split(value))
        except ValueError:
            pass
    raise errors.invalid_value(value, name)


def words(*allowed: str) -> Check:
    """Accept a list of these words."""

    def check(name: str, value: Value) -> Value:
        found = value if isinstance(value, list) else [value]
        folded: list[Value] = [item.upper() for item in found if isinstance(item, str)]
        if len(folded) != len(found) or any(item not in allowed for item in folded):
            raise errors.invalid_value(value, name)
        return folded

    return check


def checked(kind: str, given: Properties, known: Mapping[str, Check]) -> Properties:
    """Check every property that was given; raises for unknown ones."""
    result: Properties = {}
    for name, value in given.items():
        if name not in known:
            raise errors.invalid_property(name, kind)
        result[name] = known[name](name, value)
    return result

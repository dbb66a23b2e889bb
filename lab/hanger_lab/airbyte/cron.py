"""Quartz cron expressions as Airbyte takes them: validated, in UTC, at most hourly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from hanger_lab.airbyte.errors import unprocessable

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (
    ("seconds", 0, 59, ()),
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 1, 7, DAYS),
    ("year", 1970, 2099, ()),
)
PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
ZONE = "UTC"


@dataclass(frozen=True)
class Schedule:
    """The sets of allowed values of each field."""

    expression: str
    fields: tuple[frozenset[int], ...]

    def due(self, moment: datetime) -> bool:
        """Tell whether the schedule fires in this second."""
        at = moment.astimezone(UTC)
        weekday = at.isoweekday() % 7 + 1
        values = (at.second, at.minute, at.hour, at.day, at.month, weekday, at.year)
        return all(value in allowed for value, allowed in zip(values, self.fields, strict=True))


def parse(text: str) -> Schedule:
    """Read an expression, with or without its zone; raise the problem of status 422 that names the field."""
    expression = " ".join(text.split())
    parts = expression.split()
    if len(parts) > 6 and re.fullmatch(r"[A-Za-z_/+-]+", parts[-1]) and parts[-1] != "*":
        zone = parts.pop()
        if zone != ZONE:
            raise _refused(text, f"time zone {zone} is not supported, only {ZONE}")
    if len(parts) not in (6, 7):
        raise _refused(text, "a Quartz expression has 6 or 7 fields: seconds minutes hours day month weekday [year]")
    if (parts[3] == "?") == (parts[5] == "?"):
        raise _refused(text, "either day of month or day of week must be '?'")
    complete = [*parts, "*"] if len(parts) == 6 else parts
    fields = tuple(_values(text, part, *field) for part, field in zip(complete, FIELDS, strict=True))
    if len(fields[0]) > 1 or len(fields[1]) > 1:
        raise _refused(text, "it fires more often than once an hour")
    return Schedule(" ".join(parts), fields)


def normalised(text: str) -> str:
    """Return an expression as Airbyte answers it, with its zone."""
    return f"{parse(text).expression} {ZONE}"


def _values(text: str, part: str, field: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    if part == "?":
        if not field.startswith("day"):
            raise _refused(text, f"'?' is not allowed in {field}")
        return frozenset(range(low, high + 1))
    found: set[int] = set()
    for piece in part.split(","):
        match = PART.fullmatch(piece)
        if match is None:
            raise _refused(text, f"'{piece}' in {field} is not supported")
        every, first, last, step = match.groups()
        start = low if every else _number(text, first, field, low, high, names)
        end = high if every or (step and not last) else start
        end = _number(text, last, field, low, high, names) if last else end
        found |= set(range(start, end + 1, max(1, int(step or 1))))
    if not found:
        raise _refused(text, f"'{part}' in {field} never happens")
    return frozenset(found)


def _number(text: str, value: str, field: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if value.upper() in names:
        return names.index(value.upper()) + low
    if not value.isdigit() or not low <= int(value) <= high:
        raise _refused(text, f"'{value}' is no {field} between {low} and {high}")
    return int(value)


def _refused(text: str, reason: str) -> Exception:
    return unprocessable(f"schedule.cronExpression: '{text}' cannot be used: {reason}")

"""When a resource monitor begins to count anew.

By docs.snowflake.com/en/sql-reference/sql/create-resource-monitor: without a frequency at the beginning of each
calendar month, otherwise counted from the day of START_TIMESTAMP; always at midnight UTC. Times are seconds since 1970.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone

from hanger_lab.snowflake.parser import Properties

_ZONES = {"": 0, "Z": 0, "UTC": 0, "GMT": 0, "PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CST": -6, "CDT": -5,
          "EST": -5, "EDT": -4, "CET": 1, "CEST": 2}  # fmt: skip


def parse(text: str) -> float:
    """Read a timestamp with an optional zone by name; UTC without one. Raises ValueError."""
    match = re.fullmatch(r"\s*(.*?\d)\s*([A-Za-z]*)\s*", text)
    if match is None or match[2].upper() not in _ZONES:
        raise ValueError(f"not a timestamp: {text!r}")
    found = datetime.fromisoformat(match[1])
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone(timedelta(hours=_ZONES[match[2].upper()])))
    return found.timestamp()


def beginning(properties: Properties, created: float) -> float:
    """When the monitor counts for the first time."""
    text = properties.get("START_TIMESTAMP")
    return created if not isinstance(text, str) or text.upper() == "IMMEDIATELY" else parse(text)


def ending(properties: Properties) -> float | None:
    """When the monitor suspends its warehouses whatever they have used; None for never."""
    text = properties.get("END_TIMESTAMP")
    return parse(text) if isinstance(text, str) else None


def current(properties: Properties, created: float, now: float) -> float:
    """The beginning of the interval that `now` belongs to."""
    first = beginning(properties, created)
    frequency = properties.get("FREQUENCY")
    if frequency == "NEVER" or now < first:
        return first
    today = _midnight(now)
    day = _midnight(first)
    if frequency == "DAILY":
        start = today
    elif frequency == "WEEKLY":
        start = today - timedelta(days=(today - day).days % 7)
    elif frequency == "YEARLY":
        start = _in_month(today.year, day.month, day.day)
        start = start if start <= today else _in_month(today.year - 1, day.month, day.day)
    else:
        which = day.day if frequency == "MONTHLY" and "START_TIMESTAMP" in properties else 1
        start = _in_month(today.year, today.month, which)
        if start > today:
            before = today.replace(day=1) - timedelta(days=1)
            start = _in_month(before.year, before.month, which)
    return max(first, start.timestamp())


def _midnight(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _in_month(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, min(day, calendar.monthrange(year, month)[1]), tzinfo=UTC)

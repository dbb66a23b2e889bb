"""Users who are locked out for a while, or for good: too many wrong passwords, a day that has passed.

Rules: docs.snowflake.com/en/sql-reference/sql/create-user (DAYS_TO_EXPIRY, MINS_TO_UNLOCK) and .../user-guide/
password-authentication: five wrong passwords lock a user for 15 minutes.
"""

from __future__ import annotations

import math

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.parser import Properties

MOST_FAILURES = 5
LOCK_SECONDS = 15 * 60
_FAILURES = "FAILED_LOGINS"
_LOCKED = "LOCKED_UNTIL"
_EXPIRES = "EXPIRES_AT"


def resolve(properties: Properties, now: float) -> Properties:
    """Add the times that minutes and days of a statement mean."""
    found = dict(properties)
    if "MINS_TO_UNLOCK" in found:
        minutes = found["MINS_TO_UNLOCK"]
        found[_LOCKED] = now + minutes * 60 if isinstance(minutes, int) and minutes > 0 else None
        found[_FAILURES] = 0
    if "DAYS_TO_EXPIRY" in found:
        days = found["DAYS_TO_EXPIRY"]
        found[_EXPIRES] = now + days * 86_400 if isinstance(days, int) else None
    return found


def follow(user: Securable) -> None:
    """Forget the times of what was unset; the user must be saved afterwards."""
    pairs = ((_LOCKED, "MINS_TO_UNLOCK"), (_EXPIRES, "DAYS_TO_EXPIRY"))
    gone = [time for time, source in pairs if time in user.properties and source not in user.properties]
    user.properties = {name: value for name, value in user.properties.items() if name not in gone}


def require_open(user: Securable, now: float) -> None:
    """Refuse a user who is disabled, has expired or is locked out."""
    expires = expires_at(user)
    if user.properties.get("DISABLED") is True or (expires is not None and now >= expires):
        raise errors.SnowflakeError(390101, "08001", "User access disabled. Contact your local system administrator.")
    if locked_until(user, now) is not None:
        raise errors.SnowflakeError(
            390102,
            "08001",
            "Your user account has been temporarily locked due to too many failed attempts. Try again later or contact "
            "your account administrator for assistance.",
        )


def failed(user: Securable, now: float) -> None:
    """Count a wrong password; the user must be saved afterwards."""
    count = user.properties.get(_FAILURES)
    failures = (count if isinstance(count, int) else 0) + 1
    locks = failures >= MOST_FAILURES
    changes: Properties = {_FAILURES: 0 if locks else failures}
    if locks:
        changes |= {_LOCKED: now + LOCK_SECONDS, "MINS_TO_UNLOCK": LOCK_SECONDS // 60}
    user.properties = {**user.properties, **changes}


def has_failures(user: Securable) -> bool:
    """Whether wrong passwords are counted against a user."""
    return bool(user.properties.get(_FAILURES))


def forgive(user: Securable) -> None:
    """Forget the wrong passwords of a user who has logged in; the user must be saved afterwards."""
    user.properties = {**user.properties, _FAILURES: 0}


def locked_until(user: Securable, now: float) -> float | None:
    """When the lock ends; None for no lock."""
    until = user.properties.get(_LOCKED)
    return until if isinstance(until, float) and now < until else None


def expires_at(user: Securable) -> float | None:
    """When the user expires; None for never."""
    until = user.properties.get(_EXPIRES)
    return until if isinstance(until, float) else None


def minutes_left(user: Securable, now: float) -> int | None:
    """Minutes until the lock ends, rounded up."""
    until = locked_until(user, now)
    return None if until is None else math.ceil((until - now) / 60)


def days_left(user: Securable, now: float) -> str | None:
    """Days until the user expires, with a fraction."""
    until = expires_at(user)
    return None if until is None else f"{(until - now) / 86_400:.6f}"

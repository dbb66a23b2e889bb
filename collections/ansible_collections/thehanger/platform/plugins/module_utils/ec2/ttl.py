# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tag hanger_ttl: until when something is wanted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def expiry(text: str) -> datetime:
    """Read an ISO 8601 date, which lasts until its end, or time; without an offset it is UTC. Raises ValueError."""
    text = text.strip()
    moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1) if _DATE.fullmatch(text) else moment


def has_expired(text: str, now: datetime) -> bool:
    """Tell whether a time has passed; none never passes, and what is no time is not acted upon."""
    try:
        return bool(text) and expiry(text) <= now
    except ValueError:
        return False

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that end a module with a message of their own."""

from __future__ import annotations

from typing import Any


class SnowflakeError(Exception):
    """Something that a person can act on; `details` become keys of the failed result."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInputError(SnowflakeError):
    """An option holds what cannot be meant; the message starts with the option's path."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


# Snowflake's number for an action that the role may not take on an object that it may see.
INSUFFICIENT = 3001
# And for an object that is not there, or that the role may not see.
MISSING = 2003

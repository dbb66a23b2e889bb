# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the Airbyte modules; every message says what to do or what was refused."""

from __future__ import annotations


class AirbyteError(Exception):
    """Anything that keeps a module from doing its work; `details` are added to the module's failure."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class UnreachableError(AirbyteError):
    """Nothing answered at the address, or not in time."""


class TimedOutError(UnreachableError):
    """The connection stands, but the answer did not come in time; asking again would only wait again."""


class CredentialsError(AirbyteError):
    """Airbyte refused the client id and secret."""


class ApiError(AirbyteError):
    """Airbyte answered with an error status."""

    def __init__(self, message: str, status: int, **details: object) -> None:
        super().__init__(message, status=status, **details)
        self.status = status


def perhaps_done(error: AirbyteError) -> bool:
    """Tell whether a request that ended so may have been carried out all the same."""
    return isinstance(error, UnreachableError) or (isinstance(error, ApiError) and error.status >= 500)

# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed login means, in words that say what to do."""

from __future__ import annotations

import re

from .connection import Connection
from .credentials import KEY_PAIR, OAUTH, TOKEN
from .errors import SnowflakeError

_ROLE = ("390186", "390189")
_NETWORK_POLICY = ("390420", "390422")
_SECOND_FACTOR = ("390127", "390197", "394507", "394508", "394509")
# An answer of HTTP 403 or 404: no account of that name is served at the endpoint.
_NO_ACCOUNT = (540001, 290403, 290404)
# The connector has tried until the time was over.
UNANSWERED = (250001, 250003, 250005, 251011)


def login_error(error: Exception, connection: Connection, shown: str) -> SnowflakeError:
    """Return the error for a login that failed; `shown` is the fingerprint where it was tried with a key."""
    text, errno = message_of(error), errno_of(error)
    code = re.search(r"\b39\d{4}\b", f"{errno} {text}")
    user = f"user {connection.user}" if connection.user else "the token's user"
    who = f"{user} of account {connection.account} at {connection.address}"
    if code is None and errno in _NO_ACCOUNT:
        hint = (
            f"There is no account {connection.account} at {connection.address}. Check the option account; in "
            "Snowsight it stands under the menu of the account, as organization-account."
        )
    elif code is None and errno in UNANSWERED:
        hint = (
            f"No usable answer to the login of {who} within login_timeout ({connection.login_timeout} s). "
            "Check account, host and port, and what stands between."
        )
    elif code is None:
        hint = f"Login of {who} failed."
    elif code.group() in _ROLE:
        hint = f"Role {connection.role} is not granted to {who}, or does not exist."
    elif code.group() in _NETWORK_POLICY:
        hint = f"A network policy does not let this host in as {who}."
    elif code.group() in _SECOND_FACTOR:
        hint = f"{who} needs a second factor: set passcode to the code that the authenticator shows now."
    else:
        hint = _refused(connection, who, shown)
    return SnowflakeError(f"{hint} Answer: {text}", errno=errno)


def _refused(connection: Connection, who: str, shown: str) -> str:
    if connection.method == KEY_PAIR:
        return (
            f"Snowflake refused the key of {who}. The key in {connection.source} has the fingerprint {shown}; "
            f"DESC USER {connection.user} shows which one is registered (RSA_PUBLIC_KEY_FP). "
            "Also check the account, whether the user exists and is enabled, and this host's clock."
        )
    if connection.method == TOKEN:
        return (
            f"Snowflake refused the programmatic access token of {who}, which came from {connection.source}. Check "
            "that it is one of this user and not expired or disabled (SHOW USER PROGRAMMATIC ACCESS TOKENS), that a "
            "network policy stands on a service user, and that an access token of OAuth has authenticator oauth."
        )
    if connection.method == OAUTH:
        return (
            f"Snowflake refused the OAuth access token of {who}, which came from {connection.source}. Such tokens "
            "are short-lived: get a new one. Also check that a security integration accepts its issuer."
        )
    return (
        f"Snowflake refused the password of {who}, which came from {connection.source}. Check user, account and "
        "whether the user is enabled. A service user has no password: give it a key pair."
    )


def message_of(error: Exception) -> str:
    """Return the message of an error on one line."""
    return " ".join(str(getattr(error, "msg", None) or error).split())


def errno_of(error: Exception) -> int | None:
    """Return the number of an error, which the connector has as a number or as text."""
    try:
        return int(str(getattr(error, "errno", None)))
    except ValueError:
        return None

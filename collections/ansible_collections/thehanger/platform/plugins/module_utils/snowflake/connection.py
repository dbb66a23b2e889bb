# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach an account: the connection options, checked before anybody is called."""

from __future__ import annotations

import re
import socket
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..addresses import is_private
from .errors import InvalidInputError, SnowflakeError
from .identifiers import parse, show

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_REACH_TIMEOUT = 10


@dataclass(frozen=True)
class Connection:
    """A checked connection; `key` is the private key as it stands in its file."""

    account: str
    user: str
    host: str
    port: int
    protocol: str
    key: bytes
    key_source: str
    passphrase: bytes | None = None
    role: str | None = None
    warehouse: str | None = None
    login_timeout: int = 30
    network_timeout: int = 120

    @property
    def address(self) -> str:
        """The endpoint as a person writes it."""
        return f"{self.protocol}://{self.host}:{self.port}"


def read_connection(options: Mapping[str, Any]) -> Connection:
    """Check the connection options; raises SnowflakeError naming the option and what to do."""
    account = str(options["account"])
    if not _ACCOUNT.fullmatch(account):
        raise InvalidInputError("account", f"{account!r} is not an account identifier such as myorg-myaccount")
    host = options.get("host") or f"{account.lower()}.snowflakecomputing.com"
    if not _HOST.fullmatch(host):
        raise InvalidInputError("host", f"{host!r} is not a host name; give it without scheme and path")
    protocol = options.get("protocol") or "https"
    if protocol == "http" and not is_private(host):
        raise InvalidInputError(
            "protocol", f"http would send tokens in clear to {host}; it is for loopback and private addresses only"
        )
    port = options["port"] if options.get("port") is not None else (443 if protocol == "https" else 80)
    if not 1 <= port <= 65535:
        raise InvalidInputError("port", f"{port} is not between 1 and 65535")
    for option in ("login_timeout", "network_timeout"):
        if options[option] < 1:
            raise InvalidInputError(option, "at least one second is needed")
    key, source = _read_key(options)
    passphrase = options.get("private_key_passphrase")
    return Connection(
        account=account,
        user=_identifier(options, "user") or "",
        host=host,
        port=port,
        protocol=protocol,
        key=key,
        key_source=source,
        passphrase=passphrase.encode() if passphrase else None,
        role=_identifier(options, "role"),
        warehouse=_identifier(options, "warehouse"),
        login_timeout=options["login_timeout"],
        network_timeout=options["network_timeout"],
    )


def check_reachable(connection: Connection) -> None:
    """Fail within seconds where nothing listens; left to the connector where a proxy stands in between."""
    proxies = urllib.request.getproxies()
    if connection.protocol in proxies and not urllib.request.proxy_bypass(connection.host):
        return
    try:
        timeout = min(connection.login_timeout, _REACH_TIMEOUT)
        socket.create_connection((connection.host, connection.port), timeout=timeout).close()
    except OSError as error:
        raise SnowflakeError(
            f"Snowflake does not answer at {connection.address}: {error}. "
            "Check account, host and port, and whether this host may reach it."
        ) from error


def _identifier(options: Mapping[str, Any], option: str) -> str | None:
    text = options.get(option)
    if not text:
        return None
    try:
        name = parse(text)
    except ValueError as error:
        raise InvalidInputError(option, str(error)) from error
    if len(name) != 1:
        raise InvalidInputError(option, f"{text!r} has {len(name)} parts; expected one name")
    return show(name)


def _read_key(options: Mapping[str, Any]) -> tuple[bytes, str]:
    content = options.get("private_key_content")
    if content:
        return str(content).encode(), "private_key_content"
    if not options.get("private_key_path"):
        raise SnowflakeError(
            "No private key: set private_key_path (or SNOWFLAKE_PRIVATE_KEY_PATH), or private_key_content. "
            + _how_to_make("snowflake.p8", str(options["user"]))
        )
    path = Path(options["private_key_path"]).expanduser()
    source = f"private_key_path {path}"
    try:
        return path.read_bytes(), source
    except FileNotFoundError as error:
        raise SnowflakeError(f"{source} does not exist. {_how_to_make(str(path), str(options['user']))}") from error
    except OSError as error:
        raise SnowflakeError(f"{source} cannot be read: {error.strerror}.") from error


def _how_to_make(path: str, user: str) -> str:
    public = re.sub(r"\.p8$", "", path) + ".pub"
    return (
        f"Make one with: openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt -out {path} && chmod 600 {path} && "
        f"openssl rsa -in {path} -pubout -out {public}; "
        f"then run in Snowflake: ALTER USER {user} SET RSA_PUBLIC_KEY = '<the text of {public} between its marks>'."
    )

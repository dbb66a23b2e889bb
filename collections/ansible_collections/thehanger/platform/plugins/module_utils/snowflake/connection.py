# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach an account: the connection options, checked before anybody is called."""

from __future__ import annotations

import os
import re
import socket
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..addresses import is_private
from .credentials import KEY_PAIR, OAUTH, TOKEN, WITHOUT_USER, Settings, read_settings, read_token
from .entries import path_of
from .errors import InvalidInputError, SnowflakeError
from .identifiers import parse, show

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_REACH_TIMEOUT = 10


@dataclass(frozen=True)
class Connection:
    """A checked connection; `key` is the private key as it stands in its file, `credential` what another way needs."""

    account: str
    user: str
    host: str
    port: int
    protocol: str
    method: str = KEY_PAIR
    source: str = ""
    key: bytes = field(default=b"", repr=False)
    passphrase: bytes | None = field(default=None, repr=False)
    credential: Mapping[str, str] = field(default_factory=dict, repr=False)
    role: str | None = None
    warehouse: str | None = None
    login_timeout: int = 30
    network_timeout: int = 120

    @property
    def address(self) -> str:
        """The endpoint as a person writes it."""
        return f"{self.protocol}://{self.host}:{self.port}"

    @property
    def secrets(self) -> frozenset[str]:
        """Return what must not be shown, wherever it came from."""
        return frozenset(self.credential.values()) | {
            part.decode(errors="replace") for part in (self.key, self.passphrase) if part
        }


def read_connection(
    options: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> Connection:
    """Check the connection options; raises SnowflakeError naming the option and what to do."""
    for option in ("login_timeout", "network_timeout"):
        if options[option] < 1:
            raise InvalidInputError(option, "at least one second is needed")
    settings = read_settings(options, os.environ if environ is None else environ, warn)
    named, values = settings.named, settings.values
    account = str(_needed(settings, "account", "the identifier of the account, such as myorg-myaccount"))
    if not _ACCOUNT.fullmatch(account):
        raise InvalidInputError(named["account"], f"{account!r} is not an account identifier such as myorg-myaccount")
    if settings.method not in WITHOUT_USER:
        _needed(settings, "user", "the user who logs in")
    host = str(values.get("host") or f"{account.lower()}.snowflakecomputing.com")
    if not _HOST.fullmatch(host):
        raise InvalidInputError(named["host"], f"{host!r} is not a host name; give it without scheme and path")
    protocol = str(values.get("protocol") or "https")
    if protocol not in ("https", "http"):
        raise InvalidInputError(named["protocol"], f"{protocol!r} is neither https nor http")
    if protocol == "http" and not is_private(host):
        raise InvalidInputError(
            named["protocol"],
            f"http would send tokens in clear to {host}; it is for loopback and private addresses only",
        )
    return Connection(
        account=account,
        user=_identifier(settings, "user") or "",
        host=host,
        port=_port(settings, 443 if protocol == "https" else 80),
        protocol=protocol,
        role=_identifier(settings, "role"),
        warehouse=_identifier(settings, "warehouse"),
        login_timeout=options["login_timeout"],
        network_timeout=options["network_timeout"],
        method=settings.method,
        **_credential(settings),
    )


def _needed(settings: Settings, option: str, what: str) -> Any:
    value = settings.values.get(option)
    if not value:
        raise InvalidInputError(
            option, f"{what}, is missing; give it, or SNOWFLAKE_{option.upper()}, or a connection_name that has it"
        )
    return value


def _port(settings: Settings, usual: int) -> int:
    text = settings.values.get("port", usual)
    try:
        port = int(text)
    except (TypeError, ValueError):
        port = 0
    if not 1 <= port <= 65535:
        raise InvalidInputError(settings.named["port"], f"{text} is not between 1 and 65535")
    return port


def _credential(settings: Settings) -> dict[str, Any]:
    values, named = settings.values, settings.named
    if settings.method == KEY_PAIR:
        key, source = _read_key(settings)
        passphrase = values.get("private_key_passphrase")
        return {"key": key, "source": source, "passphrase": str(passphrase).encode() if passphrase else None}
    if settings.method in (TOKEN, OAUTH):
        source = named["token"] if values.get("token") else f"{named['token_file_path']}: {values['token_file_path']}"
        return {"source": source, "credential": {"token": read_token(settings)}}
    passcode = values.get("passcode")
    found = {"password": str(values["password"]), **({"passcode": str(passcode)} if passcode else {})}
    return {"source": named["password"], "credential": found}


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


def _identifier(settings: Settings, option: str) -> str | None:
    text = settings.values.get(option)
    if not text:
        return None
    try:
        name = parse(str(text))
    except ValueError as error:
        raise InvalidInputError(settings.named[option], str(error)) from error
    if len(name) != 1:
        raise InvalidInputError(settings.named[option], f"{text!r} has {len(name)} parts; expected one name")
    return show(name)


def _read_key(settings: Settings) -> tuple[bytes, str]:
    values, named = settings.values, settings.named
    content = values.get("private_key_content")
    if content:
        return str(content).encode(), named["private_key_content"]
    path = path_of(values["private_key_path"])
    source = f"{named['private_key_path']} {path}"
    try:
        return path.read_bytes(), source
    except FileNotFoundError as error:
        raise SnowflakeError(f"{source} does not exist. {_how_to_make(str(path), str(values['user']))}") from error
    except OSError as error:
        raise SnowflakeError(f"{source} cannot be read: {error.strerror}.") from error


def _how_to_make(path: str, user: str) -> str:
    public = re.sub(r"\.p8$", "", path) + ".pub"
    return (
        f"Make one with: openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt -out {path} && chmod 600 {path} && "
        f"openssl rsa -in {path} -pubout -out {public}; "
        f"then run in Snowflake: ALTER USER {user} SET RSA_PUBLIC_KEY = '<the text of {public} between its marks>'."
    )

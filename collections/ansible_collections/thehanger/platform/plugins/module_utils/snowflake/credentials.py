# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each setting of a connection comes from, and which one way of logging in they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .entries import path_of
from .errors import InvalidInputError, SnowflakeError
from .profiles import read_profile

KEY_PAIR = "snowflake_jwt"
TOKEN = "programmatic_access_token"  # noqa: S105  (the name of a way of logging in)
OAUTH = "oauth"
PASSWORD = "snowflake"  # noqa: S105
PASSWORD_MFA = "username_password_mfa"  # noqa: S105
# For each way the options of which one has to be given; the connector's names.
METHODS: Mapping[str, tuple[str, ...]] = {
    KEY_PAIR: ("private_key_content", "private_key_path"),
    TOKEN: ("token", "token_file_path"),
    OAUTH: ("token", "token_file_path"),
    PASSWORD: ("password",),
    PASSWORD_MFA: ("password",),
}
# What an option means where no authenticator says which.
_USUAL = {option: method for method in (PASSWORD, OAUTH, TOKEN, KEY_PAIR) for option in METHODS[method]}
WITHOUT_USER = (TOKEN, OAUTH)

# As the connector, the Snowflake CLI and dbt name them; the first that is set counts.
ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "account": ("SNOWFLAKE_ACCOUNT",),
    "user": ("SNOWFLAKE_USER",),
    "host": ("SNOWFLAKE_HOST",),
    "port": ("SNOWFLAKE_PORT",),
    "protocol": ("SNOWFLAKE_PROTOCOL",),
    "role": ("SNOWFLAKE_ROLE",),
    "warehouse": ("SNOWFLAKE_WAREHOUSE",),
    "authenticator": ("SNOWFLAKE_AUTHENTICATOR",),
    "private_key_path": ("SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY_FILE"),
    "private_key_content": ("SNOWFLAKE_PRIVATE_KEY_CONTENT", "SNOWFLAKE_PRIVATE_KEY_RAW"),
    "private_key_passphrase": (
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
        "SNOWFLAKE_PRIVATE_KEY_FILE_PWD",
        "PRIVATE_KEY_PASSPHRASE",
    ),
    "token": ("SNOWFLAKE_TOKEN",),
    "token_file_path": ("SNOWFLAKE_TOKEN_FILE_PATH",),
    "password": ("SNOWFLAKE_PASSWORD",),
    "passcode": ("SNOWFLAKE_MFA_PASSCODE",),
}
DEFAULT_NAME = "SNOWFLAKE_DEFAULT_CONNECTION_NAME"
_IN_FILE: Mapping[str, tuple[str, ...]] = {
    "private_key_path": ("private_key_file", "private_key_path"),
    "private_key_content": ("private_key_raw",),
    "private_key_passphrase": ("private_key_file_pwd", "private_key_passphrase"),
}


@dataclass(frozen=True)
class Layer:
    """Settings from one place; `named` says what a person calls each of them there."""

    values: Mapping[str, Any]
    named: Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """The settings of a connection, the way of logging in, and what a person calls the settings."""

    values: Mapping[str, Any]
    named: Mapping[str, str]
    method: str


def read_settings(options: Mapping[str, Any], environ: Mapping[str, str], warn: Callable[[str], None]) -> Settings:
    """Put the settings together: the task's options, then the named connection, then the environment."""
    layers = [_task(options), *_named(options, environ, warn), _environment(environ)]
    values: dict[str, Any] = {}
    named: dict[str, str] = {}
    for option in ENVIRONMENT:
        for layer in layers:
            if _given(layer.values.get(option)):
                values[option], named[option] = layer.values[option], layer.named[option]
                break
    return Settings(values, named, _method(layers))


def _given(value: Any) -> bool:
    return value is not None and value != ""


def _task(options: Mapping[str, Any]) -> Layer:
    return Layer({option: options.get(option) for option in ENVIRONMENT}, {option: option for option in ENVIRONMENT})


def _environment(environ: Mapping[str, str]) -> Layer:
    found = {
        option: next((name for name in names if environ.get(name)), names[0]) for option, names in ENVIRONMENT.items()
    }
    return Layer(
        {option: environ.get(name) for option, name in found.items()},
        {option: f"{option} ({name})" for option, name in found.items()},
    )


def _named(options: Mapping[str, Any], environ: Mapping[str, str], warn: Callable[[str], None]) -> list[Layer]:
    """Return the named connection; the environment's default is taken where a task does not say where to go or how."""
    name = options.get("connection_name")
    says = ("account", "user", *_USUAL)
    if not name and not any(_given(options.get(option)) for option in says):
        name = environ.get(DEFAULT_NAME)
    if not name:
        return []
    profile, place = read_profile(str(name), environ, warn)
    values: dict[str, Any] = {}
    named: dict[str, str] = {}
    for option in ENVIRONMENT:
        for key in _IN_FILE.get(option, (option,)):
            # The connector's own way to keep a secret out of the file.
            variable = f"SNOWFLAKE_CONNECTIONS_{name}_{key}".upper()
            if environ.get(variable):
                values[option], named[option] = environ[variable], f"{option} ({variable})"
                break
            if _given(profile.get(key)):
                values[option], named[option] = profile[key], f"{option} ({key} of {place})"
                break
    return [Layer(values, named)]


def _method(layers: list[Layer]) -> str:
    """Find the one way of logging in: in the first place that has a credential or says how."""
    for layer in layers:
        given = [option for option in _USUAL if _given(layer.values.get(option))]
        how = layer.values.get("authenticator")
        if how:
            return _said(str(how), layer.named["authenticator"], layers)
        ways = dict.fromkeys(_USUAL[option] for option in given)
        if len(ways) > 1:
            shown = " and ".join(layer.named[option] for option in given)
            raise SnowflakeError(
                f"{shown} are given, which are {len(ways)} ways of logging in: keep one, or set authenticator to the "
                f"one that is meant ({', '.join(METHODS)})."
            )
        if ways:
            # One that only a lower place says is about the credential that stands beside it there.
            return next(iter(ways))
    raise SnowflakeError(
        "Nothing to log in with: set private_key_path (or SNOWFLAKE_PRIVATE_KEY_PATH) for a key pair, which suits a "
        "service; or private_key_content, token, token_file_path, password, or connection_name."
    )


def _said(how: str, named: str, layers: list[Layer]) -> str:
    method = how.lower()
    if method not in METHODS:
        raise InvalidInputError(named, f"{how!r} is not one of {', '.join(METHODS)}")
    if not any(_given(layer.values.get(option)) for layer in layers for option in METHODS[method]):
        raise InvalidInputError(named, f"{method} needs {' or '.join(METHODS[method])}, and none is given")
    return method


def read_token(settings: Settings) -> str:
    """Return the token, out of its file where there is one; raises SnowflakeError."""
    if settings.values.get("token"):
        return str(settings.values["token"])
    path = path_of(settings.values["token_file_path"])
    source = f"{settings.named['token_file_path']}: {path}"
    try:
        token = path.read_text().strip()
    except FileNotFoundError as error:
        raise SnowflakeError(f"{source} does not exist; write the token and nothing else into it.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SnowflakeError(f"{source} cannot be read: {getattr(error, 'strerror', None) or 'no text'}.") from error
    if not token:
        raise SnowflakeError(f"{source} is empty; write the token and nothing else into it.")
    return token

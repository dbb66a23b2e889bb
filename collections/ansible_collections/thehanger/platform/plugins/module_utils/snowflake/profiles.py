# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named connections: the files that the connector and the Snowflake CLI keep, read by the connector's rules."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .entries import path_of
from .errors import InvalidInputError, SnowflakeError

_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_READABLE = stat.S_IRGRP | stat.S_IROTH
_SKIP_WARNING = ("SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION", "SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION")


def directory(environ: Mapping[str, str]) -> Path:
    """Return where the files stand: SNOWFLAKE_HOME, ~/.snowflake, or the platform's place where that is missing."""
    home = path_of(environ.get("SNOWFLAKE_HOME") or "~/.snowflake")
    if home.exists():
        return home
    if sys.platform == "darwin":
        return path_of("~/Library/Application Support/snowflake")
    return path_of(environ.get("XDG_CONFIG_HOME") or "~/.config") / "snowflake"


def read_profile(name: str, environ: Mapping[str, str], warn: Callable[[str], None]) -> tuple[dict[str, Any], str]:
    """Return the settings of a named connection and where they stand; raises SnowflakeError.

    As for the connector, connections.toml replaces what config.toml says in its section `connections`, a file that
    others may write is refused, and one that others may read is warned about.
    """
    place = directory(environ)
    for path, section in ((place / "connections.toml", None), (place / "config.toml", "connections")):
        content = _load(path, environ, warn)
        if content is None:
            continue
        known = content if section is None else content.get(section, {})
        if not isinstance(known, dict) or not isinstance(known.get(name), dict):
            names = [key for key, value in known.items() if isinstance(value, dict)] if isinstance(known, dict) else []
            raise InvalidInputError(
                "connection_name", f"{name!r} is not in {path}, which has: {', '.join(sorted(names)) or 'none'}"
            )
        return known[name], f"connection {name} in {path}"
    raise InvalidInputError(
        "connection_name",
        f"there is no connections.toml in {place} to look {name!r} up in; write it, with [{name}] in brackets above "
        "account, user and the rest, or set SNOWFLAKE_HOME to the directory that has it",
    )


def _load(path: Path, environ: Mapping[str, str], warn: Callable[[str], None]) -> dict[str, Any] | None:
    import tomllib  # no earlier Python than 3.11 has it, and only a named connection needs it

    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            _check(path, status, environ, warn)
            return tomllib.load(stream)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SnowflakeError(f"connection_name: {path} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError:
        # The error itself stays out of the message and the chain, since it may quote a line with a secret.
        raise SnowflakeError(f"connection_name: {path} is not TOML; correct it, or leave the option out.") from None


def _check(path: Path, status: os.stat_result, environ: Mapping[str, str], warn: Callable[[str], None]) -> None:
    if status.st_mode & _WRITABLE:
        raise SnowflakeError(
            f"connection_name: {path} can be written by its group or by others, so they could send the login "
            f"elsewhere: chmod 0600 {path}."
        )
    skipped = next((environ[name] for name in _SKIP_WARNING if name in environ), "false").lower() == "true"
    if not skipped and (status.st_mode & _READABLE or status.st_uid not in (0, os.getuid())):
        warn(f"{path} can be read by others or belongs to another user: chown $USER and chmod 0600 {path}")

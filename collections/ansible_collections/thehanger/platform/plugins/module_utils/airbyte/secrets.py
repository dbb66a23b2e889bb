# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that can be written but never read back: where they stand, and whether they changed.

Airbyte answers asterisks in their place. A keyed fingerprint (HMAC-SHA256) of the value last written tells whether
the user's value changed; the version in Airbyte's secret coordinate tells whether somebody else changed it.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any, Literal
from urllib.parse import unquote

from .errors import AirbyteError
from .model import Path, value_at, with_value

Policy = Literal["on_change", "always", "never"]
MASK = re.compile(r"\*{4,}")
LIKELY = re.compile(
    r"passw(or)?d|pwd|passphrase|passcode|secret|token|credentials_json|(private|api|access|account|client|ssh)_?key",
    re.IGNORECASE,
)
# Parameters in one text, such as jdbc_url_params has.
PAIR = re.compile(r"(?:^|(?<=[?&;,\s]))(?P<key>[\w.%-]+)=(?=(?P<value>[^&]*))")
ENDS = re.compile(r"[;,\s]")
KNOWN: Mapping[tuple[str, str], frozenset[Path]] = {
    ("source", "postgres"): frozenset(
        {
            ("password",),
            ("ssl_mode", "ca_certificate"),
            ("ssl_mode", "client_certificate"),
            ("ssl_mode", "client_key"),
            ("ssl_mode", "client_key_password"),
            ("tunnel_method", "ssh_key"),
            ("tunnel_method", "tunnel_user_password"),
        }
    ),
    ("destination", "snowflake"): frozenset(
        {("credentials", "private_key"), ("credentials", "private_key_password"), ("credentials", "password")}
    ),
}


def secret_paths(kind: str, connector: str | None, *configurations: Mapping[str, Any]) -> frozenset[Path]:
    """Return the paths of secrets: those of the connector's specification, and every value that comes masked.

    Names that sound like secrets count too, as keys or within a value such as `sslpassword=x&ssl=true`. Where the
    connector is not known yet, the specifications of all of them count.
    """
    specified = [paths for key, paths in KNOWN.items() if key[0] == kind and connector in (None, key[1])]
    found = set(frozenset().union(*specified))
    for configuration in configurations:
        found |= {path for path, value in _leaves(configuration) if masked(value) or _sensitive(path[-1], value)}
    return frozenset(found)


def masked(value: Any) -> bool:
    """Tell whether a value is Airbyte's mask of a secret, or a list with one in it."""
    if isinstance(value, Mapping):
        return any(masked(item) for item in value.values())
    if isinstance(value, list):
        return any(masked(item) for item in value)
    return isinstance(value, str) and MASK.fullmatch(value) is not None


def texts(configuration: Mapping[str, Any], paths: frozenset[Path]) -> set[str]:
    """Return the secret values of a configuration, and those that stand inside of a longer value."""
    found: set[str] = set()
    for path in paths:
        value = value_at(configuration, path)
        found |= _texts(path[-1], value, whole=not isinstance(value, (list, Mapping)))
    return found


def _texts(key: str, value: Any, *, whole: bool = False) -> set[str]:
    if isinstance(value, Mapping):
        return set().union(*(_texts(str(name), item) for name, item in value.items()))
    if isinstance(value, list):
        return set().union(*(_texts(key, item) for item in value))
    if value is None or isinstance(value, bool) or masked(value):
        return set()
    text = str(value)
    parts = {match["value"] for match in PAIR.finditer(text) if LIKELY.search(match["key"])}
    parts |= {ENDS.split(part)[0] for part in parts}
    parts |= {unquote(part) for part in parts}
    return (parts | {text} if whole or LIKELY.search(key) else parts) - {""}


def _sensitive(key: str, value: Any) -> bool:
    return bool(_texts(key, value))


def marked(configuration: Mapping[str, Any], paths: frozenset[Path], marks: Mapping[Path, str]) -> dict[str, Any]:
    """Return a configuration with a mark instead of each secret, fit for a diff."""
    shown = dict(configuration)
    for path in paths:
        shown = with_value(shown, path, marks.get(path, "(secret)")) if value_at(shown, path) is not None else shown
    return shown


def without(configuration: Mapping[str, Any], paths: frozenset[Path]) -> dict[str, Any]:
    """Return a configuration without the values at these paths."""
    for path in paths:
        configuration = with_value(configuration, path, None)
    return dict(configuration)


def changed(
    desired: str,
    stored: Any,
    coordinate: str | None,
    record: Mapping[str, Any] | None,
    fingerprint: str,
    policy: Policy,
) -> bool:
    """Tell whether a secret must be written.

    `stored` is what Airbyte shows, `record` what was remembered at the last write, if anything.
    """
    if policy == "always" or stored is None:
        return True
    if policy == "never":
        return False
    if not masked(stored):
        return str(stored) != desired
    if record is None or not hmac.compare_digest(str(record.get("hmac")), fingerprint):
        return True
    known = record.get("coordinate")
    return bool(known and coordinate and known != coordinate)


def coordinate_at(configuration: Mapping[str, Any], path: Path) -> str | None:
    """Return the coordinate of a secret in a configuration read with includeSecretCoordinates, if it has one."""
    value = value_at(configuration, path)
    if isinstance(value, Mapping):
        value = value.get("_secret") or value.get("secret_coordinate")
    return None if value is None or masked(value) else str(value)


class SecretStore:
    """Fingerprints of the secrets last written, in a file of mode 0600 together with their key."""

    def __init__(self, path: str) -> None:
        self._path = FilePath(path)
        self._content = self._read()

    def fingerprint(self, value: str) -> str:
        """Return the keyed fingerprint of a value."""
        return hmac.new(bytes.fromhex(self._content["key"]), value.encode(), hashlib.sha256).hexdigest()

    def record(self, owner: str) -> dict[str, dict[str, Any]]:
        """Return what was remembered of an object's secrets, by dotted path."""
        return dict(self._content["objects"].get(owner, {}))

    def remember(self, owner: str, record: Mapping[str, Mapping[str, Any]] | None) -> None:
        """Store what was written to an object, or forget the object."""
        with self._locked():
            self._content = self._read(self._content["key"])
            if record:
                self._content["objects"][owner] = record
            else:
                self._content["objects"].pop(owner, None)
            self._write()

    def _read(self, key: str | None = None) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text())
            bytes.fromhex(content["key"])
            dict(content["objects"])
        except FileNotFoundError:
            return {"key": key or secrets.token_hex(32), "objects": {}}
        except OSError as error:
            raise AirbyteError(f"secrets_file {self._path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise AirbyteError(
                f"secrets_file {self._path} is not a file of fingerprints; "
                "remove it, and all secrets are written once more"
            ) from None
        return dict(content)

    def _write(self) -> None:
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._content, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise AirbyteError(f"secrets_file {self._path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif path:
        yield path, value

"""Keys and certificates: whom a repository's key belongs to, and why a certificate has to be issued."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

PUBLIC_KEY = 6
ARMOR = re.compile(r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(.*?)\n-----END PGP PUBLIC KEY BLOCK-----", re.S)


def postgres_server_key_fingerprints(text: str) -> list[str]:
    """Return the fingerprints of the primary keys in an armored OpenPGP file (RFC 9580, version 4), `?` for others."""
    found = []
    for block in ARMOR.findall(text.replace("\r", "")):
        body = block.split("\n\n", 1)[-1]
        data = base64.b64decode("".join(line for line in body.split("\n") if not line.startswith("=")))
        found += [_fingerprint(content) for tag, content in _packets(data) if tag == PUBLIC_KEY]
    return found


def _fingerprint(content: bytes) -> str:
    if content[:1] != b"\x04":
        return "?"
    counted = b"\x99" + len(content).to_bytes(2, "big") + content
    return hashlib.sha1(counted, usedforsecurity=False).hexdigest().upper()


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        new_format = data[0] & 0x40
        tag = data[0] & 0x3F if new_format else data[0] >> 2 & 0x0F
        size, start = _new_length(data) if new_format else _old_length(data)
        yield tag, data[start : start + size]
        data = data[start + size :]


def _new_length(data: bytes) -> tuple[int, int]:
    if data[1] < 192:
        return data[1], 2
    if data[1] < 224:
        return (data[1] - 192 << 8) + data[2] + 192, 3
    return int.from_bytes(data[2:6], "big"), 6


def _old_length(data: bytes) -> tuple[int, int]:
    width = {0: 1, 1: 2, 2: 4}.get(data[0] & 3)
    if width is None:
        return len(data) - 1, 1
    return int.from_bytes(data[1 : 1 + width], "big"), 1 + width


def postgres_server_alternative_names(names: Iterable[str]) -> list[str]:
    """Return names and addresses as subject alternative names, each once, in order."""
    return list(dict.fromkeys(f"{_kind(name)}:{name}" for name in names if name))


def _kind(name: str) -> str:
    try:
        ip_address(name)
    except ValueError:
        return "DNS"
    return "IP"


def postgres_server_certificate_due(
    certificate: Mapping[str, Any], ca: Mapping[str, Any], names: Iterable[str], days: int
) -> str:
    """Return why a certificate has to be issued, or nothing.

    Both are what community.crypto tells of a certificate, empty when there is none; it has to be valid for `days`.
    """
    if not certificate:
        return "there is none"
    if not ca or certificate["authority_key_identifier"] != ca["subject_key_identifier"]:
        return "another authority issued it"
    if postgres_server_ends_within(certificate, days):
        return f"it ends at {certificate['not_after']}"
    held = {_canonical(name) for name in certificate["subject_alt_name"] or []}
    lacking = [name for name in names if _canonical(name) not in held]
    return f"it lacks {', '.join(lacking)}" if lacking else ""


def postgres_server_ends_within(certificate: Mapping[str, Any], days: int) -> bool:
    """Tell whether a certificate is no longer valid in so many days."""
    return bool(certificate["not_after"] < (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ"))


def _canonical(name: str) -> str:
    kind, _, value = name.partition(":")
    return f"IP:{ip_address(value)}" if kind.startswith("IP") else name


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {
            "postgres_server_key_fingerprints": postgres_server_key_fingerprints,
            "postgres_server_alternative_names": postgres_server_alternative_names,
            "postgres_server_certificate_due": postgres_server_certificate_due,
            "postgres_server_ends_within": postgres_server_ends_within,
        }

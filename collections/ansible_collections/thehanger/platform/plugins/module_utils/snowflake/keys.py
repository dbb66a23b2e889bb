# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA public keys: the text Snowflake takes and the fingerprint it shows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

_RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101")
_SMALLEST = 270  # a 2048 bit key has 294 bytes
_ARMOUR = re.compile(r"-----(?:BEGIN|END) ([A-Z ]+)-----")


def public_key_body(text: str) -> str:
    """Return the key as one line of base64, from that or from PEM; raises ValueError with the reason."""
    labels = set(_ARMOUR.findall(text))
    if any("PRIVATE" in label for label in labels):
        raise ValueError("this is a private key; give the public one (openssl rsa -in KEY.p8 -pubout)")
    if text.lstrip().startswith("ssh-"):
        raise ValueError("this is an SSH key; Snowflake takes PEM (ssh-keygen -e -m PKCS8 -f KEY.pub)")
    if labels - {"PUBLIC KEY"}:
        raise ValueError(f"this is a {', '.join(sorted(labels))}, not a PUBLIC KEY (openssl rsa -in KEY.p8 -pubout)")
    body = "".join(_ARMOUR.sub("", text).split())
    der = _decode(body)
    if not der.startswith(b"\x30") or _RSA_ENCRYPTION not in der[:40]:
        raise ValueError("this is not an RSA public key")
    if len(der) < _SMALLEST:
        raise ValueError("the key is too short: Snowflake takes RSA keys of 2048 bits and more")
    return body


def fingerprint(body: str) -> str:
    """Return the fingerprint of a key as DESC USER shows it."""
    digest = hashlib.sha256(_decode(body)).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii")


def _decode(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the key is neither PEM nor base64") from error

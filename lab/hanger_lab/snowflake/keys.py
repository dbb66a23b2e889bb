"""Public keys, signed tokens and password hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

_ARMOUR = re.compile(r"-----[^-]+-----|\s")
_MOST_SECONDS_AHEAD = 3600


def normalise(key: str) -> str:
    """Reduce an RSA public key, with or without PEM lines, to one line of base64; raises ValueError when it is none."""
    return base64.b64encode(_der(_load(key))).decode()


def fingerprint(key: str) -> str:
    """Compute the fingerprint that DESCRIBE USER shows: `SHA256:` and base64."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_der(_load(key))).digest()).decode()


def token_is_valid(token: str, account: str, user: str, key: str) -> bool:
    """Check a login token: who issued it, with which key, that it is signed with that key and has not expired."""
    try:
        header, body, signature = token.split(".")
        algorithm = json.loads(_decode(header)).get("alg")
        claims: dict[str, Any] = json.loads(_decode(body))
        subject = f"{account}.{user}".upper()
        if algorithm != "RS256" or str(claims.get("sub", "")).upper() != subject:
            return False
        if claims.get("iss") not in _issuers(claims, subject, key):
            return False
        if not time.time() < float(claims["exp"]) <= time.time() + _MOST_SECONDS_AHEAD + 60:
            return False
        _load(key).verify(_decode(signature), f"{header}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        return False
    return True


def hash_password(password: str) -> str:
    """Hash a password with a fresh salt."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def password_is(password: str, stored: str) -> bool:
    """Check a password against its hash."""
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _issuers(claims: dict[str, Any], subject: str, key: str) -> tuple[str, ...]:
    issuer = str(claims.get("iss", ""))
    name, _, mark = issuer.partition(".SHA256:")
    return (issuer,) if name.upper() == subject and f"SHA256:{mark}" == fingerprint(key) else ()


def _load(key: str) -> RSAPublicKey:
    try:
        loaded = load_der_public_key(base64.b64decode(_ARMOUR.sub("", key), validate=True))
    except (binascii.Error, ValueError) as problem:
        raise ValueError("not a public key") from problem
    if not isinstance(loaded, RSAPublicKey) or loaded.key_size < 2048:
        raise ValueError("not an RSA public key of 2048 bits or more")
    return loaded


def _der(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)

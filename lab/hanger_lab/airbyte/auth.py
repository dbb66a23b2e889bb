"""Application tokens: signed, so that they survive a restart, and valid for fifteen minutes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hanger_lab.airbyte.errors import unauthorized

LIFETIME_SECONDS = 15 * 60


@dataclass(frozen=True)
class Tokens:
    """Issues and checks the tokens of the instance's one application."""

    client_id: str
    client_secret: str = field(repr=False)
    key: bytes = field(repr=False)
    lifetime: int = LIFETIME_SECONDS
    clock: Callable[[], float] = time.time

    def issue(self, client_id: str, client_secret: str) -> dict[str, Any]:
        """Return a token's answer; raise the problem of status 401 when the credentials are wrong."""
        known = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        if not hmac.compare_digest(client_secret.encode(), self.client_secret.encode()) or not known:
            raise unauthorized("Invalid client id or client secret")
        now = int(self.clock())
        claims = {"iss": "hanger-lab", "sub": self.client_id, "typ": "io.airbyte.auth.application"}
        signed = (
            f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode({**claims, 'iat': now, 'exp': now + self.lifetime})}"
        )
        return {
            "access_token": f"{signed}.{self._signature(signed)}",
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }

    def check(self, authorization: str | None) -> None:
        """Raise the problem of status 401 unless the header carries a valid token."""
        scheme, _, token = (authorization or "").partition(" ")
        signed, _, signature = token.strip().rpartition(".")
        if scheme.lower() != "bearer" or not signed:
            raise unauthorized()
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            raise unauthorized()
        try:
            claims = json.loads(_decode(signed.partition(".")[2]))
        except (ValueError, binascii.Error):
            raise unauthorized() from None
        if claims.get("sub") != self.client_id or float(claims.get("exp", 0)) <= self.clock():
            raise unauthorized("The token has expired")

    def _signature(self, text: str) -> str:
        key = self.key + hashlib.sha256(self.client_secret.encode()).digest()
        return _base64(hmac.new(key, text.encode(), hashlib.sha256).digest())


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

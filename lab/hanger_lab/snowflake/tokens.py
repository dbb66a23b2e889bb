"""Programmatic access tokens: what is kept of them, and which one a secret belongs to.

Rules: docs.snowflake.com/en/user-guide/programmatic-access-tokens. They are kept with their user, the secret only as a
hash: it is random and long, so that a plain one is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from hanger_lab.snowflake import errors, policies
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.parser import Value

MOST_OF_A_USER = 15
SHOWN_AFTER_EXPIRY_SECONDS = 30 * 86_400
_PROPERTY = "PROGRAMMATIC_ACCESS_TOKENS"


@dataclass
class Token:
    """One token. Times are seconds since 1970."""

    name: str
    digest: str
    role: str | None
    days: int
    created: float
    created_by: str
    expires: float
    bypass_until: float = 0.0
    disabled: bool = False
    comment: str | None = None
    rotated_to: str | None = None


def of(user: Securable) -> list[Token]:
    """Return the tokens of a user."""
    kept = user.properties.get(_PROPERTY)
    return [Token(*fields) for fields in kept if isinstance(fields, list)] if isinstance(kept, list) else []  # type: ignore[arg-type]


def keep(user: Securable, tokens: Iterable[Token]) -> None:
    """Replace the tokens of a user; the user must be saved afterwards."""
    kept: list[Value] = [list(astuple(token)) for token in tokens]
    user.properties = {**user.properties, _PROPERTY: kept}


def new_secret() -> tuple[str, str]:
    """Make a secret; return it and its hash."""
    secret = secrets.token_urlsafe(48)
    return secret, _digest(secret)


def is_service(user: Securable) -> bool:
    """Whether the rules for services hold for a user."""
    return user.properties.get("TYPE") in ("SERVICE", "LEGACY_SERVICE")


def require_policy(catalog: Catalog, user: Securable, token: Token | None, now: float) -> None:
    """Refuse tokens of a user whom no network policy binds.

    A person's may be let off for a while, and an authentication policy may say that none is needed.
    """
    if policies.token_rule(catalog, user, "NETWORK_POLICY_EVALUATION", "ENFORCED_REQUIRED") != "ENFORCED_REQUIRED":
        return
    if policies.network_policy(catalog, user) is not None:
        return
    if token is not None and not is_service(user) and now < token.bypass_until:
        return
    raise errors.SnowflakeError(390432, "08001", "Network policy is required.")


def find(users: Iterable[Securable], secret: str) -> tuple[Securable, Token] | None:
    """Find the user and the token that a secret belongs to."""
    digest = _digest(secret)
    for user in users:
        for token in of(user):
            if hmac.compare_digest(token.digest, digest):
                return user, token
    return None


def require_usable(catalog: Catalog, user: Securable, token: Token, now: float) -> None:
    """Refuse a token that is disabled or has expired, or that no network policy binds."""
    if token.disabled or now >= token.expires:
        raise invalid()
    require_policy(catalog, user, token, now)


def invalid() -> errors.SnowflakeError:
    """Refuse a secret without saying why."""
    return errors.SnowflakeError(394400, "08001", "Programmatic access token is invalid.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

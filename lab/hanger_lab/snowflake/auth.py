"""Login: who may in, by what proof, with which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hanger_lab.snowflake import access, errors, keys, names, policies
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.statements import user as users

_FACTORS = {
    "SNOWFLAKE_JWT": "RSA_KEYPAIR",
    "SNOWFLAKE": "PASSWORD",
    "USERNAME_PASSWORD_MFA": "PASSWORD",
    "PROGRAMMATIC_ACCESS_TOKEN": "PROGRAMMATIC_ACCESS_TOKEN",
    "OAUTH": "OAUTH_ACCESS_TOKEN",
}


_METHODS = {
    "SNOWFLAKE_JWT": "KEYPAIR",
    "SNOWFLAKE": "PASSWORD",
    "USERNAME_PASSWORD_MFA": "PASSWORD",
    "PROGRAMMATIC_ACCESS_TOKEN": "PROGRAMMATIC_ACCESS_TOKEN",
    "OAUTH": "OAUTH",
}


@dataclass(frozen=True)
class Login:
    """A login request: the body's data and the query's parameters."""

    data: Mapping[str, Any]
    wanted: Mapping[str, str]
    address: str = ""

    @property
    def name(self) -> str:
        """The login name, in upper case."""
        return str(self.data.get("LOGIN_NAME") or "").upper()

    @property
    def method(self) -> str:
        """The authenticator that the client asks for."""
        return str(self.data.get("AUTHENTICATOR") or "SNOWFLAKE").upper()

    @property
    def client(self) -> str:
        """The type of client, as authentication policies name it."""
        environment = self.data.get("CLIENT_ENVIRONMENT")
        application = str(environment.get("APPLICATION") or "") if isinstance(environment, dict) else ""
        if application.upper().startswith("SNOWCLI"):
            return "SNOWFLAKE_CLI"
        return "SNOWSQL" if str(self.data.get("CLIENT_APP_ID") or "").upper() == "SNOWSQL" else "DRIVERS"

    @property
    def factor(self) -> str:
        """The proof that is offered, as LOGIN_HISTORY names it."""
        return _FACTORS.get(self.method, self.method[:64])


def authenticate(login: Login, account: str, catalog: Catalog) -> tuple[Securable, str]:
    """Return the user and the role of the new session; raises SnowflakeError when the login is refused."""
    name, method = login.name, login.method
    found = next((u for u in catalog.all("USER") if users.login_name(u) == name), None)
    policies.require_address(catalog, found, login.address)
    if method == "SNOWFLAKE_JWT":
        _check_token(str(login.data.get("TOKEN") or ""), found, name, account)
    elif method in ("SNOWFLAKE", "USERNAME_PASSWORD_MFA"):
        _check_password(str(login.data.get("PASSWORD") or ""), found)
    else:
        raise errors.SnowflakeError(390137, "08001", f"Authenticator {method} is not known to the emulated account.")
    if found is None:
        raise _wrong()
    if found.properties.get("DISABLED") is True:
        raise errors.SnowflakeError(390101, "08001", "User access disabled. Contact your local system administrator.")
    policies.require_way(catalog, found, _METHODS.get(login.method, login.method), login.client)
    return found, _role(login, found, catalog)


def _check_token(token: str, found: Securable | None, name: str, account: str) -> None:
    for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        key = found.properties.get(slot) if found is not None else None
        if isinstance(key, str) and keys.token_is_valid(token, account, name, key):
            return
    raise errors.SnowflakeError(390144, "08001", "JWT token is invalid.")


def _check_password(password: str, found: Securable | None) -> None:
    stored = found.properties.get("PASSWORD") if found is not None else None
    service = found is not None and found.properties.get("TYPE") == "SERVICE"
    if service or not isinstance(stored, str) or not password or not keys.password_is(password, stored):
        raise _wrong()


def _role(login: Login, found: Securable, catalog: Catalog) -> str:
    allowed = access.assumable(catalog, found.name[0])
    wanted = login.wanted.get("roleName")
    if wanted:
        role = folded(wanted)
        if role not in allowed:
            raise errors.SnowflakeError(
                390189,
                "08001",
                f"Role '{role}' specified in the connect string does not exist or is not granted to this user. Contact "
                "your local system administrator, or attempt to login with another role, e.g. PUBLIC.",
            )
        return role
    default = folded(str(found.properties.get("DEFAULT_ROLE") or "PUBLIC"))
    return default if default in allowed else "PUBLIC"


def folded(text: str) -> str:
    """Fold a name from a connect string; what is no name is taken as it is."""
    try:
        return names.split(text)[-1]
    except ValueError:
        return text


def _wrong() -> errors.SnowflakeError:
    return errors.SnowflakeError(390100, "08001", "Incorrect username or password was specified.")

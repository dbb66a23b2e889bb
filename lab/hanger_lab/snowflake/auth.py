"""Login: who may in, by what proof, with which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hanger_lab.snowflake import access, errors, keys, lockout, names, policies, tokens
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.parser import Properties
from hanger_lab.snowflake.statements import user as users

_WRONG = 390100
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

    @property
    def new_password(self) -> str:
        """The password that is to replace one that must be changed."""
        return str(self.data.get("CHOSEN_NEW_PASSWORD") or "")


@dataclass(frozen=True)
class Admission:
    """What a login is granted: the user, the session's role, and how a token that was used restricts it."""

    user: Securable
    role: str
    by_token: bool = False
    restricted: bool = False


def authenticate(login: Login, account: str, catalog: Catalog, now: float) -> Admission:
    """Decide about a login; raises SnowflakeError when it is refused."""
    name, method = login.name, login.method
    found = _named(login, catalog)
    policies.require_address(catalog, found, login.address)
    token: tokens.Token | None = None
    password = str(login.data.get("PASSWORD") or "")
    if method == "SNOWFLAKE_JWT":
        _check_token(str(login.data.get("TOKEN") or ""), found, name, account)
    elif method == "PROGRAMMATIC_ACCESS_TOKEN":
        found, token = _require_secret(str(login.data.get("TOKEN") or password), login, found, catalog)
    elif method in ("SNOWFLAKE", "USERNAME_PASSWORD_MFA"):
        held = tokens.find([found], password) if found is not None else None
        if held is not None:
            token = held[1]
        else:
            _check_password(password, found, now)
    elif method == "OAUTH":
        raise errors.SnowflakeError(390303, "08001", "Invalid OAuth access token.")
    else:
        raise errors.SnowflakeError(390137, "08001", f"Authenticator {method} is not known to the emulated account.")
    if found is None:
        raise _wrong()
    lockout.require_open(found, now)
    way = "PROGRAMMATIC_ACCESS_TOKEN" if token is not None else _METHODS.get(method, method)
    policies.require_way(catalog, found, way, login.client)
    if token is not None:
        tokens.require_usable(catalog, found, token, now)
        return Admission(found, _role_of(token, login, found, catalog), True, token.role is not None)
    if method != "SNOWFLAKE_JWT" and found.properties.get("MUST_CHANGE_PASSWORD") is True:
        _require_new_password(login)
    return Admission(found, _role(login, found, catalog))


def remember(login: Login, catalog: Catalog, refused: errors.SnowflakeError | None, now: float) -> None:
    """Note what a login changes of its user: wrong passwords are counted, a new password is stored."""
    if login.method not in ("SNOWFLAKE", "USERNAME_PASSWORD_MFA"):
        return
    with catalog.change():
        found = _named(login, catalog)
        if found is None:
            return
        if refused is not None and refused.number == _WRONG and isinstance(found.properties.get("PASSWORD"), str):
            lockout.failed(found, now)
        elif refused is None and found.properties.get("MUST_CHANGE_PASSWORD") is True and login.new_password:
            changes: Properties = {"PASSWORD": keys.hash_password(login.new_password), "MUST_CHANGE_PASSWORD": False}
            found.properties = {**found.properties, **changes}
            lockout.forgive(found)
        elif refused is None and lockout.has_failures(found):
            lockout.forgive(found)
        else:
            return
        catalog.save(found)


def _named(login: Login, catalog: Catalog) -> Securable | None:
    return next((u for u in catalog.all("USER") if users.login_name(u) == login.name), None) if login.name else None


def _require_secret(
    secret: str, login: Login, found: Securable | None, catalog: Catalog
) -> tuple[Securable, tokens.Token]:
    """Find whose token a secret is: the user's whom the login names, or anybody's when it names none."""
    candidates = catalog.all("USER") if not login.name else [found] if found is not None else []
    held = tokens.find(candidates, secret)
    if held is None:
        raise tokens.invalid()
    policies.require_address(catalog, held[0], login.address)
    return held


def _role_of(token: tokens.Token, login: Login, found: Securable, catalog: Catalog) -> str:
    if token.role is None:
        return _role(login, found, catalog)
    if token.role not in access.assumable(catalog, found.name[0]):
        raise tokens.invalid()
    wanted = login.wanted.get("roleName")
    if wanted and folded(wanted) != token.role:
        raise _not_granted(folded(wanted))
    return token.role


def _require_new_password(login: Login) -> None:
    if not login.new_password or login.new_password == str(login.data.get("PASSWORD") or ""):
        refused = errors.SnowflakeError(
            390106,
            "08001",
            "Specified password has expired. Password must be changed using the Snowflake web console.",
        )
        refused.next_action = "PWD_CHANGE"
        raise refused


def _check_token(token: str, found: Securable | None, name: str, account: str) -> None:
    for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        key = found.properties.get(slot) if found is not None else None
        if isinstance(key, str) and keys.token_is_valid(token, account, name, key):
            return
    raise errors.SnowflakeError(390144, "08001", "JWT token is invalid.")


def _check_password(password: str, found: Securable | None, now: float) -> None:
    if found is not None:
        lockout.require_open(found, now)
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
            raise _not_granted(role)
        return role
    default = folded(str(found.properties.get("DEFAULT_ROLE") or "PUBLIC"))
    return default if default in allowed else "PUBLIC"


def folded(text: str) -> str:
    """Fold a name from a connect string; what is no name is taken as it is."""
    try:
        return names.split(text)[-1]
    except ValueError:
        return text


def _not_granted(role: str) -> errors.SnowflakeError:
    return errors.SnowflakeError(
        390189,
        "08001",
        f"Role '{role}' specified in the connect string does not exist or is not granted to this user. Contact "
        "your local system administrator, or attempt to login with another role, e.g. PUBLIC.",
    )


def _wrong() -> errors.SnowflakeError:
    return errors.SnowflakeError(_WRONG, "08001", "Incorrect username or password was specified.")

"""Users: their properties, their keys, and what DESCRIBE USER says about them."""

from __future__ import annotations

from dataclasses import replace

from hanger_lab.snowflake import errors, keys, lockout, names, policies
from hanger_lab.snowflake.model import ACCOUNT, Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.results import DESCRIBE, Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import authentication_policy, network, parameters
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition

_NOT_FOR_SERVICES = ("PASSWORD", "FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "MUST_CHANGE_PASSWORD", "MINS_TO_BYPASS_MFA")


def login_name(user: Securable) -> str:
    """The name that the user logs in with, in upper case."""
    return str(user.properties.get("LOGIN_NAME") or user.name[0]).upper()


def secondary_roles(user: Securable) -> bool:
    """Whether the user's sessions start with all secondary roles."""
    return user.properties.get("DEFAULT_SECONDARY_ROLES", ["ALL"]) == ["ALL"]


def _describe(context: Context, user: Securable) -> Result:
    """Answer DESCRIBE USER."""
    properties, now = user.properties, context.clock()
    key_rows: dict[str, Cell] = {}
    for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        key = properties.get(slot)
        key_rows[slot] = str(key) if key else None
        key_rows[f"{slot}_FP"] = keys.fingerprint(str(key)) if key else None
    values: dict[str, Cell] = {
        "NAME": user.name[0],
        "COMMENT": user.comment or None,
        "DISPLAY_NAME": _text(properties.get("DISPLAY_NAME", user.name[0])),
        "TYPE": _text(properties.get("TYPE")),
        "LOGIN_NAME": login_name(user),
        **{name: _text(properties.get(name)) for name in ("FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "EMAIL")},
        "PASSWORD": "********" if properties.get("PASSWORD") else None,
        "MUST_CHANGE_PASSWORD": _flag(properties.get("MUST_CHANGE_PASSWORD")),
        "DISABLED": _flag(properties.get("DISABLED")),
        "SNOWFLAKE_LOCK": "false",
        "SNOWFLAKE_SUPPORT": "false",
        "DAYS_TO_EXPIRY": lockout.days_left(user, now),
        "MINS_TO_UNLOCK": _text(lockout.minutes_left(user, now)),
        "DEFAULT_WAREHOUSE": _text(properties.get("DEFAULT_WAREHOUSE")),
        "DEFAULT_NAMESPACE": _text(properties.get("DEFAULT_NAMESPACE")),
        "DEFAULT_ROLE": _text(properties.get("DEFAULT_ROLE")),
        "DEFAULT_SECONDARY_ROLES": '["ALL"]' if secondary_roles(user) else "[]",
        "EXT_AUTHN_DUO": "false",
        "EXT_AUTHN_UID": None,
        "MINS_TO_BYPASS_MFA": None,
        **key_rows,
        "NETWORK_POLICY": _text(properties.get("NETWORK_POLICY")),
    }
    rows: list[dict[str, Cell]] = [
        {"property": name, "value": "null" if value is None else value, "default": "null", "description": ""}
        for name, value in values.items()
    ]
    return table(("property", "value", "default", "description"), rows, DESCRIBE)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _flag(value: Value) -> str:
    return str(bool(value)).lower()


def _public_key(name: str, value: Value) -> Value:
    if value is None or value == "":
        return None
    try:
        return keys.normalise(str(value))
    except ValueError:
        raise errors.SnowflakeError(
            390191, "42601", "New public key rejected by current policy. Reason: 'Invalid public key'"
        ) from None


def _password(name: str, value: Value) -> Value:
    return None if value is None else keys.hash_password(str(value))


def _validate(properties: Properties) -> None:
    if properties.get("TYPE") in ("SERVICE", "SNOWFLAKE_SERVICE"):
        for name in _NOT_FOR_SERVICES:
            if properties.get(name) is not None:
                raise errors.SnowflakeError(3666, "0A000", f"Cannot set {name} on users with TYPE=SERVICE.")


def _action(parser: Parser, context: Context, user: Securable) -> bool:
    """Set an authentication policy; without the account's right to apply them it takes ownership of the user."""
    changed = authentication_policy.read_setting(parser, context, user.properties, names.show(user.name))
    if changed is None:
        return False
    if not context.access.holds("APPLY AUTHENTICATION POLICY", "ACCOUNT", ACCOUNT):
        context.access.require_owner("USER", user.name)
    user.properties = changed
    return True


def _resolve(context: Context, properties: Properties) -> Properties:
    policy = properties.get("NETWORK_POLICY")
    if isinstance(policy, str):
        context.access.require_visible("NETWORK POLICY", names.split(policy))
    return lockout.resolve(properties, context.clock())


def _altered(context: Context, user: Securable) -> None:
    """A network policy that would lock out the user's own session is refused."""
    lockout.follow(user)
    context.catalog.save(user)
    in_force = policies.network_policy(context.catalog, user)
    if user.name[0] == context.session.user and in_force is not None and user.properties.get("NETWORK_POLICY"):
        network.require_reachable(context, in_force)


def _renamed(context: Context, old: Name, new: Name) -> None:
    for given in context.catalog.role_grants():
        if (given.to_kind, given.to_name) == ("USER", old[0]):
            context.catalog.revoke_role(given.role, given.to_kind, given.to_name)
            context.catalog.grant_role(replace(given, to_name=new[0]))


def _dropped(context: Context, user: Securable) -> None:
    if user.name[0] == context.session.user:
        raise errors.SnowflakeError(3001, "42501", "SQL access control error:\nA user cannot drop itself.")


DEFINITION = Definition(
    kind="USER",
    known={
        "PASSWORD": _password,
        "LOGIN_NAME": p.text,
        "DISPLAY_NAME": p.text,
        "FIRST_NAME": p.text,
        "MIDDLE_NAME": p.text,
        "LAST_NAME": p.text,
        "EMAIL": p.text,
        "MUST_CHANGE_PASSWORD": p.boolean,
        "DISABLED": p.boolean,
        "DAYS_TO_EXPIRY": p.integer(0, 36_500),
        "MINS_TO_UNLOCK": p.integer(0, 10_000_000),
        "MINS_TO_BYPASS_MFA": p.integer(0, 1_440),
        "DEFAULT_WAREHOUSE": p.identifier,
        "DEFAULT_NAMESPACE": p.identifier,
        "DEFAULT_ROLE": p.identifier,
        "DEFAULT_SECONDARY_ROLES": p.words("ALL"),
        "RSA_PUBLIC_KEY": _public_key,
        "RSA_PUBLIC_KEY_2": _public_key,
        "TYPE": p.choice("PERSON", "SERVICE", "LEGACY_SERVICE"),
        "COMMENT": p.text,
        **parameters.checks("USER"),
    },
    authorize_create=lambda context, name: context.access.require_account("CREATE USER"),
    validate=_validate,
    resolve=_resolve,
    action=_action,
    altered=_altered,
    describe=_describe,
    renamed=_renamed,
    dropped=_dropped,
)

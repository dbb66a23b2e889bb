"""What network and authentication policies let in: which one is in force for a user, and what it says of a login.

Rules: docs.snowflake.com/en/user-guide/network-policies and .../authentication-policies. A user's policy replaces the
account's; what is blocked stays blocked although it is allowed too. A network policy that allows no address lets none
in, which is this account's reading of the page.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Value

_HELP = "https://community.snowflake.com/s/ip-xxxxxxxxxxxx-is-not-allowed-to-access"
_ADDRESSES = ("IPV4", "IPV6")


def network_policy(catalog: Catalog, user: Securable | None) -> Securable | None:
    """Find the network policy for a user's logins; for an unknown user it is the account's."""
    own = user.properties.get("NETWORK_POLICY") if user is not None else None
    name = own or catalog.parameters.get("NETWORK_POLICY")
    return catalog.find("NETWORK POLICY", names.split(str(name))) if name else None


def admits(catalog: Catalog, policy: Securable, address: str) -> bool:
    """Whether a network policy lets an IP address in; an address that cannot be read is not let in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped

    def listed(which: str) -> bool:
        return any(found in ipaddress.ip_network(item, strict=False) for item in _items(catalog, policy, which))

    return listed("ALLOWED") and not listed("BLOCKED")


def require_address(catalog: Catalog, user: Securable | None, address: str) -> None:
    """Refuse a login from an address that the user's network policy does not let in."""
    policy = network_policy(catalog, user)
    if policy is not None and not admits(catalog, policy, address):
        raise errors.SnowflakeError(
            390422,
            "08004",
            f"Incoming request with IP/Token {address} is not allowed to access Snowflake. Contact your account "
            f"administrator. For more information about this error, go to {_HELP}.",
        )


def rules(policy: Securable, which: str) -> list[Name]:
    """List the names of the network rules that a policy has under ALLOWED or BLOCKED."""
    found = policy.properties.get(f"{which}_NETWORK_RULE_LIST")
    return [as_name(rule) for rule in found] if isinstance(found, list) else []


def authentication_policy(catalog: Catalog, user: Securable) -> tuple[Securable, str] | None:
    """Find the authentication policy for a user's logins, and whether it is set on the USER or the ACCOUNT."""
    for level, properties in (("USER", user.properties), ("ACCOUNT", catalog.parameters)):
        name = properties.get("AUTHENTICATION_POLICY")
        found = catalog.find("AUTHENTICATION POLICY", as_name(name)) if name else None
        if found is not None:
            return found, level
    return None


def require_way(catalog: Catalog, user: Securable, method: str, client: str) -> None:
    """Refuse a login by a method (`KEYPAIR`, ...) or client (`DRIVERS`, ...) that the user's policy does not name.

    Nobody has a second factor here, so a policy that requires one refuses passwords.
    """
    found = authentication_policy(catalog, user)
    properties = found[0].properties if found is not None else {}
    for key, used in (("AUTHENTICATION_METHODS", method), ("CLIENT_TYPES", client)):
        named = properties.get(key)
        if isinstance(named, list) and "ALL" not in named and used not in named:
            raise errors.SnowflakeError(
                390202, "08001", "Authentication attempt rejected by the current authentication policy."
            )
    if method == "PASSWORD" and str(properties.get("MFA_ENROLLMENT") or "").startswith("REQUIRED"):
        raise errors.SnowflakeError(
            390197,
            "08001",
            "Multi-factor authentication is required for this account. Log in to Snowsight to enroll.",
        )


def token_rule(catalog: Catalog, user: Securable, name: str, default: Value) -> Value:
    """Read a property of the PAT_POLICY in the user's authentication policy; the default where it says nothing."""
    found = authentication_policy(catalog, user)
    pairs = found[0].properties.get("PAT_POLICY") if found is not None else None
    given = {str(pair[0]): pair[1] for pair in pairs if isinstance(pair, list)} if isinstance(pairs, list) else {}
    return given.get(name, default)


def as_name(value: Value) -> Name:
    """Read a name that is kept as a list of its parts."""
    return tuple(str(part) for part in value) if isinstance(value, list) else ()


def _items(catalog: Catalog, policy: Securable, which: str) -> Iterator[str]:
    """Yield the networks of a list: its own, and those of its rules that are about addresses."""
    own = policy.properties.get(f"{which}_IP_LIST")
    yield from (str(item) for item in own) if isinstance(own, list) else ()
    for name in rules(policy, which):
        rule = catalog.find("NETWORK RULE", name)
        values = rule.properties.get("VALUE_LIST") if rule is not None else None
        if rule is not None and rule.properties.get("TYPE") in _ADDRESSES and isinstance(values, list):
            yield from (str(item) for item in values)

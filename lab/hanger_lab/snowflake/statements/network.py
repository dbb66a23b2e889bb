"""Network rules and network policies."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Sequence

from hanger_lab.snowflake import errors, names, policies
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.results import DESCRIBE, Cell, Result, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition, in_schema
from hanger_lab.snowflake.statements.views import View, basic, columns

_MODES = {
    "IPV4": ("INGRESS", "INTERNAL_STAGE", "EGRESS", "POSTGRES_INGRESS", "POSTGRES_EGRESS"),
    "IPV6": ("INGRESS",),
    "AWSVPCEID": ("INGRESS", "INTERNAL_STAGE"),
    "AZURELINKID": ("INGRESS", "INTERNAL_STAGE"),
    "GCPPSCID": ("INGRESS",),
    "HOST_PORT": ("EGRESS",),
    "PRIVATE_HOST_PORT": ("EGRESS",),
}
_RULE_LISTS = ("ALLOWED_NETWORK_RULE_LIST", "BLOCKED_NETWORK_RULE_LIST")
_RULE_DETAILS = columns("created_on name database_name schema_name owner comment type mode value_list")
_IP_LISTS = ("ALLOWED_IP_LIST", "BLOCKED_IP_LIST")


def _texts(name: str, value: Value) -> Value:
    found: list[Value] = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in found):
        raise errors.invalid_value(value, name)
    return found


def _addresses(name: str, value: Value) -> Value:
    found = _texts(name, value)
    for item in found if isinstance(found, list) else []:
        _require_address(name, item, 4)
    return found


def _require_address(name: str, value: Value, version: int) -> None:
    try:
        network = ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        raise errors.invalid_value(value, name) from None
    if network.version != version:
        raise errors.invalid_value(value, name)


# -- rules ----------------------------------------------------------------------------------------------------------


def _validate_rule(properties: Properties) -> None:
    kind, values = properties.get("TYPE"), properties.get("VALUE_LIST")
    for name in ("TYPE", "VALUE_LIST"):
        if name not in properties:
            raise errors.SnowflakeError(2029, "42601", f"SQL compilation error:\nMissing option(s): [{name}]")
    mode = properties.get("MODE", "INGRESS")
    if mode not in _MODES[str(kind)]:
        raise errors.invalid_value(mode, "MODE")
    for value in values if isinstance(values, list) else []:
        if kind in ("IPV4", "IPV6"):
            _require_address("VALUE_LIST", value, 4 if kind == "IPV4" else 6)
        elif kind in ("HOST_PORT", "PRIVATE_HOST_PORT") and not re.fullmatch(r"[\w.*-]+(:\d{1,5})?", str(value)):
            raise errors.invalid_value(value, "VALUE_LIST")


def users_of_rule(catalog: Catalog, rule: Name) -> list[Securable]:
    """List the network policies that name a rule."""
    return [
        policy
        for policy in catalog.all("NETWORK POLICY")
        if any(rule in policies.rules(policy, which) for which in ("ALLOWED", "BLOCKED"))
    ]


def _require_unused_rule(context: Context, rule: Securable) -> None:
    if users_of_rule(context.catalog, rule.name):
        raise errors.SnowflakeError(
            1492,
            "42601",
            f"SQL compilation error:\nCannot drop Network rule {names.show(rule.name[-1:])} as it is associated with "
            "some network policies.",
        )


def _describe_rule(_: Context, rule: Securable) -> Result:
    (row,) = _rule_rows(_, [rule])
    values = rule.properties.get("VALUE_LIST")
    row["value_list"] = ",".join(str(item) for item in values) if isinstance(values, list) else ""
    return table(_RULE_DETAILS, [row], DESCRIBE)


def _rule_rows(_: Context, rules: Sequence[Securable]) -> list[dict[str, Cell]]:
    return [
        {
            **basic(rule),
            "type": str(rule.properties.get("TYPE")),
            "mode": str(rule.properties.get("MODE", "INGRESS")),
            "entries_in_valuelist": _count(rule, "VALUE_LIST"),
        }
        for rule in rules
    ]


def _count(found: Securable, name: str) -> int:
    values = found.properties.get(name)
    return len(values) if isinstance(values, list) else 0


# -- policies -------------------------------------------------------------------------------------------------------


def _authorize_policy(context: Context, _: Name) -> None:
    context.access.require_account("CREATE NETWORK POLICY")


def _resolve(context: Context, properties: Properties) -> Properties:
    """Turn the names of rules into full names of rules that exist and are meant for coming requests."""
    found = dict(properties)
    for key in _RULE_LISTS:
        if key in found:
            written = found[key]
            found[key] = [_rule(context, str(item)) for item in written] if isinstance(written, list) else []
    return found


def _rule(context: Context, written: str) -> Value:
    try:
        name = context.session.qualify(names.split(written), 3, "CREATE NETWORK POLICY")
    except ValueError:
        raise errors.invalid_value(written, "NETWORK_RULE_LIST") from None
    rule = context.access.require_visible("NETWORK RULE", name)
    if rule.properties.get("MODE", "INGRESS") not in ("INGRESS", "INTERNAL_STAGE"):
        raise errors.invalid_value(written, "NETWORK_RULE_LIST")
    return list(name)


def _action(parser: Parser, context: Context, policy: Securable) -> bool:
    """Run ADD and REMOVE of one list of rules."""
    verb = "ADD" if parser.accept("ADD") else "REMOVE" if parser.accept("REMOVE") else None
    if verb is None:
        return False
    context.access.require_owner("NETWORK POLICY", policy.name)
    given = _resolve(context, p.checked("NETWORK POLICY", parser.properties(), dict.fromkeys(_RULE_LISTS, _texts)))
    if len(given) != 1:
        raise parser.fail()
    ((key, named),) = given.items()
    held = policy.properties.get(key)
    before = held if isinstance(held, list) else []
    chosen = named if isinstance(named, list) else []
    after = (
        [*before, *(r for r in chosen if r not in before)] if verb == "ADD" else [r for r in before if r not in chosen]
    )
    policy.properties = {**policy.properties, key: after}
    context.catalog.save(policy)
    _still_reachable(context, policy)
    return True


def require_reachable(context: Context, policy: Securable) -> None:
    """Refuse what would lock out the address that the session came from."""
    address = context.session.address
    if address and not policies.admits(context.catalog, policy, address):
        shown = names.show(policy.name)
        raise errors.SnowflakeError(
            1492,
            "42601",
            f"SQL compilation error:\nNetwork policy {shown} cannot be activated. Requestor IP address/Token, "
            f"{address}, must be included in the allowed_ip_list or allowed network rules. To add the specific IP, "
            f"execute command \"ALTER NETWORK POLICY {shown} SET ALLOWED_IP_LIST=('{address}');\". Similarly, a CIDR "
            "block of IP addresses can be added instead of the specific IP address.",
        )


def _still_reachable(context: Context, policy: Securable) -> None:
    in_force = policies.network_policy(context.catalog, context.catalog.find("USER", (context.session.user,)))
    if in_force is not None and in_force.name == policy.name:
        require_reachable(context, policy)


def _rule_altered(context: Context, rule: Securable) -> None:
    rule.properties.setdefault("VALUE_LIST", [])
    for policy in users_of_rule(context.catalog, rule.name):
        _still_reachable(context, policy)


def _attached(catalog: Catalog, policy: Name) -> tuple[str, str] | None:
    """Name what a policy is attached to."""
    if _names(catalog.parameters.get("NETWORK_POLICY"), policy):
        return "ACCOUNT", ""
    for kind in ("USER", "INTEGRATION"):
        for found in catalog.all(kind):
            if _names(found.properties.get("NETWORK_POLICY"), policy):
                return kind, f" with name {names.show(found.name)}"
    return None


def _names(value: Value, policy: Name) -> bool:
    return bool(value) and names.split(str(value)) == policy


def _require_unattached(context: Context, policy: Securable) -> None:
    attached = _attached(context.catalog, policy.name)
    if attached is not None:
        kind, which = attached
        raise errors.SnowflakeError(
            1492,
            "42601",
            f"SQL compilation error:\nCannot perform Drop operation on network policy {names.show(policy.name)}. The "
            f"policy is attached to {kind}{which}. Unset the network policy from {kind} and try the Drop operation "
            "again.",
        )


def _renamed(context: Context, old: Name, new: Name) -> None:
    """What the policy is attached to follows its name."""
    catalog = context.catalog
    if _names(catalog.parameters.get("NETWORK_POLICY"), old):
        catalog.set_parameters({**catalog.parameters, "NETWORK_POLICY": names.show(new)})
    for kind in ("USER", "INTEGRATION"):
        for found in catalog.all(kind):
            if _names(found.properties.get("NETWORK_POLICY"), old):
                found.properties["NETWORK_POLICY"] = names.show(new)
                catalog.save(found)


def _describe_policy(_: Context, policy: Securable) -> Result:
    rows: list[dict[str, Cell]] = []
    for key in (*_RULE_LISTS, *_IP_LISTS):
        values = policy.properties.get(key)
        if isinstance(values, list) and values:
            shown = [{"fullyQualifiedRuleName": names.show(policies.as_name(value))} for value in values]
            text = json.dumps(shown) if key in _RULE_LISTS else ",".join(str(value) for value in values)
            rows.append({"name": key, "value": text})
    return table(("name", "value"), rows, DESCRIBE)


def _policy_rows(_: Context, found: Sequence[Securable]) -> list[dict[str, Cell]]:
    return [
        {
            **basic(policy),
            "entries_in_allowed_ip_list": _count(policy, "ALLOWED_IP_LIST"),
            "entries_in_blocked_ip_list": _count(policy, "BLOCKED_IP_LIST"),
            "entries_in_allowed_network_rules": _count(policy, "ALLOWED_NETWORK_RULE_LIST"),
            "entries_in_blocked_network_rules": _count(policy, "BLOCKED_NETWORK_RULE_LIST"),
        }
        for policy in found
    ]


RULE = Definition(
    kind="NETWORK RULE",
    known={
        "TYPE": p.choice(*_MODES),
        "MODE": p.choice(*sorted({mode for modes in _MODES.values() for mode in modes})),
        "VALUE_LIST": _texts,
        "COMMENT": p.text,
    },
    depth=3,
    authorize_create=in_schema("NETWORK RULE"),
    validate=_validate_rule,
    fixed=("TYPE", "MODE"),
    altered=_rule_altered,
    dropped=_require_unused_rule,
    describe=_describe_rule,
)
POLICY = Definition(
    kind="NETWORK POLICY",
    known={**dict.fromkeys(_RULE_LISTS, _texts), **dict.fromkeys(_IP_LISTS, _addresses), "COMMENT": p.text},
    authorize_create=_authorize_policy,
    resolve=_resolve,
    action=_action,
    altered=_still_reachable,
    dropped=_require_unattached,
    renamed=_renamed,
    describe=_describe_policy,
)
VIEWS = {
    "NETWORK RULE": View(
        columns(
            "created_on name database_name schema_name owner comment type mode entries_in_valuelist owner_role_type"
        ),
        _rule_rows,
    ),
    "NETWORK POLICY": View(
        columns(
            "created_on name comment entries_in_allowed_ip_list entries_in_blocked_ip_list "
            "entries_in_allowed_network_rules entries_in_blocked_network_rules"
        ),
        _policy_rows,
    ),
}

"""ALTER ACCOUNT: the account's parameters, its resource monitor, and the policies that are set on it."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import ACCOUNT
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import authentication_policy, network, parameters, tagging
from hanger_lab.snowflake.statements import properties as p

_SETTINGS = {"RESOURCE_MONITOR": p.identifier}


def alter_account(parser: Parser, context: Context) -> Result:
    """Run ALTER ACCOUNT SET | UNSET after the first two words."""
    if tagging.comes(parser):
        return tagging.change_account(parser, context)
    current = dict(context.catalog.parameters)
    policed = authentication_policy.read_setting(parser, context, current, context.account)
    if policed is not None:
        parser.end()
        context.catalog.set_parameters(policed)
        return status()
    if parser.accept("UNSET"):
        removed = parser.names_list()
        parser.end()
        _authorize(context, removed)
        parameters.require_known((name for name in removed if name not in _SETTINGS), "ACCOUNT")
        context.catalog.set_parameters({name: value for name, value in current.items() if name not in removed})
        return status()
    parser.expect("SET")
    given = parser.properties()
    parser.end()
    if not given:
        raise parser.fail()
    _authorize(context, given)
    changes = p.checked("ACCOUNT", given, {**parameters.checks("ACCOUNT"), **_SETTINGS})
    _require_monitor(context, changes)
    require_network_policy(context, changes)
    context.catalog.set_parameters({**current, **changes})
    return status()


def require_network_policy(context: Context, changes: Properties) -> None:
    """Refuse a network policy that is not there, or that would lock out the session's own address."""
    name = _name(changes, "NETWORK_POLICY")
    if name is not None:
        network.require_reachable(context, context.access.require_visible("NETWORK POLICY", name))


def _authorize(context: Context, touched: list[str] | Properties) -> None:
    """The account is ACCOUNTADMIN's; a network policy alone takes ATTACH POLICY, which SECURITYADMIN has."""
    access = context.access
    if list(touched) == ["NETWORK_POLICY"] and access.holds("ATTACH POLICY", "ACCOUNT", ACCOUNT, primary_only=True):
        return
    if "ACCOUNTADMIN" not in access.primary:
        raise errors.insufficient("account", context.account)


def _require_monitor(context: Context, changes: Properties) -> None:
    name = _name(changes, "RESOURCE_MONITOR")
    if name is not None:
        context.access.require_visible("RESOURCE MONITOR", name)


def _name(changes: Properties, key: str) -> Name | None:
    value = changes.get(key)
    return names.split(value) if isinstance(value, str) and value else None

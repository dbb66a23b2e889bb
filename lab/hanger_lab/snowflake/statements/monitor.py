"""Resource monitors; the account's meter counts for them."""

from __future__ import annotations

import functools

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition
from hanger_lab.snowflake.usage import intervals

_ACTIONS = ("NOTIFY", "SUSPEND", "SUSPEND_IMMEDIATE")


def _authorize(context: Context, name: Name) -> None:
    if "ACCOUNTADMIN" not in context.access.primary:
        raise errors.insufficient("account", context.account)


def _clauses(parser: Parser) -> Properties:
    parser.accept("WITH")
    if not parser.accept("TRIGGERS"):
        return {}
    triggers: list[Value] = []
    while parser.accept("ON"):
        percent = parser.integer()
        parser.expect("PERCENT")
        parser.expect("DO")
        action = parser.word()
        if action not in _ACTIONS:
            raise errors.invalid_value(action, "TRIGGERS")
        triggers.append([percent, action])
    return {"TRIGGERS": triggers}


def _action(parser: Parser, context: Context, monitor: Securable) -> bool:
    """Replace the triggers where nothing else is set."""
    if not parser.peek("TRIGGERS"):
        return False
    context.access.require("MODIFY", "RESOURCE MONITOR", monitor.name)
    monitor.properties.update(_clauses(parser))
    return True


def _dropped(context: Context, monitor: Securable) -> None:
    """Nothing is assigned to a monitor that is gone."""
    shown = names.show(monitor.name)
    for warehouse in context.catalog.all("WAREHOUSE"):
        if warehouse.properties.get("RESOURCE_MONITOR") == shown:
            warehouse.properties = {k: v for k, v in warehouse.properties.items() if k != "RESOURCE_MONITOR"}
            context.catalog.save(warehouse)
            context.catalog.afterwards(functools.partial(context.meter.follow, warehouse))
    if context.catalog.parameters.get("RESOURCE_MONITOR") == shown:
        kept = {k: v for k, v in context.catalog.parameters.items() if k != "RESOURCE_MONITOR"}
        context.catalog.set_parameters(kept)


def _quota(name: str, value: Value) -> Value:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return value
    raise errors.invalid_value(value, name)


def _timestamp(name: str, value: Value) -> Value:
    if value is None or (name == "START_TIMESTAMP" and str(value).upper() == "IMMEDIATELY"):
        return value
    try:
        intervals.parse(str(value))
    except ValueError:
        raise errors.invalid_value(value, name) from None
    return value


DEFINITION = Definition(
    kind="RESOURCE MONITOR",
    known={
        "CREDIT_QUOTA": _quota,
        "FREQUENCY": p.choice("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"),
        "START_TIMESTAMP": _timestamp,
        "END_TIMESTAMP": _timestamp,
        "TRIGGERS": lambda name, value: value,
    },
    authorize_create=_authorize,
    alter_privilege="MODIFY",
    clauses=_clauses,
    dropped=_dropped,
    action=_action,
    stop_words=("WITH", "TRIGGERS"),
)

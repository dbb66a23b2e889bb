"""Resource monitors: stored and shown; nothing is metered yet."""

from __future__ import annotations

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition

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


def _quota(name: str, value: Value) -> Value:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return value
    raise errors.invalid_value(value, name)


DEFINITION = Definition(
    kind="RESOURCE MONITOR",
    known={
        "CREDIT_QUOTA": _quota,
        "FREQUENCY": p.choice("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"),
        "START_TIMESTAMP": p.text,
        "END_TIMESTAMP": p.text,
        "TRIGGERS": lambda name, value: value,
    },
    authorize_create=_authorize,
    alter_privilege="MODIFY",
    clauses=_clauses,
    action=_action,
    stop_words=("WITH", "TRIGGERS"),
)

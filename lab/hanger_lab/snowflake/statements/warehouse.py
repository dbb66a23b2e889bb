"""Warehouses."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import parameters
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition

SIZES = {
    "XSMALL": "X-Small",
    "SMALL": "Small",
    "MEDIUM": "Medium",
    "LARGE": "Large",
    "XLARGE": "X-Large",
    "XXLARGE": "2X-Large",
    "XXXLARGE": "3X-Large",
    "X4LARGE": "4X-Large",
    "X5LARGE": "5X-Large",
    "X6LARGE": "6X-Large",
}
_SPELLINGS = {
    "X-SMALL": "XSMALL",
    "X-LARGE": "XLARGE",
    "X2LARGE": "XXLARGE",
    "2X-LARGE": "XXLARGE",
    "X3LARGE": "XXXLARGE",
    "3X-LARGE": "XXXLARGE",
    "4X-LARGE": "X4LARGE",
    "5X-LARGE": "X5LARGE",
    "6X-LARGE": "X6LARGE",
}


def wake(context: Context, name: str) -> None:
    """Let the warehouse work for the statement, starting it if it may start by itself."""
    if not context.describe_only:
        context.meter.begin(context.session.id, context.catalog.get("WAREHOUSE", (name,)))


def _created(context: Context, warehouse: Securable) -> None:
    suspended = warehouse.properties.pop("INITIALLY_SUSPENDED", False)
    _check_monitor(context, warehouse)
    if not suspended:
        context.meter.require_quota(warehouse)
        _start(context, warehouse)
    context.session.warehouse = warehouse.name[0]


def _altered(context: Context, warehouse: Securable) -> None:
    _check_monitor(context, warehouse)
    context.catalog.afterwards(lambda: context.meter.follow(warehouse))


def _start(context: Context, warehouse: Securable) -> None:
    warehouse.properties["RESUMED"] = context.clock()
    context.catalog.afterwards(lambda: context.meter.resume(warehouse))


def _check_monitor(context: Context, warehouse: Securable) -> None:
    monitor = warehouse.properties.get("RESOURCE_MONITOR")
    if isinstance(monitor, str) and context.catalog.find("RESOURCE MONITOR", names.split(monitor)) is None:
        raise errors.missing("RESOURCE MONITOR", monitor)


def _dropped(context: Context, warehouse: Securable) -> None:
    name = warehouse.name[0]
    context.catalog.afterwards(lambda: context.meter.forget(name))
    if context.session.warehouse == warehouse.name[0]:
        context.session.warehouse = None


def _renamed(context: Context, old: Name, new: Name) -> None:
    context.catalog.afterwards(lambda: context.meter.rename(old[0], new[0]))
    if context.session.warehouse == old[0]:
        context.session.warehouse = new[0]


def _action(parser: Parser, context: Context, warehouse: Securable) -> bool:
    if parser.accept("SUSPEND"):
        context.access.require("OPERATE", "WAREHOUSE", warehouse.name)
        if context.meter.state(warehouse) != "STARTED":
            raise errors.SnowflakeError(
                90064, "22000", f"Invalid state. Warehouse '{names.show(warehouse.name)}' cannot be suspended."
            )
        context.catalog.afterwards(lambda: context.meter.suspend(warehouse.name[0]))
        return True
    if parser.accept("RESUME"):
        context.access.require("OPERATE", "WAREHOUSE", warehouse.name)
        if_suspended = parser.accept("IF", "SUSPENDED")
        running = context.meter.state(warehouse) == "STARTED"
        if running and not if_suspended:
            raise errors.SnowflakeError(
                90063, "22000", f"Invalid state. Warehouse '{names.show(warehouse.name)}' cannot be resumed."
            )
        if not running:
            context.meter.require_quota(warehouse)
            _start(context, warehouse)
        return True
    if parser.accept("ABORT", "ALL", "QUERIES"):
        raise errors.unsupported("ABORT ALL QUERIES")
    return False


DEFINITION = Definition(
    kind="WAREHOUSE",
    known={
        "WAREHOUSE_TYPE": p.choice("STANDARD", "SNOWPARK-OPTIMIZED"),
        "WAREHOUSE_SIZE": p.choice(*SIZES, aliases=_SPELLINGS),
        "MAX_CLUSTER_COUNT": p.integer(1, 300),
        "MIN_CLUSTER_COUNT": p.integer(1, 300),
        "SCALING_POLICY": p.choice("STANDARD", "ECONOMY"),
        "AUTO_SUSPEND": p.integer(0, 31_536_000),
        "AUTO_RESUME": p.boolean,
        "INITIALLY_SUSPENDED": p.boolean,
        "RESOURCE_MONITOR": p.identifier,
        "COMMENT": p.text,
        "ENABLE_QUERY_ACCELERATION": p.boolean,
        "QUERY_ACCELERATION_MAX_SCALE_FACTOR": p.integer(0, 100),
        **parameters.checks("WAREHOUSE"),
    },
    authorize_create=lambda context, name: context.access.require_account("CREATE WAREHOUSE"),
    alter_privilege="MODIFY",
    action=_action,
    created=_created,
    altered=_altered,
    dropped=_dropped,
    renamed=_renamed,
    stop_words=("WITH",),
)

"""Warehouses."""

from __future__ import annotations

import time

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


def state(warehouse: Securable) -> str:
    """STARTED or SUSPENDED; a warehouse that is idle for longer than AUTO_SUSPEND is suspended."""
    if warehouse.properties.get("STATE") != "STARTED":
        return "SUSPENDED"
    idle_after = warehouse.properties.get("AUTO_SUSPEND", 600)
    used = warehouse.properties.get("USED")
    if isinstance(idle_after, int) and idle_after > 0 and isinstance(used, float) and time.time() - used > idle_after:
        return "SUSPENDED"
    return "STARTED"


def wake(context: Context, name: str) -> None:
    """Note that a statement runs on the warehouse, starting it if it may start by itself."""
    warehouse = context.catalog.get("WAREHOUSE", (name,))
    running = state(warehouse) == "STARTED"
    if not running and warehouse.properties.get("AUTO_RESUME", True) is False:
        raise errors.no_warehouse()
    warehouse.properties["USED"] = time.time()
    if not running:
        warehouse.properties.update(STATE="STARTED", RESUMED=time.time())
        with context.catalog.change():
            context.catalog.save(warehouse)


def _created(context: Context, warehouse: Securable) -> None:
    suspended = warehouse.properties.pop("INITIALLY_SUSPENDED", False)
    warehouse.properties.update(STATE="SUSPENDED" if suspended else "STARTED", USED=time.time())
    _check_monitor(context, warehouse)
    context.session.warehouse = warehouse.name[0]


def _check_monitor(context: Context, warehouse: Securable) -> None:
    monitor = warehouse.properties.get("RESOURCE_MONITOR")
    if isinstance(monitor, str) and context.catalog.find("RESOURCE MONITOR", names.split(monitor)) is None:
        raise errors.missing("RESOURCE MONITOR", monitor)


def _dropped(context: Context, warehouse: Securable) -> None:
    if context.session.warehouse == warehouse.name[0]:
        context.session.warehouse = None


def _renamed(context: Context, old: Name, new: Name) -> None:
    if context.session.warehouse == old[0]:
        context.session.warehouse = new[0]


def _action(parser: Parser, context: Context, warehouse: Securable) -> bool:
    if parser.accept("SUSPEND"):
        context.access.require("OPERATE", "WAREHOUSE", warehouse.name)
        if state(warehouse) == "SUSPENDED":
            raise errors.SnowflakeError(
                90064, "22000", f"Invalid state. Warehouse '{names.show(warehouse.name)}' cannot be suspended."
            )
        warehouse.properties["STATE"] = "SUSPENDED"
        return True
    if parser.accept("RESUME"):
        context.access.require("OPERATE", "WAREHOUSE", warehouse.name)
        if_suspended = parser.accept("IF", "SUSPENDED")
        if state(warehouse) == "STARTED" and not if_suspended:
            raise errors.SnowflakeError(
                90063, "22000", f"Invalid state. Warehouse '{names.show(warehouse.name)}' cannot be resumed."
            )
        warehouse.properties.update(STATE="STARTED", USED=time.time(), RESUMED=time.time())
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
    dropped=_dropped,
    renamed=_renamed,
    stop_words=("WITH",),
)

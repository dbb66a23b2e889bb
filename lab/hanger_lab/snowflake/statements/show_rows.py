"""The columns of SHOW for each kind of object, in the order Snowflake documents, and how a row is filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.parser import Value
from hanger_lab.snowflake.results import Cell
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import user, warehouse

Row = dict[str, Cell]


@dataclass(frozen=True)
class View:
    """How one kind of object is shown."""

    columns: tuple[str, ...]
    rows: Callable[[Context, Sequence[Securable]], list[Row]]


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _scalar(value: Value, default: Cell = None) -> Cell:
    return default if value is None or isinstance(value, list) else value


def _flag(value: object) -> str:
    return str(bool(value)).lower()


def _mark(value: bool) -> str:
    return "Y" if value else "N"


def _basic(shown: Securable) -> Row:
    owner_type = "ROLE" if shown.owner else ""
    return {
        "created_on": shown.created,
        "name": shown.name[-1],
        "owner": shown.owner,
        "comment": shown.comment,
        "owner_role_type": owner_type,
        "is_default": "N",
        "is_current": "N",
    }


def _warehouses(context: Context, objects: Sequence[Securable]) -> list[Row]:
    rows: list[Row] = []
    for shown in objects:
        given = shown.properties
        running = warehouse.state(shown) == "STARTED"
        row: Row = {
            "state": warehouse.state(shown),
            "type": _scalar(given.get("WAREHOUSE_TYPE"), "STANDARD"),
            "size": warehouse.SIZES[str(given.get("WAREHOUSE_SIZE") or "XSMALL")],
            "min_cluster_count": _scalar(given.get("MIN_CLUSTER_COUNT"), 1),
            "max_cluster_count": _scalar(given.get("MAX_CLUSTER_COUNT"), 1),
            "started_clusters": int(running),
            "running": 0,
            "queued": 0,
            "is_current": _mark(shown.name[0] == context.session.warehouse),
            "auto_suspend": _scalar(given.get("AUTO_SUSPEND", 600)),
            "auto_resume": _flag(given.get("AUTO_RESUME", True)),
            "available": "100" if running else "",
            "provisioning": "0" if running else "",
            "quiescing": "0" if running else "",
            "other": "0" if running else "",
            "resumed_on": _scalar(given.get("RESUMED"), shown.created),
            "updated_on": shown.created,
            "enable_query_acceleration": _flag(given.get("ENABLE_QUERY_ACCELERATION")),
            "query_acceleration_max_scale_factor": _scalar(given.get("QUERY_ACCELERATION_MAX_SCALE_FACTOR"), 8),
            "resource_monitor": _scalar(given.get("RESOURCE_MONITOR"), "null"),
            "actives": int(running),
            "pendings": 0,
            "failed": 0,
            "suspended": int(not running),
            "uuid": "0",
            "scaling_policy": _scalar(given.get("SCALING_POLICY"), "STANDARD"),
        }
        rows.append({**_basic(shown), **row})
    return rows


def _databases(context: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **_basic(shown),
            "is_current": _mark(shown.name[0] == context.session.database),
            "origin": "",
            "options": "",
            "retention_time": str(shown.properties.get("DATA_RETENTION_TIME_IN_DAYS", 1)),
            "kind": "STANDARD",
        }
        for shown in objects
    ]


def _schemas(context: Context, objects: Sequence[Securable]) -> list[Row]:
    current = (context.session.database, context.session.schema)
    return [
        {
            **_basic(shown),
            "is_current": _mark(shown.name == current),
            "database_name": shown.name[0],
            "options": "MANAGED ACCESS" if shown.properties.get("MANAGED_ACCESS") else "",
            "retention_time": str(shown.properties.get("DATA_RETENTION_TIME_IN_DAYS", 1)),
        }
        for shown in objects
    ]


def _roles(context: Context, objects: Sequence[Securable]) -> list[Row]:
    given = context.catalog.role_grants()
    inherited = context.access.primary
    default = context.catalog.get("USER", (context.session.user,)).properties.get("DEFAULT_ROLE")
    rows: list[Row] = []
    for shown in objects:
        role = shown.name[0]
        row: Row = {
            "is_default": _mark(role == default),
            "is_current": _mark(role == context.session.role),
            "is_inherited": _mark(role in inherited and role != context.session.role),
            "assigned_to_users": sum(g.role == role and g.to_kind == "USER" for g in given),
            "granted_to_roles": sum(g.role == role and g.to_kind == "ROLE" for g in given),
            "granted_roles": sum((g.to_kind, g.to_name) == ("ROLE", role) for g in given),
        }
        rows.append({**_basic(shown), **row})
    return rows


def _users(context: Context, objects: Sequence[Securable]) -> list[Row]:
    rows: list[Row] = []
    for shown in objects:
        given = shown.properties
        row: Row = {name.lower(): _scalar(given.get(name), "") for name in _USER_TEXTS}
        row.update(
            login_name=user.login_name(shown),
            display_name=_scalar(given.get("DISPLAY_NAME"), shown.name[0]),
            days_to_expiry="",
            mins_to_unlock="",
            mins_to_bypass_mfa="",
            disabled=_flag(given.get("DISABLED")),
            must_change_password=_flag(given.get("MUST_CHANGE_PASSWORD")),
            snowflake_lock="false",
            default_secondary_roles='["ALL"]' if user.secondary_roles(shown) else "[]",
            ext_authn_duo="false",
            ext_authn_uid="",
            has_password=_flag(given.get("PASSWORD")),
            has_rsa_public_key=_flag(given.get("RSA_PUBLIC_KEY") or given.get("RSA_PUBLIC_KEY_2")),
            has_mfa="false",
            has_pat="false",
            has_workload_identity="false",
        )
        rows.append({**_basic(shown), **row})
    return rows


def _monitors(context: Context, objects: Sequence[Securable]) -> list[Row]:
    used = {w.properties.get("RESOURCE_MONITOR") for w in context.catalog.all("WAREHOUSE")}
    rows: list[Row] = []
    for shown in objects:
        quota = shown.properties.get("CREDIT_QUOTA")
        amount = f"{float(quota):.2f}" if isinstance(quota, (int, float)) else None
        on_account = context.catalog.parameters.get("RESOURCE_MONITOR") == shown.name[0]
        level = "ACCOUNT" if on_account else "WAREHOUSE" if shown.name[0] in used else None
        row: Row = {
            "credit_quota": amount,
            "used_credits": "0.00",
            "remaining_credits": amount,
            "level": level,
            "frequency": _scalar(shown.properties.get("FREQUENCY"), "MONTHLY"),
            "notify_at": _triggers(shown, "NOTIFY"),
            "suspend_at": _triggers(shown, "SUSPEND"),
            "suspend_immediately_at": _triggers(shown, "SUSPEND_IMMEDIATE"),
        }
        rows.append({**_basic(shown), **row})
    return rows


def _triggers(shown: Securable, action: str) -> str | None:
    triggers = shown.properties.get("TRIGGERS")
    found = [t[0] for t in triggers if isinstance(t, list) and t[1] == action] if isinstance(triggers, list) else []
    return ",".join(f"{percent}%" for percent in found) or None


def _relations(context: Context, objects: Sequence[Securable]) -> list[Row]:
    sizes = context.engine.row_counts()
    comments = context.engine.comments()
    rows: list[Row] = []
    for shown in objects:
        is_table = shown.kind == "TABLE"
        row: Row = {
            "database_name": shown.name[0],
            "schema_name": shown.name[1],
            "kind": "VIEW" if not is_table else str(shown.properties.get("TABLE_KIND") or "TABLE"),
            "comment": comments.get(shown.name) or shown.comment,
            "cluster_by": "",
            "rows": sizes.get(shown.name) if is_table else None,
            "bytes": 0 if is_table else None,
            "retention_time": "1",
            "automatic_clustering": "OFF",
            "change_tracking": "OFF",
            "text": context.engine.view_text(shown.name) if not is_table else None,
            "reserved": "",
            **dict.fromkeys(("is_external", "enable_schema_evolution", "is_event", "is_hybrid", "is_iceberg"), "N"),
            **dict.fromkeys(("is_dynamic", "is_immutable"), "N"),
            "is_secure": "false",
            "is_materialized": "false",
        }
        rows.append({**_basic(shown), **row})
    return rows


def _others(context: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **_basic(shown),
            "database_name": shown.name[0],
            "schema_name": shown.name[1],
            "url": "",
            "has_credentials": "N",
            "has_encryption_key": "N",
            "type": str(shown.properties.get("TYPE") or "INTERNAL"),
            "directory_enabled": "N",
            "next_value": None,
            "interval": 1,
        }
        for shown in objects
    ]


_USER_TEXTS = (
    "FIRST_NAME", "LAST_NAME", "EMAIL", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "DEFAULT_ROLE", "TYPE",
)  # fmt: skip


def _objects(context: Context, objects: Sequence[Securable]) -> list[Row]:
    """SHOW OBJECTS calls a transient table a table, too; dbt takes any other kind for a foreign one."""
    return [{**row, "kind": shown.kind} for row, shown in zip(_relations(context, objects), objects, strict=True)]


COLUMN_COLUMNS = _columns(
    "table_name schema_name column_name data_type null? default kind expression comment database_name autoincrement"
)
OBJECT = View(
    _columns(
        "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time "
        "owner_role_type is_hybrid is_dynamic is_iceberg"
    ),
    _objects,
)
VIEWS = {
    "WAREHOUSE": View(
        _columns(
            "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default "
            "is_current auto_suspend auto_resume available provisioning quiescing other created_on resumed_on "
            "updated_on owner comment enable_query_acceleration query_acceleration_max_scale_factor resource_monitor "
            "actives pendings failed suspended uuid scaling_policy budget owner_role_type resource_constraint"
        ),
        _warehouses,
    ),
    "DATABASE": View(
        _columns(
            "created_on name is_default is_current origin owner comment options retention_time kind budget "
            "owner_role_type object_visibility"
        ),
        _databases,
    ),
    "SCHEMA": View(
        _columns(
            "created_on name is_default is_current database_name owner comment options retention_time "
            "owner_role_type classification_profile_database classification_profile_schema classification_profile "
            "object_visibility"
        ),
        _schemas,
    ),
    "ROLE": View(
        _columns(
            "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles "
            "owner comment"
        ),
        _roles,
    ),
    "USER": View(
        _columns(
            "name created_on login_name display_name first_name last_name email mins_to_unlock days_to_expiry "
            "comment disabled must_change_password snowflake_lock default_warehouse default_namespace default_role "
            "default_secondary_roles ext_authn_duo ext_authn_uid mins_to_bypass_mfa owner last_success_login "
            "expires_at_time locked_until_time has_password has_rsa_public_key type has_mfa has_pat "
            "has_workload_identity"
        ),
        _users,
    ),
    "RESOURCE MONITOR": View(
        _columns(
            "name credit_quota used_credits remaining_credits level frequency start_time end_time notify_at "
            "suspend_at suspend_immediately_at created_on owner comment notify_users"
        ),
        _monitors,
    ),
    "TABLE": View(
        _columns(
            "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time "
            "automatic_clustering change_tracking is_external enable_schema_evolution owner_role_type is_event "
            "budget is_hybrid is_iceberg is_dynamic is_immutable"
        ),
        _relations,
    ),
    "VIEW": View(
        _columns(
            "created_on name reserved database_name schema_name owner comment text is_secure is_materialized "
            "owner_role_type change_tracking"
        ),
        _relations,
    ),
    "STAGE": View(
        _columns(
            "created_on name database_name schema_name url has_credentials has_encryption_key owner comment region "
            "type cloud notification_channel storage_integration endpoint owner_role_type directory_enabled"
        ),
        _others,
    ),
    "SEQUENCE": View(
        _columns("name database_name schema_name next_value interval created_on owner comment owner_role_type ordered"),
        _others,
    ),
    "FILE FORMAT": View(
        _columns("created_on name database_name schema_name type owner comment format_options owner_role_type"),
        _others,
    ),
}

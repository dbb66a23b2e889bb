"""The columns of SHOW for each kind of object, in the order Snowflake documents, and how a row is filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hanger_lab.snowflake import lockout, names, tokens
from hanger_lab.snowflake.model import SHARED, Securable, role_kind
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import parameters, user, warehouse
from hanger_lab.snowflake.statements.views import Row, View, basic, columns, scalar
from hanger_lab.snowflake.usage import intervals


def _flag(value: object) -> str:
    return str(bool(value)).lower()


def _mark(value: bool) -> str:
    return "Y" if value else "N"


def _warehouses(context: Context, objects: Sequence[Securable]) -> list[Row]:
    rows: list[Row] = []
    for shown in objects:
        given = shown.properties
        state = context.meter.state(shown)
        running = state != "SUSPENDED"
        row: Row = {
            "state": state,
            "type": scalar(given.get("WAREHOUSE_TYPE"), "STANDARD"),
            "size": warehouse.SIZES[str(given.get("WAREHOUSE_SIZE") or "XSMALL")],
            "min_cluster_count": scalar(given.get("MIN_CLUSTER_COUNT"), 1),
            "max_cluster_count": scalar(given.get("MAX_CLUSTER_COUNT"), 1),
            "started_clusters": int(running),
            "running": len(context.meter.working(shown.name[0])),
            "queued": 0,
            "is_current": _mark(shown.name[0] == context.session.warehouse),
            "auto_suspend": scalar(given.get("AUTO_SUSPEND", 600)),
            "auto_resume": _flag(given.get("AUTO_RESUME", True)),
            "available": "100" if running else "",
            "provisioning": "0" if running else "",
            "quiescing": "0" if running else "",
            "other": "0" if running else "",
            "resumed_on": scalar(given.get("RESUMED"), shown.created),
            "updated_on": shown.created,
            "enable_query_acceleration": _flag(given.get("ENABLE_QUERY_ACCELERATION")),
            "query_acceleration_max_scale_factor": scalar(given.get("QUERY_ACCELERATION_MAX_SCALE_FACTOR"), 8),
            "resource_monitor": scalar(given.get("RESOURCE_MONITOR"), "null"),
            "actives": int(running),
            "pendings": 0,
            "failed": 0,
            "suspended": int(not running),
            "uuid": "0",
            "scaling_policy": scalar(given.get("SCALING_POLICY"), "STANDARD"),
        }
        rows.append({**basic(shown), **row})
    return rows


def _retention(context: Context, shown: Securable) -> str:
    return str(parameters.effective(context.catalog, shown, "DATA_RETENTION_TIME_IN_DAYS").value)


def _databases(context: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **basic(shown),
            "is_current": _mark(shown.name[0] == context.session.database),
            "origin": "",
            "options": "",
            "retention_time": _retention(context, shown),
            "kind": "APPLICATION" if shown.name == SHARED else "STANDARD",
        }
        for shown in objects
    ]


def _schemas(context: Context, objects: Sequence[Securable]) -> list[Row]:
    current = (context.session.database, context.session.schema)
    return [
        {
            **basic(shown),
            "is_current": _mark(shown.name == current),
            "database_name": shown.name[0],
            "options": "MANAGED ACCESS" if shown.properties.get("MANAGED_ACCESS") else "",
            "retention_time": _retention(context, shown),
        }
        for shown in objects
    ]


def _roles(context: Context, objects: Sequence[Securable]) -> list[Row]:
    given = context.catalog.role_grants()
    members = Counter((g.role, g.to_kind) for g in given)
    held = Counter(g.to_name for g in given if g.to_kind == "ROLE" and role_kind(g.role) == "ROLE")
    inherited = context.access.primary
    default = context.catalog.get("USER", (context.session.user,)).properties.get("DEFAULT_ROLE")
    rows: list[Row] = []
    for shown in objects:
        role = shown.name[0]
        row: Row = {
            "is_default": _mark(role == default),
            "is_current": _mark(role == context.session.role),
            "is_inherited": _mark(role in inherited and role != context.session.role),
            "assigned_to_users": members[role, "USER"],
            "granted_to_roles": members[role, "ROLE"],
            "granted_roles": held[role],
        }
        rows.append({**basic(shown), **row})
    return rows


def _users(context: Context, objects: Sequence[Securable]) -> list[Row]:
    rows: list[Row] = []
    now = context.clock()
    for shown in objects:
        given = shown.properties
        row: Row = {name.lower(): scalar(given.get(name), "") for name in _USER_TEXTS}
        row.update(
            login_name=user.login_name(shown),
            display_name=scalar(given.get("DISPLAY_NAME"), shown.name[0]),
            days_to_expiry=lockout.days_left(shown, now) or "",
            mins_to_unlock=str(lockout.minutes_left(shown, now) or ""),
            expires_at_time=lockout.expires_at(shown),
            locked_until_time=lockout.locked_until(shown, now),
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
            has_pat=_flag(any(now < token.expires for token in tokens.of(shown))),
            has_workload_identity="false",
        )
        rows.append({**basic(shown), **row})
    return rows


def _monitors(context: Context, objects: Sequence[Securable]) -> list[Row]:
    used = {w.properties.get("RESOURCE_MONITOR") for w in context.catalog.all("WAREHOUSE")}
    whole = context.catalog.parameters.get("RESOURCE_MONITOR")
    rows: list[Row] = []
    for shown in objects:
        quota = shown.properties.get("CREDIT_QUOTA")
        amount = f"{float(quota):.2f}" if isinstance(quota, (int, float)) else None
        name = names.show(shown.name)
        level = "ACCOUNT" if name == whole else "WAREHOUSE" if name in used else None
        spent = context.meter.used(shown)
        left = f"{max(0.0, float(quota) - spent):.2f}" if isinstance(quota, (int, float)) else None
        row: Row = {
            "credit_quota": amount,
            "used_credits": f"{spent:.2f}",
            "remaining_credits": left,
            "level": level,
            "start_time": intervals.beginning(shown.properties, shown.created),
            "end_time": intervals.ending(shown.properties),
            "frequency": scalar(shown.properties.get("FREQUENCY"), "MONTHLY"),
            "notify_at": _triggers(shown, "NOTIFY"),
            "suspend_at": _triggers(shown, "SUSPEND"),
            "suspend_immediately_at": _triggers(shown, "SUSPEND_IMMEDIATE"),
        }
        rows.append({**basic(shown), **row})
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
            "retention_time": _retention(context, shown),
            "automatic_clustering": "OFF",
            "change_tracking": "OFF",
            "text": context.engine.view_text(shown.name) if not is_table else None,
            "reserved": "",
            **dict.fromkeys(("is_external", "enable_schema_evolution", "is_event", "is_hybrid", "is_iceberg"), "N"),
            **dict.fromkeys(("is_dynamic", "is_immutable"), "N"),
            "is_secure": "false",
            "is_materialized": "false",
        }
        rows.append({**basic(shown), **row})
    return rows


def _others(context: Context, objects: Sequence[Securable]) -> list[Row]:
    return [
        {
            **basic(shown),
            "database_name": shown.name[0],
            "schema_name": shown.name[1],
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


COLUMN_COLUMNS = columns(
    "table_name schema_name column_name data_type null? default kind expression comment database_name autoincrement"
)
OBJECT = View(
    columns(
        "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time "
        "owner_role_type is_hybrid is_dynamic is_iceberg"
    ),
    _objects,
)
VIEWS = {
    "WAREHOUSE": View(
        columns(
            "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default "
            "is_current auto_suspend auto_resume available provisioning quiescing other created_on resumed_on "
            "updated_on owner comment enable_query_acceleration query_acceleration_max_scale_factor resource_monitor "
            "actives pendings failed suspended uuid scaling_policy budget owner_role_type resource_constraint"
        ),
        _warehouses,
    ),
    "DATABASE": View(
        columns(
            "created_on name is_default is_current origin owner comment options retention_time kind budget "
            "owner_role_type object_visibility"
        ),
        _databases,
    ),
    "SCHEMA": View(
        columns(
            "created_on name is_default is_current database_name owner comment options retention_time "
            "owner_role_type classification_profile_database classification_profile_schema classification_profile "
            "object_visibility"
        ),
        _schemas,
    ),
    "ROLE": View(
        columns(
            "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles "
            "owner comment"
        ),
        _roles,
    ),
    "USER": View(
        columns(
            "name created_on login_name display_name first_name last_name email mins_to_unlock days_to_expiry "
            "comment disabled must_change_password snowflake_lock default_warehouse default_namespace default_role "
            "default_secondary_roles ext_authn_duo ext_authn_uid mins_to_bypass_mfa owner last_success_login "
            "expires_at_time locked_until_time has_password has_rsa_public_key type has_mfa has_pat "
            "has_workload_identity"
        ),
        _users,
    ),
    "RESOURCE MONITOR": View(
        columns(
            "name credit_quota used_credits remaining_credits level frequency start_time end_time notify_at "
            "suspend_at suspend_immediately_at created_on owner comment notify_users"
        ),
        _monitors,
    ),
    "TABLE": View(
        columns(
            "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time "
            "automatic_clustering change_tracking is_external enable_schema_evolution owner_role_type is_event "
            "budget is_hybrid is_iceberg is_dynamic is_immutable"
        ),
        _relations,
    ),
    "VIEW": View(
        columns(
            "created_on name reserved database_name schema_name owner comment text is_secure is_materialized "
            "owner_role_type change_tracking"
        ),
        _relations,
    ),
    "SEQUENCE": View(
        columns("name database_name schema_name next_value interval created_on owner comment owner_role_type ordered"),
        _others,
    ),
}

"""SHOW for the kinds of objects of which the account can hold none, because their CREATE is refused.

Clients that look at a whole schema ask for them: dbt for functions, SnowDDL and snowflake-sqlalchemy for the rest.
The first columns are those that Snowflake documents for every kind; those of one kind alone are left out.
"""

from __future__ import annotations

from hanger_lab.snowflake.results import SHOW, Column, Result

_IN_SCHEMAS = (
    "AGGREGATION POLICIES", "ALERTS", "AS RESOURCE DYNAMIC TABLES", "BACKUP POLICIES", "BACKUP SETS", "DYNAMIC TABLES",
    "EVENT TABLES", "EXTERNAL FUNCTIONS", "EXTERNAL TABLES", "HYBRID TABLES", "ICEBERG TABLES", "INDEXES",
    "JOIN POLICIES", "MASKING POLICIES", "MATERIALIZED VIEWS", "PIPES", "PROJECTION POLICIES", "ROW ACCESS POLICIES",
    "SECRETS", "SEMANTIC VIEWS", "STREAMS", "TASKS", "USER FUNCTIONS", "USER PROCEDURES",
)  # fmt: skip
_IN_ACCOUNTS = ("EXTERNAL ACCESS INTEGRATIONS", "SHARES")
_PLACED = ("created_on", "name", "database_name", "schema_name", "owner", "comment", "owner_role_type")
_ROUTINE = (
    "created_on", "name", "schema_name", "is_builtin", "is_aggregate", "is_ansi", "min_num_arguments",
    "max_num_arguments", "arguments", "description", "catalog_name", "is_table_function", "valid_for_clustering",
    "is_secure", "secrets", "external_access_integrations", "is_external_function", "language", "is_memoizable",
    "is_data_metric",
)  # fmt: skip
_TABLE = (
    "created_on", "name", "database_name", "schema_name", "cluster_by", "rows", "bytes", "owner", "comment", "text",
)  # fmt: skip
_COLUMNS = {
    "DYNAMIC TABLES": (*_TABLE, "target_lag", "refresh_mode", "warehouse", "scheduling_state", "owner_role_type"),
    "INDEXES": ("created_on", "name", "is_unique", "columns", "included_columns", "table", "database_name",
                "schema_name", "owner", "owner_role_type"),
    "SHARES": ("created_on", "kind", "owner_account", "name", "database_name", "to", "owner", "comment",
               "listing_global_name"),
    "USER FUNCTIONS": _ROUTINE,
    "USER PROCEDURES": _ROUTINE,
}  # fmt: skip


KINDS = (*_IN_SCHEMAS, *_IN_ACCOUNTS)


def is_placed(kind: str) -> bool:
    """Whether objects of the kind belong to a schema, so that SHOW without IN means the current one."""
    return kind in _IN_SCHEMAS


def nothing(kind: str) -> Result:
    """Answer with no rows."""
    return Result([Column(name) for name in _COLUMNS.get(kind, _PLACED)], [], SHOW)

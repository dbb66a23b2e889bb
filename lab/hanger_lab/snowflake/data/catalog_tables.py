"""The views of INFORMATION_SCHEMA and ACCOUNT_USAGE whose content is the catalogue, as rows for the roles in force.

Columns are those of docs.snowflake.com/en/sql-reference/info-schema/<view> and .../account-usage/<view>. ACCOUNT_USAGE
shows everything, INFORMATION_SCHEMA what the roles in force may know. What was dropped is not remembered: DELETED_ON is
always NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from hanger_lab.snowflake.data import keys
from hanger_lab.snowflake.model import Grant, Securable
from hanger_lab.snowflake.session import Context

Row = dict[str, Any]
Filler = Callable[[Context, str], Iterable[Row]]
Tables = dict[str, tuple[dict[str, pa.DataType], Filler]]

_TEXT, _NUMBER, _TIME, _FLAG = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC"), pa.bool_()


def table(tables: Tables, name: str, context: Context, database: str) -> pa.Table:
    """Fill one of the tables, for a database where it belongs to one."""
    schema, fill = tables[name]
    rows = [{column: row.get(column) for column in schema} for row in fill(context, database)]
    return pa.Table.from_pylist(rows, schema=pa.schema(list(schema.items())))


def columns(texts: str, numbers: str = "", times: str = "", flags: str = "") -> dict[str, pa.DataType]:
    """Describe columns by their kinds, in this order of kinds."""
    kinds = ((texts, _TEXT), (numbers, _NUMBER), (times, _TIME), (flags, _FLAG))
    return {column: kind for part, kind in kinds for column in part.split()}


def moment(seconds: float) -> datetime:
    """Write a time of the catalogue as SQL has it."""
    return datetime.fromtimestamp(seconds, UTC)


def _yes(value: object) -> str:
    return "YES" if value else "NO"


def _dated(found: Securable) -> Row:
    made = moment(found.created)
    return {"CREATED": made, "LAST_ALTERED": made, "LAST_DDL": made, "LAST_DDL_BY": found.owner}


def _listed(context: Context, kind: str, within: tuple[str, ...]) -> list[Securable]:
    return [o for o in context.catalog.all(kind, within) if context.access.lists(kind, o.name)]


def _place(found: Securable, prefix: str) -> Row:
    catalog, schema, name = found.name
    return {f"{prefix}_CATALOG": catalog, f"{prefix}_SCHEMA": schema, f"{prefix}_NAME": name}


# -- INFORMATION_SCHEMA -----------------------------------------------------------------------------------------------


def _tables(context: Context, database: str) -> Iterable[Row]:
    sizes, comments = context.engine.row_counts(), context.engine.comments()
    for kind in ("TABLE", "VIEW"):
        for found in _listed(context, kind, (database,)):
            own = str(found.properties.get("TABLE_KIND") or "")
            is_table = kind == "TABLE"
            yield {
                **_place(found, "TABLE"),
                **_dated(found),
                "TABLE_OWNER": found.owner,
                "TABLE_TYPE": ("LOCAL TEMPORARY" if own == "TEMPORARY" else "BASE TABLE") if is_table else "VIEW",
                "IS_TRANSIENT": _yes(own == "TRANSIENT") if is_table else None,
                "ROW_COUNT": sizes.get(found.name) if is_table else None,
                "BYTES": 0 if is_table else None,
                "RETENTION_TIME": 1 if is_table else None,
                "IS_INSERTABLE_INTO": _yes(is_table),
                "IS_TYPED": "YES",
                "AUTO_CLUSTERING_ON": "NO" if is_table else None,
                "COMMENT": comments.get(found.name) or found.comment or None,
                "IS_TEMPORARY": _yes(own == "TEMPORARY"),
                **dict.fromkeys(("IS_ICEBERG", "IS_DYNAMIC", "IS_IMMUTABLE", "IS_HYBRID"), "NO"),
            }


def _views(context: Context, database: str) -> Iterable[Row]:
    for found in _listed(context, "VIEW", (database,)):
        yield {
            **_place(found, "TABLE"),
            **_dated(found),
            "TABLE_OWNER": found.owner,
            "VIEW_DEFINITION": context.engine.view_text(found.name),
            "CHECK_OPTION": "NONE",
            **dict.fromkeys(("IS_UPDATABLE", "INSERTABLE_INTO", "IS_SECURE"), "NO"),
            "COMMENT": found.comment or None,
        }


def _schemata(context: Context, database: str) -> Iterable[Row]:
    for found in _listed(context, "SCHEMA", (database,)):
        yield {
            **_dated(found),
            "CATALOG_NAME": database,
            "SCHEMA_NAME": found.name[1],
            "SCHEMA_OWNER": found.owner,
            "IS_TRANSIENT": _yes(found.properties.get("TRANSIENT")),
            "IS_MANAGED_ACCESS": _yes(found.properties.get("MANAGED_ACCESS")),
            "RETENTION_TIME": 1,
            "COMMENT": found.comment or None,
            "OWNER_ROLE_TYPE": "ROLE",
        }
    yield {"CATALOG_NAME": database, "SCHEMA_NAME": "INFORMATION_SCHEMA", "IS_TRANSIENT": "NO"}


def _databases(context: Context, _: str) -> Iterable[Row]:
    for found in _listed(context, "DATABASE", ()):
        yield {
            **_dated(found),
            "DATABASE_NAME": found.name[0],
            "DATABASE_OWNER": found.owner,
            "IS_TRANSIENT": _yes(found.properties.get("TRANSIENT")),
            "COMMENT": found.comment or None,
            "RETENTION_TIME": 1,
            "TYPE": "STANDARD",
            "OWNER_ROLE_TYPE": "ROLE",
        }


def _stages(context: Context, database: str) -> Iterable[Row]:
    for found in _listed(context, "STAGE", (database,)):
        about = {"STAGE_OWNER": found.owner, "STAGE_TYPE": "Internal Named", "COMMENT": found.comment or None}
        yield {**_place(found, "STAGE"), **_dated(found), **about}


def _sequences(context: Context, database: str) -> Iterable[Row]:
    for found in _listed(context, "SEQUENCE", (database,)):
        about = {"SEQUENCE_OWNER": found.owner, "DATA_TYPE": "NUMBER", "NUMERIC_PRECISION": 38, "NUMERIC_SCALE": 0}
        yield {**_place(found, "SEQUENCE"), **_dated(found), **about, "COMMENT": found.comment or None}


def _file_formats(context: Context, database: str) -> Iterable[Row]:
    for found in _listed(context, "FILE FORMAT", (database,)):
        about = {"FILE_FORMAT_OWNER": found.owner, "FILE_FORMAT_TYPE": str(found.properties.get("TYPE") or "CSV")}
        yield {**_place(found, "FILE_FORMAT"), **_dated(found), **about, "COMMENT": found.comment or None}


def _constraints(context: Context, database: str) -> Iterable[Row]:
    for found in _listed(context, "TABLE", (database,)):
        for key in keys.of(found):
            place = {"CONSTRAINT_CATALOG": database, "CONSTRAINT_SCHEMA": found.name[1], "CONSTRAINT_NAME": key.name}
            yield {
                **place,
                **_place(found, "TABLE"),
                **_dated(found),
                "CONSTRAINT_TYPE": key.kind,
                "IS_DEFERRABLE": "NO",
                "INITIALLY_DEFERRED": "YES",
                "ENFORCED": "NO",
                "RELY": "NO",
            }


def _enabled_roles(context: Context, _: str) -> Iterable[Row]:
    for role in sorted(context.access.all):
        found = context.catalog.find("ROLE", (role,))
        yield {"ROLE_NAME": role, "ROLE_OWNER": found.owner if found is not None else None}


def _applicable_roles(context: Context, _: str) -> Iterable[Row]:
    """Roles that the current role or user can use: who was given which."""
    holders = {("USER", context.session.user)} | {("ROLE", role) for role in context.access.all}
    for given in context.catalog.role_grants():
        if (given.to_kind, given.to_name) in holders:
            found = context.catalog.find("ROLE", (given.role,))
            yield {
                "GRANTEE": given.to_name,
                "ROLE_NAME": given.role,
                "ROLE_OWNER": found.owner if found is not None else None,
                "IS_GRANTABLE": _yes(context.access.owns("ROLE", (given.role,)) or context.access.manages_grants),
            }


def _catalog_name(_: Context, database: str) -> Iterable[Row]:
    yield {"CATALOG_NAME": database}


def everything_granted(context: Context) -> Iterable[tuple[Securable, Grant]]:
    """Every privilege, ownership included, with its object."""
    for kind in (*_SHARED_KINDS, *_SCHEMA_KINDS):
        for found in context.catalog.all(kind):
            yield found, Grant("OWNERSHIP", kind, found.name, found.owner, found.owner, True, found.created)
            for grant in context.catalog.grants_on(kind, found.name):
                yield found, grant


def _object_privileges(context: Context, database: str) -> Iterable[Row]:
    """Privileges on what the roles in force may know: of the account's objects and of this database's."""
    for found, grant in everything_granted(context):
        placed = len(found.name) > 1 or found.kind == "DATABASE"
        if (not placed or found.name[0] == database) and context.access.lists(found.kind, found.name):
            parts = (None,) * (3 - len(found.name)) + found.name if placed else (None, None, found.name[0])
            catalog, schema = (found.name[0], None) if len(found.name) == 2 else (parts[0], parts[1])
            yield {
                "GRANTOR": grant.granted_by,
                "GRANTEE": grant.role,
                "GRANTED_TO": "ROLE",
                "OBJECT_CATALOG": catalog,
                "OBJECT_SCHEMA": schema,
                "OBJECT_NAME": found.name[-1],
                "OBJECT_TYPE": found.kind,
                "PRIVILEGE_TYPE": grant.privilege,
                "IS_GRANTABLE": _yes(grant.with_option),
                "CREATED": moment(grant.created),
            }


def _table_privileges(context: Context, database: str) -> Iterable[Row]:
    for row in _object_privileges(context, database):
        if row["OBJECT_TYPE"] in ("TABLE", "VIEW"):
            place = {f"TABLE_{part}": row[f"OBJECT_{part}"] for part in ("CATALOG", "SCHEMA", "NAME")}
            yield {**row, **place, "WITH_HIERARCHY": "YES"}


def _usage_privileges(context: Context, database: str) -> Iterable[Row]:
    return (row for row in _object_privileges(context, database) if row["PRIVILEGE_TYPE"] == "USAGE")


def _none(_: Context, __: str) -> Iterable[Row]:
    return ()


_SHARED_KINDS = ("WAREHOUSE", "RESOURCE MONITOR", "DATABASE", "SCHEMA", "ROLE", "USER")
_SCHEMA_KINDS = ("TABLE", "VIEW", "STAGE", "SEQUENCE", "FILE FORMAT")
_TIMES = "CREATED LAST_ALTERED LAST_DDL"
_OBJECT = "GRANTOR GRANTEE GRANTED_TO OBJECT_CATALOG OBJECT_SCHEMA OBJECT_NAME OBJECT_TYPE PRIVILEGE_TYPE IS_GRANTABLE"

INFORMATION_SCHEMA: Tables = {
    "TABLES": (
        columns(
            "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE IS_TRANSIENT CLUSTERING_KEY",
            "ROW_COUNT BYTES RETENTION_TIME",
        )
        | columns(
            "SELF_REFERENCING_COLUMN_NAME REFERENCE_GENERATION USER_DEFINED_TYPE_CATALOG USER_DEFINED_TYPE_SCHEMA "
            "USER_DEFINED_TYPE_NAME IS_INSERTABLE_INTO IS_TYPED COMMIT_ACTION",
            times=_TIMES,
        )
        | columns("LAST_DDL_BY AUTO_CLUSTERING_ON COMMENT IS_TEMPORARY IS_ICEBERG IS_DYNAMIC IS_IMMUTABLE IS_HYBRID"),
        _tables,
    ),
    "VIEWS": (
        columns(
            "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE "
            "INSERTABLE_INTO IS_SECURE",
            times=_TIMES,
        )
        | columns("LAST_DDL_BY COMMENT"),
        _views,
    ),
    "SCHEMATA": (
        columns("CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER IS_TRANSIENT IS_MANAGED_ACCESS", "RETENTION_TIME")
        | columns(
            "DEFAULT_CHARACTER_SET_CATALOG DEFAULT_CHARACTER_SET_SCHEMA DEFAULT_CHARACTER_SET_NAME SQL_PATH",
            times="CREATED LAST_ALTERED",
        )
        | columns("COMMENT REPLICABLE_WITH_FAILOVER_GROUPS OWNER_ROLE_TYPE"),
        _schemata,
    ),
    "DATABASES": (
        columns("DATABASE_NAME DATABASE_OWNER IS_TRANSIENT COMMENT", "RETENTION_TIME", "CREATED LAST_ALTERED")
        | columns("TYPE OWNER_ROLE_TYPE"),
        _databases,
    ),
    "STAGES": (
        columns(
            "STAGE_CATALOG STAGE_SCHEMA STAGE_NAME STAGE_URL STAGE_REGION STAGE_TYPE STAGE_OWNER COMMENT", times=_TIMES
        ),
        _stages,
    ),
    "SEQUENCES": (
        columns(
            "SEQUENCE_CATALOG SEQUENCE_SCHEMA SEQUENCE_NAME SEQUENCE_OWNER DATA_TYPE",
            "NUMERIC_PRECISION NUMERIC_SCALE",
            _TIMES,
        )
        | columns("COMMENT"),
        _sequences,
    ),
    "FILE_FORMATS": (
        columns(
            "FILE_FORMAT_CATALOG FILE_FORMAT_SCHEMA FILE_FORMAT_NAME FILE_FORMAT_OWNER FILE_FORMAT_TYPE COMMENT",
            times=_TIMES,
        ),
        _file_formats,
    ),
    "TABLE_CONSTRAINTS": (
        columns(
            "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME "
            "CONSTRAINT_TYPE IS_DEFERRABLE INITIALLY_DEFERRED ENFORCED COMMENT",
            times=_TIMES,
        )
        | columns("RELY"),
        _constraints,
    ),
    "ENABLED_ROLES": (columns("ROLE_NAME ROLE_OWNER"), _enabled_roles),
    "APPLICABLE_ROLES": (columns("GRANTEE ROLE_NAME ROLE_OWNER IS_GRANTABLE"), _applicable_roles),
    "INFORMATION_SCHEMA_CATALOG_NAME": (columns("CATALOG_NAME"), _catalog_name),
    "OBJECT_PRIVILEGES": (columns(_OBJECT, times="CREATED"), _object_privileges),
    "USAGE_PRIVILEGES": (columns(_OBJECT, times="CREATED"), _usage_privileges),
    "TABLE_PRIVILEGES": (
        columns(
            "GRANTOR GRANTEE GRANTED_TO TABLE_CATALOG TABLE_SCHEMA TABLE_NAME PRIVILEGE_TYPE IS_GRANTABLE "
            "WITH_HIERARCHY",
            times="CREATED",
        ),
        _table_privileges,
    ),
    "FUNCTIONS": (columns("FUNCTION_CATALOG FUNCTION_SCHEMA FUNCTION_NAME FUNCTION_OWNER DATA_TYPE"), _none),
    "PROCEDURES": (columns("PROCEDURE_CATALOG PROCEDURE_SCHEMA PROCEDURE_NAME PROCEDURE_OWNER DATA_TYPE"), _none),
}

"""The views of SNOWFLAKE.ACCOUNT_USAGE whose content is the catalogue; columns as in .../account-usage/<view>."""

from __future__ import annotations

from collections.abc import Iterable

from hanger_lab.snowflake import names
from hanger_lab.snowflake.data.catalog_tables import Row, Tables, columns, everything_granted, moment
from hanger_lab.snowflake.model import ACCOUNT, Securable
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import user

_ACCOUNT_OBJECT_TIMES = "CREATED_ON DELETED_ON"


def _grants_to_roles(context: Context, _: str) -> Iterable[Row]:
    """Privileges of roles, and roles of roles as USAGE on a ROLE."""
    for found, grant in everything_granted(context):
        if grant.role:
            yield {
                "CREATED_ON": moment(grant.created),
                "MODIFIED_ON": moment(grant.created),
                "PRIVILEGE": grant.privilege,
                "GRANTED_ON": found.kind.replace(" ", "_"),
                "NAME": found.name[-1],
                "TABLE_CATALOG": found.name[0] if len(found.name) > 1 else None,
                "TABLE_SCHEMA": found.name[1] if len(found.name) > 2 else None,
                "GRANTED_TO": "ROLE",
                "GRANTEE_NAME": grant.role,
                "GRANT_OPTION": grant.with_option,
                "GRANTED_BY": grant.granted_by or None,
                "GRANTED_BY_ROLE_TYPE": "ROLE" if grant.granted_by else None,
                "OBJECT_INSTANCE": names.show(found.name) if len(found.name) > 1 else None,
            }
    for held in context.catalog.grants_on("ACCOUNT", ACCOUNT):
        yield {
            "CREATED_ON": moment(held.created),
            "MODIFIED_ON": moment(held.created),
            "PRIVILEGE": held.privilege,
            "GRANTED_ON": "ACCOUNT",
            "NAME": context.account,
            "GRANTED_TO": "ROLE",
            "GRANTEE_NAME": held.role,
            "GRANT_OPTION": held.with_option,
            "GRANTED_BY": held.granted_by or None,
        }
    for given in context.catalog.role_grants():
        if given.to_kind == "ROLE":
            yield {
                "CREATED_ON": moment(given.created),
                "MODIFIED_ON": moment(given.created),
                "PRIVILEGE": "USAGE",
                "GRANTED_ON": "ROLE",
                "NAME": given.role,
                "GRANTED_TO": "ROLE",
                "GRANTEE_NAME": given.to_name,
                "GRANT_OPTION": False,
                "GRANTED_BY": given.granted_by or None,
            }


def _grants_to_users(context: Context, _: str) -> Iterable[Row]:
    for given in context.catalog.role_grants():
        if given.to_kind == "USER":
            yield {
                "CREATED_ON": moment(given.created),
                "ROLE": given.role,
                "GRANTED_TO": "USER",
                "GRANTEE_NAME": given.to_name,
                "GRANTED_BY": given.granted_by or None,
            }


def _roles(context: Context, _: str) -> Iterable[Row]:
    for found in context.catalog.all("ROLE"):
        yield {
            "ROLE_ID": _number(found),
            "CREATED_ON": moment(found.created),
            "NAME": found.name[0],
            "COMMENT": found.comment,
            "OWNER": found.owner or None,
            "ROLE_TYPE": "ROLE",
            "OWNER_ROLE_TYPE": "ROLE" if found.owner else None,
        }


def _users(context: Context, _: str) -> Iterable[Row]:
    texts = ("DISPLAY_NAME", "FIRST_NAME", "LAST_NAME", "EMAIL", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE",
             "DEFAULT_ROLE", "TYPE")  # fmt: skip
    for found in context.catalog.all("USER"):
        given = found.properties
        yield {
            "USER_ID": _number(found),
            "NAME": found.name[0],
            "CREATED_ON": moment(found.created),
            "LOGIN_NAME": user.login_name(found),
            **{text: str(given[text]) if given.get(text) is not None else None for text in texts},
            "HAS_PASSWORD": given.get("PASSWORD") is not None,
            "DISABLED": given.get("DISABLED") is True,
            "HAS_RSA_PUBLIC_KEY": given.get("RSA_PUBLIC_KEY") is not None,
            "COMMENT": found.comment,
            "OWNER": found.owner,
        }


def _databases(context: Context, _: str) -> Iterable[Row]:
    for found in context.catalog.all("DATABASE"):
        yield {
            "DATABASE_ID": _number(found),
            "DATABASE_NAME": found.name[0],
            "DATABASE_OWNER": found.owner,
            "IS_TRANSIENT": "YES" if found.properties.get("TRANSIENT") else "NO",
            "COMMENT": found.comment or None,
            "CREATED": moment(found.created),
            "TYPE": "STANDARD",
        }


def _schemata(context: Context, _: str) -> Iterable[Row]:
    for found in context.catalog.all("SCHEMA"):
        yield {
            "SCHEMA_ID": _number(found),
            "SCHEMA_NAME": found.name[1],
            "CATALOG_NAME": found.name[0],
            "SCHEMA_OWNER": found.owner,
            "IS_MANAGED_ACCESS": "YES" if found.properties.get("MANAGED_ACCESS") else "NO",
            "COMMENT": found.comment or None,
            "CREATED": moment(found.created),
        }


def _tables(context: Context, _: str) -> Iterable[Row]:
    for kind, label in (("TABLE", "BASE TABLE"), ("VIEW", "VIEW")):
        for found in context.catalog.all(kind):
            yield {
                "TABLE_ID": _number(found),
                "TABLE_CATALOG": found.name[0],
                "TABLE_SCHEMA": found.name[1],
                "TABLE_NAME": found.name[2],
                "TABLE_OWNER": found.owner,
                "TABLE_TYPE": label,
                "COMMENT": found.comment or None,
                "CREATED": moment(found.created),
            }


def _number(found: Securable) -> int:
    """An object has no number here: its time of creation in microseconds stands for one."""
    return int(found.created * 1_000_000)


TABLES: Tables = {
    "GRANTS_TO_ROLES": (
        columns("", times="CREATED_ON MODIFIED_ON")
        | columns(
            "PRIVILEGE GRANTED_ON NAME TABLE_CATALOG TABLE_SCHEMA GRANTED_TO GRANTEE_NAME",
            flags="GRANT_OPTION",
        )
        | columns("GRANTED_BY", times="DELETED_ON")
        | columns("GRANTED_BY_ROLE_TYPE OBJECT_INSTANCE"),
        _grants_to_roles,
    ),
    "GRANTS_TO_USERS": (
        columns("", times=_ACCOUNT_OBJECT_TIMES) | columns("ROLE GRANTED_TO GRANTEE_NAME GRANTED_BY"),
        _grants_to_users,
    ),
    "ROLES": (
        columns("", "ROLE_ID", _ACCOUNT_OBJECT_TIMES) | columns("NAME COMMENT OWNER ROLE_TYPE OWNER_ROLE_TYPE"),
        _roles,
    ),
    "USERS": (
        columns("", "USER_ID")
        | columns("NAME", times=_ACCOUNT_OBJECT_TIMES)
        | columns("LOGIN_NAME DISPLAY_NAME FIRST_NAME LAST_NAME EMAIL", flags="HAS_PASSWORD DISABLED")
        | columns("DEFAULT_WAREHOUSE DEFAULT_NAMESPACE DEFAULT_ROLE", flags="HAS_RSA_PUBLIC_KEY")
        | columns("COMMENT OWNER TYPE"),
        _users,
    ),
    "DATABASES": (
        columns("", "DATABASE_ID")
        | columns("DATABASE_NAME DATABASE_OWNER IS_TRANSIENT COMMENT TYPE", times="CREATED DELETED"),
        _databases,
    ),
    "SCHEMATA": (
        columns("", "SCHEMA_ID")
        | columns("SCHEMA_NAME CATALOG_NAME SCHEMA_OWNER IS_MANAGED_ACCESS COMMENT", times="CREATED DELETED"),
        _schemata,
    ),
    "TABLES": (
        columns("", "TABLE_ID")
        | columns("TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE COMMENT", times="CREATED DELETED"),
        _tables,
    ),
}

"""Databases: the catalogue's record and the DuckDB file behind it."""

from __future__ import annotations

from hanger_lab.snowflake.data.engine import Engine
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import contents, parameters
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition


def _make(engine: Engine, name: Name) -> None:
    engine.create_database(name[0])
    engine.create_schema((name[0], "PUBLIC"))


def _created(context: Context, database: Securable) -> None:
    context.catalog.create("SCHEMA", (*database.name, "PUBLIC"), database.owner)
    context.session.database, context.session.schema = database.name[0], "PUBLIC"


def _dropped(context: Context, database: Securable) -> None:
    contents.require_removable(context, database)
    if context.session.database == database.name[0]:
        context.session.database = context.session.schema = None


DEFINITION = Definition(
    kind="DATABASE",
    known={
        "COMMENT": p.text,
        **parameters.checks("DATABASE"),
    },
    authorize_create=lambda context, name: context.access.require_account("CREATE DATABASE"),
    alter_privilege="MODIFY",
    make=_make,
    unmake=lambda engine, name: engine.drop_database(name[0]),
    created=_created,
    dropped=_dropped,
)

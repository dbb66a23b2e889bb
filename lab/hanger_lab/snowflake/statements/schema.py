"""Schemas."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import contents, parameters
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.lifecycle import Definition


def _authorize(context: Context, name: Name) -> None:
    access = context.access
    access.require_parents("SCHEMA", name)
    if not access.holds("CREATE SCHEMA", "DATABASE", name[:1], primary_only=True):
        raise errors.insufficient("database", names.show(name[:1]))


def _clauses(parser: Parser) -> Properties:
    parser.accept("WITH")
    return {"MANAGED_ACCESS": True} if parser.accept("MANAGED", "ACCESS") else {}


def _action(parser: Parser, context: Context, schema: Securable) -> bool:
    for verb, managed in (("ENABLE", True), ("DISABLE", False)):
        if parser.accept(verb, "MANAGED", "ACCESS"):
            context.access.require_owner("SCHEMA", schema.name)
            schema.properties["MANAGED_ACCESS"] = managed
            return True
    return False


def _created(context: Context, schema: Securable) -> None:
    context.session.database, context.session.schema = schema.name


def _dropped(context: Context, schema: Securable) -> None:
    contents.require_removable(context, schema)
    if (context.session.database, context.session.schema) == schema.name:
        context.session.schema = None


DEFINITION = Definition(
    kind="SCHEMA",
    known={
        "COMMENT": p.text,
        **parameters.checks("SCHEMA"),
        "MANAGED_ACCESS": p.boolean,
    },
    depth=2,
    authorize_create=_authorize,
    alter_privilege="MODIFY",
    clauses=_clauses,
    stop_words=("WITH", "MANAGED"),
    action=_action,
    make=lambda engine, name: engine.create_schema(name),
    unmake=lambda engine, name: engine.drop_schema(name),
    created=_created,
    dropped=_dropped,
)

"""Keeps the catalogue in step with what data statements created, renamed and dropped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from hanger_lab.snowflake.data import authorize, folders, keys, stages, tables, transactions
from hanger_lab.snowflake.model import Grant
from hanger_lab.snowflake.names import Name, quote
from hanger_lab.snowflake.parser import Properties
from hanger_lab.snowflake.session import Context


@dataclass(frozen=True)
class Effect:
    """What one statement will do to the catalogue when it succeeds."""

    action: str
    kind: str
    name: Name
    other: Name = ()
    replace: bool = False
    copy_grants: bool = False
    temporary: bool = False
    transient: bool = False
    sources: tuple[Name, ...] = ()
    keys: tuple[keys.Key, ...] = ()


def foresee(expression: exp.Expr, context: Context, table_keys: tuple[keys.Key, ...] = ()) -> Effect | None:
    """Read the effect out of a statement before it is changed and run; `table_keys` were taken out of it."""
    kind = str(expression.args.get("kind") or "").upper()
    if isinstance(expression, exp.Create):
        target = tables.require_target(expression)
        properties = expression.args.get("properties")
        return Effect(
            "create",
            kind,
            tables.resolve(target, context.session, f"CREATE {kind}"),
            replace=bool(expression.args.get("replace")),
            copy_grants=properties is not None and properties.find(exp.CopyGrantsProperty) is not None,
            temporary=authorize.is_temporary(expression),
            transient=properties is not None and properties.find(exp.TransientProperty) is not None,
            sources=_sources(expression, target, context) if kind == "VIEW" else (),
            keys=table_keys,
        )
    if isinstance(expression, exp.Drop):
        target = tables.require_target(expression)
        return Effect("drop", kind, tables.resolve(target, context.session, f"DROP {kind}"))
    if isinstance(expression, exp.Alter):
        return _alteration(expression, context)
    return None


@contextlib.contextmanager
def undone_on_failure(effect: Effect | None, context: Context) -> Iterator[None]:
    """Drop a new table or view whose CREATE failed half-way: the catalogue would never know it.

    Not where it was there already: that one is another session's, which is about to record it.
    """
    try:
        yield
    except Exception as problem:
        connection = context.session.connection
        new = effect is not None and effect.action == "create" and effect.kind in ("TABLE", "VIEW")
        if (
            effect is not None
            and new
            and "already exists" not in str(problem)
            and context.catalog.relation(effect.name) is None
        ):
            transactions.after_failure(connection)
            with contextlib.suppress(duckdb.Error):
                connection.duck.execute(f"DROP {effect.kind} IF EXISTS {'.'.join(map(quote, effect.name))}")
        raise


def record(effect: Effect, context: Context) -> None:
    """Bring the catalogue up to date after the statement succeeded."""
    catalog = context.catalog
    with catalog.change():
        if effect.action == "create":
            _created(effect, context)
        elif effect.action == "drop":
            if catalog.find(effect.kind, effect.name) is not None:
                catalog.remove(effect.kind, effect.name)
            context.session.connection.forget_temporary(effect.name)
        elif effect.action == "rename":
            catalog.rename(effect.kind, effect.name, effect.other)
        elif effect.action == "swap":
            _swap(effect, context)


def _created(effect: Effect, context: Context) -> None:
    catalog = context.catalog
    found = catalog.relation(effect.name) if effect.kind in ("TABLE", "VIEW") else None
    present = found or catalog.find(effect.kind, effect.name)
    if present is not None and not effect.replace:
        return
    kept: list[Grant] = []
    if present is not None:
        kept = catalog.grants_on(present.kind, effect.name) if effect.copy_grants else []
        catalog.remove(present.kind, effect.name)
        if present.kind in ("TABLE", "STAGE"):
            place = stages.directory(context.engine, effect.name, present.kind)
            catalog.afterwards(lambda: folders.remove(context.engine.stages, place))
    properties: Properties = {}
    if effect.temporary or effect.transient:
        properties["TABLE_KIND"] = "TEMPORARY" if effect.temporary else "TRANSIENT"
    if effect.kind == "VIEW":
        properties["SOURCES"] = [list(source) for source in effect.sources]
    if effect.keys:
        properties["KEYS"] = [key.document() for key in effect.keys]
    catalog.create(effect.kind, effect.name, context.session.role, properties)
    for grant in kept:
        catalog.grant(grant)
    if effect.temporary:
        context.session.connection.temporary.append((effect.kind, effect.name))


def _sources(expression: exp.Expr, target: exp.Table, context: Context) -> tuple[Name, ...]:
    """List what a view reads, to be checked again whenever it is read."""
    found = tables.sources(expression, leave_out=target)
    return tuple(sorted({tables.resolve(table, context.session, "CREATE VIEW") for table in found}))


def _swap(effect: Effect, context: Context) -> None:
    """Grants and owners travel with the data."""
    catalog = context.catalog
    spare = (*effect.name[:2], "\x00swap")
    catalog.rename("TABLE", effect.name, spare)
    catalog.rename("TABLE", effect.other, effect.name)
    catalog.rename("TABLE", spare, effect.other)


def _alteration(expression: exp.Alter, context: Context) -> Effect | None:
    target = tables.require_target(expression)
    name = tables.resolve(target, context.session, "ALTER TABLE")
    found = context.catalog.relation(name)
    for action in expression.args.get("actions") or []:
        if isinstance(action, exp.AlterRename) and found is not None:
            return Effect("rename", found.kind, name, tables.resolve(action.this, context.session, "ALTER TABLE"))
        if isinstance(action, exp.SwapTable):
            return Effect("swap", "TABLE", name, tables.resolve(action.this, context.session, "ALTER TABLE"))
    return None

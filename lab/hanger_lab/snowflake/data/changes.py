"""Data statements that run on DuckDB directly, because fakesnow cannot or because DuckDB does better."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

from fakesnow.instance import GLOBAL_DATABASE_NAME
from sqlglot import exp

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data import folders, keys, stages, tables
from hanger_lab.snowflake.data.effects import Effect
from hanger_lab.snowflake.names import Name, quote
from hanger_lab.snowflake.results import Column, Result, status
from hanger_lab.snowflake.session import Context

_MERGE = 0x3400


def merge(cursor: Any, expression: exp.Merge, parameters: Any) -> Result:
    """Run MERGE as one DuckDB statement, which unlike fakesnow's five works inside a transaction."""
    actions = {_ACTIONS[type(when.args["then"])] for when in expression.find_all(exp.When)}
    for when in expression.find_all(exp.When):
        action = when.args["then"]
        if isinstance(action, exp.Update):
            for assignment in action.expressions:
                assignment.set("this", exp.column(assignment.this.this))
    cursor.check_db_and_schema(expression)
    transformed = cursor._transform(expression, parameters)
    text = transformed.sql(dialect="duckdb") + " RETURNING merge_action"
    bound = parameters if transformed.find(exp.Placeholder) else None
    counts = Counter(row[0] for row in cursor._duck_conn.execute(text, bound).fetchall())
    columns = [(label, verb) for label, verb in _COUNTS if verb in actions]
    return Result(
        [Column(f"number of rows {label}", "fixed") for label, _ in columns],
        [[counts.get(verb, 0) for _, verb in columns]],
        _MERGE,
    )


def run(expression: exp.Expr, effect: Effect | None, context: Context) -> Result | None:
    """Run the statement if it is one of these; None for all others."""
    if isinstance(expression, exp.Comment):
        return _comment(expression, context)
    if isinstance(expression, exp.Alter):
        actions = expression.args.get("actions") or []
        added = keys.added(actions, context.session)
        if added is not None:
            return _add_keys(expression, added, context)
        if len(actions) == 1 and isinstance(actions[0], exp.AlterColumn) and actions[0].args.get("comment") is not None:
            name = tables.resolve(tables.require_target(expression), context.session, "ALTER TABLE")
            return _comment_column(name, actions[0].this, actions[0].args["comment"], context)
    if isinstance(expression, exp.TruncateTable) and expression.args.pop("exists", None):
        absent = [
            table
            for table in expression.expressions
            if context.catalog.relation(tables.resolve(table, context.session, "TRUNCATE")) is None
        ]
        return status() if absent else None
    if effect is None:
        return None
    if effect.action == "drop":
        return _drop(effect, context)
    if effect.action == "rename":
        return _rename(effect, context)
    if effect.action == "swap":
        return _swap(effect, context)
    return None


def drop(kind: str, name: Name, context: Context) -> None:
    """Remove one object from DuckDB or from fakesnow's metadata."""
    duck = context.session.connection.duck
    if kind in ("STAGE", "FILE FORMAT"):
        table = "_fs_stages" if kind == "STAGE" else "_fs_file_formats"
        duck.execute(
            f"DELETE FROM {GLOBAL_DATABASE_NAME}._fs_information_schema.{table} "  # noqa: S608
            "WHERE database_name = ? AND schema_name = ? AND name = ?",
            list(name),
        )
        if kind == "STAGE":
            folders.remove(context.engine.stages, stages.directory(context.engine, name))
    else:
        duck.execute(f"DROP {kind} IF EXISTS {_path(name)}")
        if kind == "TABLE":
            folders.remove(context.engine.stages, stages.directory(context.engine, name, kind))


def _add_keys(alter: exp.Alter, added: list[keys.Key], context: Context) -> Result:
    """Keep the keys that ALTER TABLE ADD names; DuckDB does not hear of them."""
    found = context.catalog.get("TABLE", tables.resolve(tables.require_target(alter), context.session, "ALTER TABLE"))
    with context.catalog.change():
        keys.require_references(added, context)
        found.properties["KEYS"] = [key.document() for key in [*keys.of(found), *added]]
        context.catalog.save(found)
    return status()


def _drop(effect: Effect, context: Context) -> Result:
    shown = names.show(effect.name[-1:])
    if context.catalog.find(effect.kind, effect.name) is None:
        return status(f"Drop statement executed successfully ({shown} already dropped).")
    drop(effect.kind, effect.name, context)
    return status(f"{shown} successfully dropped.")


def _rename(effect: Effect, context: Context) -> Result:
    if effect.name[:2] != effect.other[:2]:
        raise errors.unsupported("RENAME TO another schema")
    if context.catalog.relation(effect.other) is not None:
        raise errors.exists(names.show(effect.other[-1:]))
    context.session.connection.duck.execute(
        f"ALTER {effect.kind} {_path(effect.name)} RENAME TO {quote(effect.other[2])}"
    )
    return status()


def _swap(effect: Effect, context: Context) -> Result:
    """Exchange two tables' names in one transaction."""
    if effect.name[:2] != effect.other[:2]:
        raise errors.unsupported("SWAP WITH a table of another schema")
    duck = context.session.connection.duck
    spare = (*effect.name[:2], f"_HANGER_SWAP_{secrets.token_hex(8)}")
    duck.begin()
    for old, new in ((effect.name, spare), (effect.other, effect.name), (spare, effect.other)):
        duck.execute(f"ALTER TABLE {_path(old)} RENAME TO {quote(new[2])}")
    duck.commit()
    return status()


def _comment(expression: exp.Comment, context: Context) -> Result:
    """Keep the comment of a table or view; comments on columns are DuckDB's own."""
    if str(expression.args.get("kind")).upper() == "COLUMN":
        column = expression.this
        parts = tuple(
            part for part in (tables.fold(column.args.get(key)) for key in ("catalog", "db", "table")) if part
        )
        return _comment_column(
            context.session.qualify(parts, 3, "COMMENT"), column.this, expression.expression, context
        )
    target = tables.require_target(expression)
    name = tables.resolve(target, context.session, "COMMENT")
    found = context.catalog.relation(name)
    if found is None:
        raise errors.missing("TABLE", names.show(name))
    with context.catalog.change():
        found.properties["COMMENT"] = expression.expression.name
        context.catalog.save(found)
    return status()


def _comment_column(table: Name, column: exp.Expr, comment: exp.Expr, context: Context) -> Result:
    text = exp.Literal.string(comment.name).sql(dialect="duckdb")
    path = _path((*table, tables.fold(column) or ""))
    context.session.connection.duck.execute(f"COMMENT ON COLUMN {path} IS {text}")
    return status()


def _path(name: Name) -> str:
    return ".".join(quote(part) for part in name)


_ACTIONS: dict[type[exp.Expr], str] = {exp.Insert: "INSERT", exp.Update: "UPDATE", exp.Var: "DELETE"}
_COUNTS = (("inserted", "INSERT"), ("updated", "UPDATE"), ("deleted", "DELETE"))

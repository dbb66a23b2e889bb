"""Decides whether the session may run a data statement: every object it touches, by what it does to it."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.access import Access, inherited
from hanger_lab.snowflake.data import information_schema, tables
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import warehouse
from hanger_lab.snowflake.usage import sql as usage

_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
_REFRESHED = (exp.DynamicProperty, exp.MaterializedProperty, exp.IcebergProperty, exp.ExternalProperty)
_CREATED = ("TABLE", "VIEW", "STAGE", "SEQUENCE", "FILE FORMAT")


def authorize(expression: exp.Expr, context: Context) -> None:
    """Raise SnowflakeError unless the statement is permitted; statements of unknown kinds are refused."""
    for kind, check in _CHECKS.items():
        if isinstance(expression, kind):
            check(expression, context)
            return
    raise tables.unsupported(expression)


def require_warehouse(context: Context) -> None:
    """Require an active warehouse that the roles in force may use."""
    name = context.session.warehouse
    if name is None or not context.access.holds("USAGE", "WAREHOUSE", (name,)):
        raise errors.no_warehouse()
    warehouse.wake(context, name)


def require_relation(name: Name, privilege: str, context: Context) -> None:
    """Require a privilege on a table or view."""
    access = context.access
    access.require_parents("TABLE", name)
    found = context.catalog.relation(name)
    if found is None or not access.sees(found.kind, name):
        raise errors.missing("TABLE", names.show(name))
    if privilege == "OWNERSHIP":
        access.require_owner(found.kind, name)
    elif not access.holds(privilege, found.kind, name):
        if privilege == "SELECT":
            raise errors.missing("TABLE", names.show(name))
        raise errors.insufficient(found.kind, names.show(name[-1:]))
    if privilege == "SELECT" and found.kind == "VIEW":
        _require_sources(found, context)


def _require_sources(view: Securable, context: Context, above: tuple[Name, ...] = ()) -> None:
    """Require that a view's owner may still read what the view reads; the reader's own rights end at the view."""
    shown = names.show(view.name[-1:])
    sources = view.properties.get("SOURCES")
    if not isinstance(sources, list):
        raise errors.unsupported(f"view {shown} without a record of what it reads; create it again")
    roles = inherited(context.catalog, [view.owner])
    rights = Access(context.catalog, context.account, view.owner, roles, roles)
    for source in sources:
        name = tuple(str(part) for part in source) if isinstance(source, list) else ()
        found = context.catalog.relation(name)
        try:
            rights.require_parents("TABLE", name)
            if found is None or name in above or not rights.holds("SELECT", found.kind, name):
                raise errors.missing("TABLE", names.show(name))
            if found.kind == "VIEW":
                _require_sources(found, context, (*above, view.name))
        except errors.SnowflakeError as cause:
            raise errors.expansion(shown, cause) from None


def require_create(kind: str, name: Name, context: Context, *, temporary: bool = False) -> None:
    """Require the right to create an object in its schema; a temporary one only takes USAGE on the schema."""
    access = context.access
    access.require_parents(kind, name)
    if not temporary and not access.holds(f"CREATE {kind}", "SCHEMA", name[:2], primary_only=True):
        raise errors.insufficient("schema", names.show(name[1:2]))


def require_free_of_case(kind: str, name: Name, context: Context) -> None:
    """Refuse a new name that differs only by case from one in its schema: to DuckDB the two are one."""
    for other in ("TABLE", "VIEW") if kind in ("TABLE", "VIEW") else (kind,):
        for found in context.catalog.all(other, name[:2]):
            if found.name != name and found.name[2].casefold() == name[2].casefold():
                raise errors.unsupported(
                    f"a {kind.lower()} named {names.show(name[-1:])} beside one that differs only by case"
                )


def _read(expression: exp.Expr, context: Context, leave_out: exp.Table | None = None) -> bool:
    """Require SELECT on everything the statement reads; return whether it reads any table."""
    command = expression.key.upper()
    reads = False
    for table in tables.sources(expression, leave_out):
        name = tables.resolve(table, context.session, command)
        if usage.covers(name):
            usage.require(name, context.access)
            continue
        if information_schema.covers(name):
            information_schema.require(name, context)
            continue
        require_relation(name, "SELECT", context)
        reads = True
    return reads


def _query(expression: exp.Expr, context: Context) -> None:
    if _read(expression, context):
        require_warehouse(context)


def _change(privileges: Callable[[exp.Expr], list[str]]) -> Callable[[exp.Expr, Context], None]:
    def check(expression: exp.Expr, context: Context) -> None:
        target = tables.require_target(expression)
        name = tables.resolve(target, context.session, expression.key.upper())
        for privilege in privileges(expression):
            require_relation(name, privilege, context)
        _read(expression, context, leave_out=target)
        require_warehouse(context)

    return check


def _insert_privileges(expression: exp.Expr) -> list[str]:
    return ["INSERT", "DELETE"] if expression.args.get("overwrite") else ["INSERT"]


def _merge_privileges(expression: exp.Expr) -> list[str]:
    found = {"SELECT"}
    for when in expression.find_all(exp.When):
        action = when.args.get("then")
        if isinstance(action, exp.Insert):
            found.add("INSERT")
        elif isinstance(action, exp.Update):
            found.add("UPDATE")
        else:
            found.add("DELETE")
    return sorted(found)


def _truncate(expression: exp.Expr, context: Context) -> None:
    for table in expression.expressions:
        name = tables.resolve(table, context.session, "TRUNCATE")
        if not expression.args.get("exists") or context.catalog.relation(name) is not None:
            require_relation(name, "TRUNCATE", context)


def _create(expression: exp.Expr, context: Context) -> None:
    kind = str(expression.args.get("kind") or "").upper()
    target = tables.target(expression)
    if kind not in _CREATED or target is None:
        raise tables.unsupported(expression)
    properties = expression.args.get("properties")
    if properties is not None and properties.find(*_REFRESHED) is not None:
        raise tables.unsupported(expression)
    name = tables.resolve(target, context.session, f"CREATE {kind}")
    require_create(kind, name, context, temporary=is_temporary(expression))
    require_free_of_case(kind, name, context)
    present = context.catalog.relation(name) if kind in ("TABLE", "VIEW") else context.catalog.find(kind, name)
    if present is not None:
        if expression.args.get("replace"):
            context.access.require_owner(present.kind, name)
        elif not expression.args.get("exists"):
            raise errors.exists(names.show(name[-1:]))
    if _read(expression, context, leave_out=target) and expression.expression and kind == "TABLE":
        require_warehouse(context)


def _drop(expression: exp.Expr, context: Context) -> None:
    kind = str(expression.args.get("kind") or "").upper()
    target = tables.target(expression)
    if kind not in _CREATED or target is None:
        raise tables.unsupported(expression)
    name = tables.resolve(target, context.session, f"DROP {kind}")
    found = context.catalog.find(kind, name)
    if found is None or not context.access.sees(kind, name):
        if expression.args.get("exists"):
            return
        raise errors.missing(kind, names.show(name))
    context.access.require_owner(kind, name)


def _alter(expression: exp.Expr, context: Context) -> None:
    target = tables.require_target(expression)
    name = tables.resolve(target, context.session, "ALTER TABLE")
    if expression.args.get("exists") and context.catalog.relation(name) is None:
        return
    require_relation(name, "OWNERSHIP", context)
    for action in expression.args.get("actions") or []:
        if isinstance(action, exp.Command):
            raise tables.unsupported(expression)
        if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
            renamed = tables.resolve(action.this, context.session, "ALTER TABLE")
            require_create("TABLE", renamed, context)
            require_free_of_case("TABLE", renamed, context)
        if isinstance(action, exp.SwapTable) and isinstance(action.this, exp.Table):
            require_relation(tables.resolve(action.this, context.session, "ALTER TABLE"), "OWNERSHIP", context)


def _comment(expression: exp.Expr, context: Context) -> None:
    kind = str(expression.args.get("kind") or "").upper()
    if kind == "COLUMN":
        column = expression.this
        parts = tuple(p for p in (tables.fold(column.args.get(k)) for k in ("catalog", "db", "table")) if p)
        require_relation(context.session.qualify(parts, 3, "COMMENT"), "OWNERSHIP", context)
        return
    target = tables.target(expression)
    if kind not in ("TABLE", "VIEW") or target is None:
        raise tables.unsupported(expression)
    require_relation(tables.resolve(target, context.session, "COMMENT"), "OWNERSHIP", context)


def _describe(expression: exp.Expr, context: Context) -> None:
    target = tables.require_target(expression)
    name = tables.resolve(target, context.session, "DESCRIBE")
    context.access.require_parents("TABLE", name)
    found = context.catalog.relation(name)
    if found is None or not context.access.sees(found.kind, name):
        raise errors.missing("TABLE", names.show(name))


def _free(expression: exp.Expr, context: Context) -> None:
    if expression.find(exp.Table) is not None:
        raise tables.unsupported(expression)


def is_temporary(expression: exp.Expr) -> bool:
    """Whether a CREATE makes a temporary object."""
    properties = expression.args.get("properties")
    return properties is not None and properties.find(exp.TemporaryProperty) is not None


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr, Context], None]] = {
    **dict.fromkeys(_QUERIES, _query),
    exp.Insert: _change(_insert_privileges),
    exp.Update: _change(lambda _: ["UPDATE"]),
    exp.Delete: _change(lambda _: ["DELETE"]),
    exp.Merge: _change(_merge_privileges),
    exp.TruncateTable: _truncate,
    exp.Create: _create,
    exp.Drop: _drop,
    exp.Alter: _alter,
    exp.Comment: _comment,
    exp.Describe: _describe,
    exp.Set: _free,
}

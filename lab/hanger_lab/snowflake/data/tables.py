"""Names of tables in parsed SQL, resolved the way the session resolves them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.lexer import without_literals
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Session

INFORMATION_SCHEMA = "INFORMATION_SCHEMA"


def fold(identifier: exp.Expr | None) -> str | None:
    """Fold one identifier."""
    if identifier is None:
        return None
    if not isinstance(identifier, exp.Identifier):
        raise errors.unsupported(f"{identifier.sql(dialect='snowflake')} as a name")
    if not identifier.this:
        raise errors.syntax('""')
    return str(identifier.this) if identifier.quoted else str(identifier.this).upper()


def written(table: exp.Table) -> Name:
    """Return the parts of a table's name as they were written, folded."""
    parts = (table.args.get("catalog"), table.args.get("db"), table.this)
    return tuple(part for part in map(fold, parts) if part is not None)


def resolve(table: exp.Table, session: Session, command: str) -> Name:
    """Return a table's full name."""
    return session.qualify(written(table), 3, command)


def target(expression: exp.Expr) -> exp.Table | None:
    """Return the table that a statement creates, changes or fills."""
    this = expression.this
    if isinstance(expression, exp.Drop):
        dropped = expression.args.get("tables") or []
        this = dropped[0] if len(dropped) == 1 else None
    if isinstance(this, exp.Schema):
        this = this.this
    return this if isinstance(this, exp.Table) else None


def require_target(expression: exp.Expr) -> exp.Table:
    """Return the table that a statement is about, or refuse the statement."""
    found = target(expression)
    if found is None:
        raise unsupported(expression)
    return found


def unsupported(expression: exp.Expr) -> errors.SnowflakeError:
    """Make the error for a statement of a kind that is not known here."""
    return errors.unsupported(without_literals(expression.sql(dialect="snowflake")))


def sources(expression: exp.Expr, leave_out: exp.Table | None = None) -> Iterator[exp.Table]:
    """Yield the tables that a statement reads: not common table expressions, not functions, not values."""
    for table in expression.find_all(exp.Table):
        if table is leave_out or not isinstance(table.this, exp.Identifier):
            continue
        if not table.args.get("db") and _is_common(table):
            continue
        yield table


def qualify(expression: exp.Expr, session: Session) -> None:
    """Write every table that the statement reads or changes with its full name, so that nothing can mean another."""
    found = list(sources(expression))
    if isinstance(expression, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        found.append(require_target(expression))
    for table in found:
        name = resolve(table, session, expression.key.upper())
        for key, part in zip(("catalog", "db", "this"), name, strict=True):
            table.set(key, exp.to_identifier(part, quoted=True))


def _is_common(table: exp.Table) -> bool:
    """Whether an unqualified name means a common table expression of a query around it."""
    name = fold(table.this)
    below: exp.Expr = table
    path: list[exp.Expr] = [table]
    while (node := below.parent) is not None:
        clause = node.args.get("with_")
        if clause is not None and any(_named(common, name) for common in _in_scope(clause, path)):
            return True
        below = node
        path.append(node)
    return False


def _in_scope(clause: exp.Expr, path: list[exp.Expr]) -> list[exp.Expr]:
    """List the expressions of a WITH that a table may mean; `path` leads from the table up to below the WITH's query.

    In the query that is all of them; inside a definition those before it, and itself in the second part of its UNION
    when the WITH is recursive.
    """
    everything = list(clause.expressions)
    if path[-1] is not clause:
        return everything
    own = next(index for index, common in enumerate(everything) if common is path[-2])
    union = everything[own].this
    recursive = clause.args.get("recursive") and isinstance(union, exp.Union)
    if recursive and any(step is union.expression for step in path):
        return everything[: own + 1]
    return everything[:own]


def _named(common: exp.Expr, name: str | None) -> bool:
    alias = common.args.get("alias")
    return alias is not None and fold(alias.this) == name

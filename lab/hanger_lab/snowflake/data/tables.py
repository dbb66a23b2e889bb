"""Names of tables in parsed SQL, resolved the way the session resolves them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from hanger_lab.snowflake import errors
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
    return errors.unsupported(expression.sql(dialect="snowflake")[:60])


def sources(expression: exp.Expr, leave_out: exp.Table | None = None) -> Iterator[exp.Table]:
    """Yield the tables that a statement reads: not common table expressions, not functions, not values."""
    for table in expression.find_all(exp.Table):
        if table is leave_out or not isinstance(table.this, exp.Identifier):
            continue
        if not table.args.get("db") and _is_common(table):
            continue
        yield table


def _is_common(table: exp.Table) -> bool:
    """Whether an unqualified name means a common table expression of a query around it."""
    name = fold(table.this)
    node: exp.Expr | None = table
    while node is not None:
        clause = node.args.get("with_")
        if clause is not None:
            for common in clause.expressions:
                alias = common.args.get("alias")
                if alias is not None and fold(alias.this) == name and not _own_definition(table, common, clause):
                    return True
        node = node.parent
    return False


def _own_definition(table: exp.Table, common: exp.Expr, clause: exp.Expr) -> bool:
    """Inside its own definition a name means a table, unless the WITH is recursive."""
    if clause.args.get("recursive"):
        return False
    node: exp.Expr | None = table
    while node is not None and node is not common:
        node = node.parent
    return node is common

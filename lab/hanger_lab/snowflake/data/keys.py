"""Keys of tables: Snowflake keeps PRIMARY KEY, UNIQUE and FOREIGN KEY for its readers and enforces only NOT NULL.

DuckDB would enforce them all, so they are taken out of the statement and kept in the catalogue.
docs.snowflake.com/en/sql-reference/constraints-overview
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlglot import exp

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.data import tables
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Value
from hanger_lab.snowflake.session import Context, Session

_KINDS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.PrimaryKeyColumnConstraint, "PRIMARY KEY"),
    (exp.PrimaryKey, "PRIMARY KEY"),
    (exp.UniqueColumnConstraint, "UNIQUE"),
    (exp.ForeignKey, "FOREIGN KEY"),
    (exp.Reference, "FOREIGN KEY"),
)


@dataclass(frozen=True)
class Key:
    """One constraint; `table` and `referenced` are empty unless it is a foreign key."""

    kind: str
    name: str
    columns: tuple[str, ...]
    table: Name = ()
    referenced: tuple[str, ...] = ()

    def document(self) -> list[Value]:
        """Write the key as the catalogue keeps it."""
        return [self.kind, self.name, list(self.columns), list(self.table), list(self.referenced)]

    @classmethod
    def of(cls, document: Value) -> Key:
        """Read what `document` wrote."""
        if not isinstance(document, list):
            raise TypeError("a key is kept as a list")
        kind, name, *lists = document
        columns, table, referenced = (tuple(str(p) for p in part) if isinstance(part, list) else () for part in lists)
        return cls(str(kind), str(name), columns, table, referenced)


def of(found: Securable) -> list[Key]:
    """List the keys of a table."""
    kept = found.properties.get("KEYS")
    return [Key.of(document) for document in kept] if isinstance(kept, list) else []


def added(actions: list[exp.Expr], session: Session) -> list[Key] | None:
    """Read the keys that an ALTER TABLE adds; None when it does anything else."""
    if not actions or not all(isinstance(action, exp.AddConstraint) for action in actions):
        return None
    return [key for action in actions for part in action.expressions for key in _of_table(part, session)]


def take_out(statement: exp.Expr, context: Context) -> tuple[Key, ...]:
    """Remove the keys from a CREATE TABLE and return them; the columns of a primary key become NOT NULL."""
    schema = statement.this
    if not isinstance(statement, exp.Create) or not isinstance(schema, exp.Schema):
        return ()
    session = context.session
    found: list[Key] = []
    for part in list(schema.expressions):
        if isinstance(part, exp.ColumnDef):
            found += _of_column(part, session)
        elif not isinstance(part, exp.Identifier):
            found += _of_table(part, session)
            part.pop()
    primary = {column for key in found if key.kind == "PRIMARY KEY" for column in key.columns}
    for part in schema.expressions:
        if isinstance(part, exp.ColumnDef) and tables.fold(part.this) in primary:
            _forbid_null(part)
    require_references(found, context)
    return tuple(found)


def require_references(found: list[Key], context: Context) -> None:
    """Require REFERENCES on the tables that foreign keys name."""
    for key in found:
        if key.table:
            context.access.require("REFERENCES", "TABLE", key.table)


def _of_column(column: exp.ColumnDef, session: Session) -> list[Key]:
    own = tables.fold(column.this) or ""
    found: list[Key] = []
    for constraint in list(column.args.get("constraints") or []):
        key = _key(constraint.args.get("kind"), constraint.args.get("this"), (own,), session)
        if key is not None:
            found.append(key)
            constraint.pop()
    return found


def _of_table(part: exp.Expr, session: Session) -> list[Key]:
    inner = part.expressions if isinstance(part, exp.Constraint) else [part]
    name = part.this if isinstance(part, exp.Constraint) else None
    found = [_key(one, name, (), session) for one in inner]
    if not all(found):
        raise errors.unsupported(part.sql(dialect="snowflake")[:80])
    return [key for key in found if key is not None]


def _key(kind: exp.Expr | None, name: exp.Expr | None, columns: tuple[str, ...], session: Session) -> Key | None:
    label = next((label for type_, label in _KINDS if isinstance(kind, type_)), None)
    if kind is None or label is None:
        return None
    listed = kind.this.expressions if isinstance(kind.this, exp.Schema) else kind.expressions
    if not isinstance(kind, exp.Reference) and listed:
        columns = _folded(listed)
    shown = tables.fold(name) if isinstance(name, exp.Identifier) else None
    reference = kind if isinstance(kind, exp.Reference) else kind.args.get("reference")
    table: Name = ()
    referenced: tuple[str, ...] = ()
    if isinstance(reference, exp.Reference):
        target = reference.this
        if isinstance(target, exp.Schema):
            referenced, target = _folded(target.expressions), target.this
        table = tables.resolve(target, session, "CREATE TABLE")
    return Key(label, shown or f"SYS_CONSTRAINT_{uuid.uuid4()}", columns, table, referenced)


def _folded(columns: list[exp.Expr]) -> tuple[str, ...]:
    identifiers = (column.find(exp.Identifier) for column in columns)
    return tuple(tables.fold(found) or "" for found in identifiers)


def _forbid_null(column: exp.ColumnDef) -> None:
    constraints = column.args.get("constraints") or []
    if not any(isinstance(one.args.get("kind"), exp.NotNullColumnConstraint) for one in constraints):
        column.append("constraints", exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))

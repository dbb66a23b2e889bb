"""Lets SQL read the account's use: ACCOUNT_USAGE's views and INFORMATION_SCHEMA's table functions.

A function is first replaced by a table of INFORMATION_SCHEMA whose name ends in `()`, so that it is authorised and
qualified like one; when it is authorised, tables and functions are replaced by the rows that the session may see.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.access import Access
from hanger_lab.snowflake.lexer import without_literals
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.usage.tables import TABLES, arrow

SHARED: Name = ("SNOWFLAKE", "ACCOUNT_USAGE")
_INFORMATION_SCHEMA = "INFORMATION_SCHEMA"
_RANGE = ("END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT", "INCLUDE_CLIENT_GENERATED_STATEMENT")
_LOGINS = ("TIME_RANGE_START", "TIME_RANGE_END", "RESULT_LIMIT")
_ARGUMENTS = "hanger_arguments"
_MOST_ROWS = 10_000


@dataclass(frozen=True)
class _Function:
    """A table function: where its rows come from, its parameters in order, and the column that the first one names."""

    table: str
    parameters: tuple[str, ...]
    of: str | None = None


_FUNCTIONS = {
    "QUERY_HISTORY": _Function("QUERY_HISTORY", _RANGE),
    "QUERY_HISTORY_BY_SESSION": _Function("QUERY_HISTORY", ("SESSION_ID", *_RANGE), "SESSION_ID"),
    "QUERY_HISTORY_BY_USER": _Function("QUERY_HISTORY", ("USER_NAME", *_RANGE), "USER_NAME"),
    "QUERY_HISTORY_BY_WAREHOUSE": _Function("QUERY_HISTORY", ("WAREHOUSE_NAME", *_RANGE), "WAREHOUSE_NAME"),
    "LOGIN_HISTORY": _Function("LOGIN_HISTORY", _LOGINS),
    "LOGIN_HISTORY_BY_USER": _Function("LOGIN_HISTORY", ("USER_NAME", *_LOGINS), "USER_NAME"),
    "WAREHOUSE_METERING_HISTORY": _Function(
        "WAREHOUSE_METERING_HISTORY", ("DATE_RANGE_START", "DATE_RANGE_END", "WAREHOUSE_NAME")
    ),
}


def replace_functions(expression: exp.Expr) -> None:
    """Replace TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(...)) and the like by a table that stands for it."""
    for source in list(expression.find_all(exp.TableFromRows)):
        parts = _parts(source.this)
        if (
            parts is None
            or parts[-2:-1] != [_INFORMATION_SCHEMA]
            or not isinstance(source.this.expression, exp.Anonymous)
        ):
            continue
        call = source.this.expression
        function = str(call.this).upper()
        if function not in _FUNCTIONS:
            continue
        identifiers = [exp.to_identifier(part, quoted=True) for part in (*parts[:-1], f"{function}()")]
        stand_in = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(identifiers), strict=False)))
        stand_in.set("alias", source.args.get("alias") or exp.TableAlias(this=exp.to_identifier(function, quoted=True)))
        stand_in.meta[_ARGUMENTS] = _arguments(function, call)
        source.replace(stand_in)


def covers(name: Name) -> bool:
    """Whether a full name is a view of ACCOUNT_USAGE about what ran; others are about the catalogue."""
    return name[:2] == SHARED and name[2] in TABLES


def require(name: Name, access: Access) -> None:
    """Require the right to read ACCOUNT_USAGE: ACCOUNTADMIN's, or the privileges of the shared database."""
    if "ACCOUNTADMIN" not in access.all and not access.holds("USAGE", "DATABASE", SHARED[:1]):
        raise errors.missing("DATABASE", SHARED[0])


def substitute(expression: exp.Expr, context: Context) -> None:
    """Replace what stands for the account's use by its rows; the statement must have been authorised."""
    for table in list(expression.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier):
            continue
        arguments = table.meta.get(_ARGUMENTS)
        name = _name(table, context)
        if arguments is None and not covers(name):
            continue
        if isinstance(expression, exp.Create) and str(expression.args.get("kind")).upper() == "VIEW":
            raise errors.unsupported(f"{names.show(name)} in a view")
        if arguments is None:
            query = _select(name[2], context, everything=True)
        else:
            query = _call(_FUNCTIONS[name[-1][:-2]], arguments, context)
        alias = table.alias or name[-1]
        table.replace(query.subquery(exp.to_identifier(alias.upper() if alias.islower() else alias, quoted=True)))


def _name(table: exp.Table, context: Context) -> Name:
    found = (table.args.get(key) for key in ("catalog", "db", "this"))
    written = tuple(str(i.this) if i.quoted else str(i.this).upper() for i in found if isinstance(i, exp.Identifier))
    place = (context.session.database or "", context.session.schema or "")
    return written if table.meta.get(_ARGUMENTS) is not None else place[: 3 - len(written)] + written


def _call(function: _Function, arguments: dict[str, exp.Expr], context: Context) -> exp.Select:
    query = _select(function.table, context, everything=False)
    if function.table == "WAREHOUSE_METERING_HISTORY":
        if "DATE_RANGE_START" not in arguments:
            raise errors.SnowflakeError(939, "22023", "SQL compilation error:\nDATE_RANGE_START is missing.")
        start, end = arguments["DATE_RANGE_START"], arguments.get("DATE_RANGE_END", exp.CurrentDate())
        query = query.where(_day(_column("START_TIME")) >= _day(start), _day(_column("START_TIME")) <= _day(end))
        warehouse = arguments.get("WAREHOUSE_NAME")
        return query.where(_column("WAREHOUSE_NAME").eq(_folded(warehouse))) if warehouse is not None else query
    if function.of is not None:
        query = query.where(_column(function.of).eq(_of(function.of, arguments.get(function.of), context)))
    time = "END_TIME" if function.table == "QUERY_HISTORY" else "EVENT_TIMESTAMP"
    for parameter, value in arguments.items():
        if parameter.endswith("RANGE_START"):
            query = query.where(_column(time) >= value.copy())
        elif parameter.endswith("RANGE_END"):
            query = query.where(_column(time) <= value.copy())
    order = "START_TIME" if function.table == "QUERY_HISTORY" else time
    return query.order_by(exp.Ordered(this=_column(order), desc=True)).limit(_limit(arguments.get("RESULT_LIMIT")))


def _select(table: str, context: Context, *, everything: bool) -> exp.Select:
    place = f"_hanger_{'all' if everything else 'own'}_{table.lower()}"
    context.session.connection.duck.register(place, arrow(table, context, everything=everything))
    parts = [exp.to_identifier(part, quoted=True) for part in (place, "main", "temp")]
    return exp.select("*").from_(exp.Table(this=parts[0], db=parts[1], catalog=parts[2]))


def _of(column: str, argument: exp.Expr | None, context: Context) -> exp.Expr:
    session = context.session
    if column == "SESSION_ID":
        return argument.copy() if argument is not None else exp.Literal.number(session.id)
    if argument is None:
        return exp.Literal.string((session.user if column == "USER_NAME" else session.warehouse) or "")
    return _folded(argument)


def _folded(argument: exp.Expr) -> exp.Expr:
    if not (isinstance(argument, exp.Literal) and argument.is_string):
        return argument.copy()
    try:
        return exp.Literal.string(names.split(argument.name)[-1])
    except ValueError:
        return argument.copy()


def _limit(argument: exp.Expr | None) -> int:
    if argument is None:
        return 100
    if not (isinstance(argument, exp.Literal) and argument.is_int and 1 <= int(argument.name) <= _MOST_ROWS):
        raise errors.invalid_value(without_literals(argument.sql(dialect="snowflake")), "RESULT_LIMIT")
    return int(argument.name)


def _arguments(function: str, call: exp.Anonymous) -> dict[str, exp.Expr]:
    parameters = _FUNCTIONS[function].parameters
    found: dict[str, exp.Expr] = {}
    for position, argument in enumerate(call.expressions):
        named = isinstance(argument, exp.Kwarg)
        name = argument.this.name.upper() if named else parameters[position] if position < len(parameters) else ""
        if name not in parameters or name in found or argument.find(exp.Select, exp.Column) is not None:
            raise errors.SnowflakeError(
                1008, "22023", f"SQL compilation error:\ninvalid argument for table function {function}"
            )
        found[name] = argument.expression if named else argument
    return found


def _parts(call: exp.Expr) -> list[str] | None:
    """The names before a function, and the function, of `DB.INFORMATION_SCHEMA.F()`."""
    if isinstance(call, exp.Dot):
        before, after = _parts(call.this), _parts(call.expression)
        return before + after if before is not None and after is not None else None
    if isinstance(call, exp.Identifier):
        return [str(call.this) if call.quoted else str(call.this).upper()]
    return [str(call.this).upper()] if isinstance(call, exp.Anonymous) else None


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _day(value: exp.Expr) -> exp.Expr:
    return exp.cast(value.copy(), exp.DType.DATE)

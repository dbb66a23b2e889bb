"""Replaces SYSTEM$GET_TAG by the value that it reads."""

from __future__ import annotations

from sqlglot import exp

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import tagging


def substitute(expression: exp.Expr, context: Context) -> None:
    """Replace every call whose arguments are literals; raises when an object or tag is not there or not authorised."""
    for call in list(expression.find_all(exp.Anonymous)):
        if str(call.this).upper() != "SYSTEM$GET_TAG":
            continue
        given = call.expressions
        if len(given) != 3 or not all(isinstance(argument, exp.Literal) and argument.is_string for argument in given):
            raise errors.unsupported("SYSTEM$GET_TAG with arguments other than three strings")
        found = tagging.value_of(context, *(argument.name for argument in given))
        text = exp.DataType.build("TEXT")
        call.replace(exp.cast(exp.Literal.string(found) if found is not None else exp.Null(), text))

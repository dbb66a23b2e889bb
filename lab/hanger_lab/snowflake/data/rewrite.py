"""Changes parsed SQL where Snowflake and fakesnow disagree, before fakesnow translates it."""

from __future__ import annotations

import json
import re

from sqlglot import exp

from hanger_lab.snowflake import access, errors, names
from hanger_lab.snowflake.data import information_schema, kept, parquet, tables, tags
from hanger_lab.snowflake.lexer import without_literals
from hanger_lab.snowflake.parser import Value
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.usage import sql as usage

VERSION = "9.34.0"
_TABLE_FUNCTIONS = ("EXPLODE", "FLATTEN", "GENERATOR", "INFERSCHEMA", "RESULTSCAN", "SPLITTOTABLE")

# Words that DuckDB takes for functions without parentheses; in Snowflake they are names of columns.
_DUCKDB_VALUES = frozenset(("current_catalog", "current_role", "current_schema", "session_user", "user"))
_BOOTSTRAP = json.dumps({"serverVersion": VERSION, "accountInfo": {"serviceLevelName": "ENTERPRISE"}})
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def resolve_names(expression: exp.Expr) -> exp.Expr:
    """Return the statement with IDENTIFIER() replaced and foreign table functions refused, ready to be authorised."""
    for table in list(expression.find_all(exp.Table)):
        _resolve_identifier(table)
    usage.replace_functions(expression)
    history = expression.find(exp.HistoricalData)
    if history is not None:
        raise errors.unsupported(f"time travel: {without_literals(history.sql(dialect='snowflake'))}")
    if isinstance(expression, exp.Create):
        _check_texts(expression)
    for source in expression.find_all(exp.Table, exp.TableFromRows, exp.Lateral):
        _check_function(source)
    return expression


def rewrite(expression: exp.Expr, context: Context) -> exp.Expr:
    """Return the statement with functions of the session replaced by their values and gaps of fakesnow avoided."""
    if isinstance(expression, exp.Create) and str(expression.args.get("kind")).upper() == "VIEW":
        _require_same_for_everyone(expression, context)
    usage.substitute(expression, context)
    tags.substitute(expression, context)
    parquet.replace_inferences(expression, context)
    kept.replace_scans(expression, context.session.connection.kept, context.session.connection.duck)
    information_schema.confine(expression, context)
    tables.qualify(expression, context.session)
    for function in list(expression.find_all(exp.Func)):
        replacement = _session_function(function, context)
        if replacement is not None:
            if function is expression:
                return replacement
            function.replace(replacement)
    _require_columns(expression)
    for identifier in expression.find_all(exp.Identifier):
        if not identifier.quoted and identifier.this.lower() in context.engine.reserved_words:
            identifier.set("this", identifier.this.upper())
            identifier.set("quoted", True)
    if isinstance(expression, exp.Merge):
        _qualify_merge(expression)
    if isinstance(expression, exp.Create):
        _check_database(expression, context)
        _make_permanent(expression)
    return expression


def _require_columns(expression: exp.Expr) -> None:
    """Make columns of what DuckDB takes for functions without parentheses: `CURRENT_ROLE` alone is a name."""
    for column in expression.find_all(exp.Column):
        if column.table or column.this.quoted or column.name.lower() not in _DUCKDB_VALUES:
            continue
        if (
            isinstance(column.parent, exp.EQ)
            and isinstance(column.parent.parent, exp.Update)
            and column.arg_key == "this"
        ):
            continue  # the target of a SET
        around = column.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Merge)
        clause = around.args.get("from_") if isinstance(around, exp.Select) else around
        source = clause.this if clause is not None else None
        if source is None or around is None or around.args.get("joins"):
            raise errors.SnowflakeError(
                904, "42000", f"SQL compilation error:\ninvalid identifier '{column.name.upper()}'"
            )
        alias = source.args.get("alias")
        named = alias.this if alias is not None else source.this
        if isinstance(named, exp.Identifier):
            column.set("table", named.copy())


def _resolve_identifier(table: exp.Table) -> None:
    """Replace IDENTIFIER('a.b') by the table that it names, so that it is authorised like any other."""
    if not isinstance(table.this, exp.DynamicIdentifier):
        return
    argument = table.this.this
    if not (isinstance(argument, exp.Literal) and argument.is_string):
        raise errors.unsupported("IDENTIFIER() of something other than a string")
    try:
        parts = names.split(argument.name)
    except ValueError:
        raise errors.syntax(argument.name) from None
    for key, part in zip(("this", "db", "catalog"), reversed(parts), strict=False):
        table.set(key, exp.to_identifier(part, quoted=True))


def _check_texts(create: exp.Create) -> None:
    """Refuse quotes where fakesnow would paste them into statements of its own: stages, file formats and URLs."""
    kind = str(create.args.get("kind")).upper()
    if kind not in ("STAGE", "FILE FORMAT"):
        return
    for part in create.find_all(exp.Identifier, exp.Literal, exp.Var):
        if "'" in str(part.this):
            raise errors.unsupported(f"a quote in CREATE {kind}")


def _check_function(source: exp.Expr) -> None:
    """Refuse table functions that Snowflake does not have: DuckDB has some that read files."""
    inner = source.this
    if isinstance(inner, (exp.Identifier, exp.Subquery, exp.Values)):
        return
    if not isinstance(inner, (exp.Func, exp.Anonymous)) or _name(inner) not in _TABLE_FUNCTIONS:
        raise errors.unsupported(f"{without_literals(source.sql(dialect='snowflake'))} as a source")


def _name(function: exp.Expr) -> str:
    name = function.name if isinstance(function, exp.Anonymous) else type(function).__name__
    return name.upper().replace("_", "")


def _session_function(function: exp.Expr, context: Context) -> exp.Expr | None:
    session = context.session
    name = _name(function)
    values: dict[str, Value] = {
        "CURRENTROLE": session.role,
        "CURRENTUSER": session.user,
        "CURRENTWAREHOUSE": session.warehouse,
        "CURRENTDATABASE": session.database,
        "CURRENTSCHEMA": session.schema,
        "CURRENTACCOUNT": context.account,
        "CURRENTACCOUNTNAME": context.account,
        "CURRENTORGANIZATIONNAME": "HANGER",
        "CURRENTREGION": "LAB",
        "CURRENTSESSION": str(session.id),
        "CURRENTCLIENT": session.client,
        "CURRENTVERSION": VERSION,
        "CURRENTROLETYPE": "ROLE",
        # What SnowDDL asks about the account before it plans.
        "SYSTEM$BOOTSTRAPDATAREQUEST": _BOOTSTRAP,
        "SYSTEM$SHOWACTIVEBEHAVIORCHANGEBUNDLES": "[]",
    }
    if name in values:
        value = values[name]
        return exp.Null() if value is None else exp.Literal.string(str(value))
    if name == "LASTQUERYID":
        return kept.last_query_id(function, session.connection.kept)
    if name == "CURRENTAVAILABLEROLES":
        return exp.Literal.string(json.dumps(sorted(access.assumable(context.catalog, session.user))))
    if name == "CURRENTSECONDARYROLES":
        roles = context.catalog.roles_of("USER", session.user) if session.secondary else []
        value = "ALL" if session.secondary else ""
        return exp.Literal.string(json.dumps({"roles": ",".join(sorted(roles)), "value": value}))
    if name == "ISROLEINSESSION":
        arguments = function.expressions if isinstance(function, exp.Anonymous) else [function.this]
        return exp.Boolean(this=bool(arguments) and arguments[0].name in context.access.all)
    return None


def _check_database(create: exp.Create, context: Context) -> None:
    """Refuse tables in a database whose name means something else without quotes, as fakesnow writes it."""
    target = tables.target(create)
    if str(create.args.get("kind")).upper() == "TABLE" and target is not None:
        database = tables.resolve(target, context.session, "CREATE TABLE")[0]
        if not _PLAIN.fullmatch(database) or database.lower() in context.engine.reserved_words:
            raise errors.unsupported(f"a table in a database named {names.show((database,))}")


def _require_same_for_everyone(view: exp.Create, context: Context) -> None:
    """Refuse in a view what is replaced by its value for the session: everybody would see that of the creator."""
    for function in view.find_all(exp.Func):
        if _session_function(function, context) is not None:
            raise errors.unsupported(f"{function.sql(dialect='snowflake')[:60]} in a view")
    for table in tables.sources(view, tables.target(view)):
        name = tables.resolve(table, context.session, "CREATE VIEW")
        if information_schema.covers(name):
            raise errors.unsupported(f"{name[1]} in a view")


def _qualify_merge(merge: exp.Merge) -> None:
    """In INSERT VALUES of a MERGE an unqualified column belongs to the source."""
    source = merge.args["using"].alias_or_name
    for when in merge.find_all(exp.When):
        action = when.args.get("then")
        if isinstance(action, exp.Insert) and action.expression is not None:
            for column in action.expression.find_all(exp.Column):
                if not column.table:
                    column.set("table", exp.to_identifier(source))


def _make_permanent(create: exp.Create) -> None:
    """DuckDB's temporary tables have no schema: create a permanent one, which the session drops when it ends."""
    properties = create.args.get("properties")
    target = tables.target(create)
    if properties is None or target is None or str(create.args.get("kind")).upper() == "STAGE":
        return
    kept = [p for p in properties.expressions if not isinstance(p, exp.TemporaryProperty)]
    properties.set("expressions", kept)
    if not kept:
        create.set("properties", None)

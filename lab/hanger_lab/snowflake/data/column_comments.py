"""ALTER TABLE ... ALTER c1 COMMENT 'x', c2 COMMENT 'y': many columns at a time, as dbt writes it for persist_docs."""

from __future__ import annotations

from hanger_lab.snowflake.data import authorize, transactions
from hanger_lab.snowflake.lexer import Kind
from hanger_lab.snowflake.names import quote
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context


def alter(text: str, context: Context) -> Result | None:
    """Run the statement if it sets comments on columns and nothing else; None for every other ALTER."""
    parser = Parser(text)
    parser.expect("ALTER")
    if parser.accept_any(("TABLE", "VIEW")) is None:
        return None
    quiet = parser.accept("IF", "EXISTS")
    written = parser.name()
    comments = _comments(parser)
    if comments is None:
        return None
    name = context.session.qualify(written, 3, "ALTER TABLE")
    with context.catalog.read():
        if quiet and context.catalog.relation(name) is None:
            return status()
        authorize.require_relation(name, "OWNERSHIP", context)
    connection = context.session.connection
    transactions.require_healthy(connection)
    transactions.commit(connection)
    connection.duck.begin()
    path = ".".join(quote(part) for part in name)
    for column, comment in comments.items():
        literal = comment.replace("'", "''")
        connection.duck.execute(f"COMMENT ON COLUMN {path}.{quote(column)} IS '{literal}'")
    connection.duck.commit()
    return status()


def _comments(parser: Parser) -> dict[str, str] | None:
    if parser.accept_any(("ALTER", "MODIFY")) is None:
        return None
    found: dict[str, str] = {}
    while True:
        parser.accept("COLUMN")
        token = parser.current
        if token is None or token.kind not in (Kind.WORD, Kind.QUOTED):
            return None
        column = parser.identifier()
        if not parser.accept("COMMENT"):
            return None
        found[column] = parser.string()
        if not parser.symbol(","):
            break
    parser.end()
    return found

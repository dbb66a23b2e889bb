"""Neither logs nor messages repeat what may be a secret."""

from __future__ import annotations

import pytest
from hanger_lab.snowflake.lexer import without_literals
from snowflake_support import Client, Service

SECRET = "hunter2"


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE USER LEAK PASSWORD '{SECRET}'",
        f"CREATE USER LEAK PASSWORD = '{SECRET}' '{SECRET}'",
        f"CREATE USER LEAK PASSWORD = '{SECRET}",
        f"ALTER SESSION SET X = '{SECRET}'",
        f"SELECT * FROM TABLE(NOSUCH('{SECRET}'))",
        f"ATTACH '{SECRET}' AS X",
        f"COPY INTO T FROM @S '{SECRET}'",
        f"CREATE USER LEAK PASSWORD = $${SECRET}",
    ],
)
def test_literals_are_not_repeated(service: Service, admin: Client, statement: str) -> None:
    _, message = admin.refused(statement)
    assert SECRET not in message
    log = (service.directory / "log").read_text()
    assert SECRET not in log and f"refused {statement.split()[0]}" in log


def test_log_names_the_statement_and_the_code(service: Service, admin: Client) -> None:
    admin.refused("DROP WAREHOUSE NOSUCHTHING")
    log = (service.directory / "log").read_text()
    assert "refused DROP WAREHOUSE: 002003" in log and "NOSUCHTHING" not in log


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a 'x''y' b", "a '...' b"),
        (r"a 'x\' y' b", "a '...' b"),
        ("a 'open", "a '...'"),
        ("$$x$$ 1 $$open", "'...' 1 '...'"),
    ],
)
def test_literals_are_left_out(text: str, shown: str) -> None:
    assert without_literals(text) == shown

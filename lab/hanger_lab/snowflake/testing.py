"""For the tests of other projects: the pytest fixture `snowflake_lab`, and `running_account` for any other framework.

The fixture needs no import: installing the package makes it known to pytest.

    def test_something(snowflake_lab):
        with snowflake_lab.connect() as connection:
            connection.cursor().execute("CREATE DATABASE RAW")
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from hanger_lab.snowflake.account import Account


@dataclass(frozen=True)
class RunningAccount:
    """An account that answers on this host; `options` are those of snowflake.connector.connect() for its first user."""

    account: Account
    port: int
    user: str
    private_key_file: Path

    @property
    def options(self) -> dict[str, Any]:
        """How to log in as the first user, who may use ACCOUNTADMIN."""
        return {
            "account": self.account.name,
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "user": self.user,
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": str(self.private_key_file),
        }

    def connect(self, **options: Any) -> SnowflakeConnection:
        """Log in; options replace the usual ones."""
        import snowflake.connector

        return snowflake.connector.connect(**{**self.options, **options})


@contextmanager
def running_account(directory: Path, name: str = "HANGERLAB") -> Iterator[RunningAccount]:
    """Run an account in a thread of this process, kept in a directory; one process can run several."""
    # Imported late: pytest loads this module whether or not a test uses an account.
    from hanger_lab.snowflake import standalone
    from hanger_lab.snowflake.server import Server
    from hanger_lab.snowflake.serving import listen, serving

    account, pair = standalone.open_account(directory, name)
    listener = listen(standalone.ADDRESS, 0)
    with listener, serving(Server(account), [listener]):
        yield RunningAccount(account, int(listener.getsockname()[1]), standalone.USER, pair.private)


@pytest.fixture(scope="session")
def snowflake_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAccount]:
    """An emulated Snowflake account for the whole run of the tests."""
    with running_account(tmp_path_factory.mktemp("snowflake_lab")) as running:
        yield running

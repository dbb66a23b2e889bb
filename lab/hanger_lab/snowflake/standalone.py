"""`hanger-lab snowflake`: an account without the rest of the lab, in the foreground."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hanger_lab.keys import KeyPair, provisioner_key
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.server import Server
from hanger_lab.snowflake.serving import listen, serve

USER = "HANGER_PROVISIONER"
DEFAULT_ACCOUNT = "HANGERLAB"
ADDRESS = "127.0.0.1"


def run(port: int, directory: Path | None, name: str) -> None:
    """Serve until interrupted, without a directory from one that ends with it; raises OSError for a taken port."""
    with ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hanger-snowflake-")))
        listener = stack.enter_context(listen(ADDRESS, port))
        account, pair = open_account(directory, name)
        server = Server(account)
        port = listener.getsockname()[1]
        sys.stdout.write(introduction(account.name, port, pair, server.page.link(ADDRESS, port)))
        sys.stdout.flush()
        serve(server, [listener])


def open_account(directory: Path, name: str = DEFAULT_ACCOUNT) -> tuple[Account, KeyPair]:
    """Open or make an account in a directory, with a key pair for its first user, who may use ACCOUNTADMIN."""
    directory = directory.resolve()
    pair = provisioner_key(directory)
    account = Account(name, directory / "account")
    account.ensure_admin(USER, pair.public.read_text())
    return account, pair


def introduction(account: str, port: int, pair: KeyPair, link: str) -> str:
    """Say how to use the account."""
    return f"""account   {account}
address   http://{ADDRESS}:{port}
user      {USER} (ACCOUNTADMIN)
key       {pair.private}
page      {link}

import snowflake.connector

connection = snowflake.connector.connect(
    account="{account}",
    host="{ADDRESS}",
    port={port},
    protocol="http",
    user="{USER}",
    authenticator="SNOWFLAKE_JWT",
    private_key_file="{pair.private}",
)

Stop it with Ctrl-C.
"""

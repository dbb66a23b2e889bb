"""Command line: python -m hanger_lab.snowflake serve."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.server import Server
from hanger_lab.snowflake.serving import listen, serve

log = logging.getLogger("hanger_lab.snowflake")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    options = _parser().parse_args(arguments)
    addresses = options.bind or ["127.0.0.1"]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        sockets = [listen(address, options.port) for address in addresses]
    except OSError as problem:
        log.error("cannot listen on port %s: %s", options.port, problem)
        return 1
    account = Account(options.account, options.data_dir)
    try:
        account.ensure_admin(options.admin_user, options.admin_public_key.read_text())
    except (OSError, ValueError) as problem:
        log.error("%s is not a usable public key: %s", options.admin_public_key, problem)
        return 1
    log.info("account %s answers on %s", account.name, ", ".join(f"{a}:{options.port}" for a in addresses))
    serve(Server(account), sockets)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hanger_lab.snowflake", description="An emulated Snowflake account."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer Snowflake's drivers over http until stopped")
    serve.add_argument("--bind", action="append", metavar="ADDRESS", help="address to listen on; may be repeated")
    serve.add_argument("--port", type=int, default=8084)
    serve.add_argument("--data-dir", type=Path, required=True, help="where the account is kept")
    serve.add_argument("--account", default="HANGERLAB", help="the account's name")
    serve.add_argument("--admin-user", default="HANGER_PROVISIONER", help="the first user, who may use ACCOUNTADMIN")
    serve.add_argument("--admin-public-key", type=Path, required=True, help="file with that user's RSA public key")
    return parser


if __name__ == "__main__":
    sys.exit(main())

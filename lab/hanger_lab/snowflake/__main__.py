"""Command line: python -m hanger_lab.snowflake serve."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import warnings
from pathlib import Path

import uvicorn

from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.server import Server

log = logging.getLogger("hanger_lab.snowflake")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    options = _parser().parse_args(arguments)
    addresses = options.bind or ["127.0.0.1"]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("snowflake").setLevel(logging.WARNING)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    try:
        sockets = [_listen(address, options.port) for address in addresses]
    except OSError as problem:
        log.error("cannot listen on port %s: %s", options.port, problem)
        return 1
    account = Account(options.account, options.data_dir)
    try:
        account.ensure_admin(options.admin_user, options.admin_public_key.read_text())
    except (OSError, ValueError) as problem:
        log.error("%s is not a usable public key: %s", options.admin_public_key, problem)
        return 1
    config = uvicorn.Config(
        Server(account).application(), log_level="warning", access_log=False, timeout_graceful_shutdown=5
    )
    log.info("account %s answers on %s", account.name, ", ".join(f"{a}:{options.port}" for a in addresses))
    uvicorn.Server(config).run(sockets=sockets)
    return 0


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.create_server((address, port), backlog=128)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets that it makes
    return listener


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

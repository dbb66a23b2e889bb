"""Command line: python -m hanger_lab.airbyte serve."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import uvicorn

from hanger_lab.airbyte.application import application
from hanger_lab.airbyte.engine.destination import LAB_ACCOUNT
from hanger_lab.airbyte.services import Services

log = logging.getLogger("hanger_lab.airbyte")
CREDENTIALS = ("AIRBYTE_CLIENT_ID", "AIRBYTE_CLIENT_SECRET")


def main(arguments: list[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run the command; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("snowflake").setLevel(logging.WARNING)
    absent = [name for name in CREDENTIALS if not environment.get(name)]
    if absent:
        log.error("set %s: they are the credentials of the API's one application", " and ".join(absent))
        return 2
    client_id, client_secret = (environment[name] for name in CREDENTIALS)
    try:
        services = Services.open(options.data_dir, client_id, client_secret, options.snowflake_account)
    except OSError as problem:
        log.error("the data directory %s cannot be used: %s", options.data_dir, problem)
        return 1
    log.info("Airbyte's API answers on http://%s:%s", options.host, options.port)
    server = uvicorn.Server(
        uvicorn.Config(
            application(services),
            host=options.host,
            port=options.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    )
    server.run()
    return 0 if server.started else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hanger_lab.airbyte", description="A stand-in for Airbyte.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer Airbyte's API until stopped")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--data-dir", type=Path, required=True, help="where the installation is kept")
    serve.add_argument(
        "--snowflake-account",
        default=LAB_ACCOUNT,
        metavar="NAME",
        help="account of destinations whose host is not in snowflakecomputing.com",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""`hanger-lab snowflake`: an emulated Snowflake account without the rest of the lab."""

from __future__ import annotations

import argparse
from pathlib import Path

DEFAULT_PORT = 8085


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `snowflake`."""
    parser = commands.add_parser(
        "snowflake",
        help="start an emulated Snowflake account alone, in the foreground",
        description="Start an emulated Snowflake account on this host, without the rest of the lab, until Ctrl-C.",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 for a free one (default: %(default)s)")
    parser.add_argument(
        "--directory", type=Path, help="where the account and its key are kept (default: nowhere, they end with it)"
    )
    parser.add_argument("--account", default="HANGERLAB", help="the account's name (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    # Imported late: an account needs libraries that the other commands do not wait for.
    from hanger_lab.snowflake import standalone

    standalone.run(options.port, options.directory, options.account)
    return 0

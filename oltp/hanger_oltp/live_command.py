"""The command that writes a stream of changes. It needs psycopg alone, so that it runs on the database's machine."""

from __future__ import annotations

import argparse
import sys


def options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--database", default="dbname=thehangerdb", metavar="DSN", help="in libpq's words or as a URI")
    parser.add_argument("--owner", default="thehanger", help="role to work as; empty: who logs in")
    parser.add_argument("--rate", type=_positive, default=10.0, help="rows a second (default: %(default)s)")
    parser.add_argument("--rows", type=_positive, help="end after so many rows")
    parser.add_argument("--seconds", type=_positive, help="end after so much time; otherwise Ctrl-C ends it")
    parser.add_argument("--seed", type=int, default=42)


def run(given: argparse.Namespace) -> int:
    """Write changes until it is enough or Ctrl-C, and tell how many; return the exit code."""
    # Only this command needs a database's client.
    from psycopg import Error

    from hanger_oltp.live import Live, Refused, connected

    try:
        with connected(given.database, given.owner) as connection:
            live = Live(connection, given.seed)
            try:
                live.run(given.rate, given.rows, given.seconds)
            except KeyboardInterrupt:
                sys.stderr.write("\n")
    except (Error, Refused) as error:
        sys.stderr.write(f"hanger-oltp: {error}\n")
        return 1
    sys.stdout.write("".join(f"{kind:18}{count:>10}\n" for kind, count in sorted(live.rows.items())))
    return 0


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"must be more than 0, not {text}")
    return number


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(prog="hanger-oltp live")
    options(_parser)
    raise SystemExit(run(_parser.parse_args()))

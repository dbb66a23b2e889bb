"""The command `hanger-oltp`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hanger_oltp import GENERATOR_VERSION
from hanger_oltp.chain import HIGHEST_SCALE, HISTORY_DAYS, Chain
from hanger_oltp.check import digest
from hanger_oltp.encode import BINARY_HEAD, BINARY_TAIL, binary_rows, csv_head, csv_rows
from hanger_oltp.files import pack_csv, write_archive, write_csv
from hanger_oltp.rows import rows, visit_rows
from hanger_oltp.tables import TABLES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        return 1
    except OSError as error:
        sys.stderr.write(f"hanger-oltp: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hanger-oltp", description="The data of a chain of climbing gyms.")
    parser.add_argument("--version", action="version", version=str(GENERATOR_VERSION))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    files = commands.add_parser("generate", help="write the data of a chain into a directory")
    _chain_options(files)
    files.add_argument("--output", type=Path, required=True, metavar="DIR", help="created when it does not exist")
    files.add_argument("--archive", action="store_true", help="one archive for a load instead of CSV files")
    files.set_defaults(run=_generate)

    table = commands.add_parser("table", help="write the rows of one table to standard output")
    _chain_options(table)
    table.add_argument("--binary", action="store_true", help="PostgreSQL's binary COPY format instead of CSV")
    table.add_argument("--days", type=_days, default=range(HISTORY_DAYS), metavar="FIRST-LAST", help="some days only")
    table.add_argument("table", choices=list(TABLES))
    table.set_defaults(run=_table)

    check = commands.add_parser("check", help="check CSV files of your own, and pack them for a load")
    check.add_argument("directory", type=Path, metavar="DIR")
    check.add_argument("--output", type=Path, required=True, metavar="DIR", help="created when it does not exist")
    check.set_defaults(run=_check)

    live = commands.add_parser("live", help="change a database as a chain does that is open")
    live.add_argument("--database", default="dbname=thehangerdb", metavar="DSN", help="in libpq's words or as a URI")
    live.add_argument("--owner", default="thehanger", help="role to work as; empty: who logs in")
    live.add_argument("--rate", type=_positive, default=10.0, help="rows a second (default: %(default)s)")
    live.add_argument("--rows", type=int, help="end after so many rows")
    live.add_argument("--seconds", type=float, help="end after so much time; otherwise Ctrl-C ends it")
    live.add_argument("--seed", type=int, default=42)
    live.set_defaults(run=_live)

    fingerprint = commands.add_parser("digest", help="print a fingerprint of CSV files of your own")
    fingerprint.add_argument("directory", type=Path, metavar="DIR")
    fingerprint.set_defaults(run=_digest)
    return parser


def _chain_options(parser: argparse.ArgumentParser) -> None:
    defaults = Chain()
    parser.add_argument("--scale", type=_scale, default=defaults.scale, help="1 is 50 members and about 600 climbs")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="another seed, another chain")
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        default=defaults.until,
        metavar="DATE",
        help="the data end before this day (default: %(default)s)",
    )


def _generate(options: argparse.Namespace) -> int:
    chain = Chain(options.scale, options.seed, options.until)
    counts = (write_archive if options.archive else write_csv)(chain, options.output)
    sys.stdout.write("".join(f"{table:18}{count:>10}\n" for table, count in counts.items()))
    return 0


def _check(options: argparse.Namespace) -> int:
    errors = pack_csv(options.directory, options.output)
    sys.stderr.write("".join(f"{error}\n" for error in errors))
    return 1 if errors else 0


def _live(options: argparse.Namespace) -> int:
    # Only this command needs a database's client.
    from psycopg import Error

    from hanger_oltp.live import Live, Refused, connected

    try:
        with connected(options.database, options.owner) as connection:
            live = Live(connection, options.seed)
            try:
                live.run(options.rate, options.rows, options.seconds)
            except KeyboardInterrupt:
                sys.stderr.write("\n")
    except (Error, Refused) as error:
        sys.stderr.write(f"hanger-oltp: {error}\n")
        return 1
    sys.stdout.write("".join(f"{kind:18}{count:>10}\n" for kind, count in sorted(live.rows.items())))
    return 0


def _digest(options: argparse.Namespace) -> int:
    sys.stdout.write(f"{digest(options.directory)}\n")
    return 0


def _table(options: argparse.Namespace) -> int:
    chain, table = Chain(options.scale, options.seed, options.until), TABLES[options.table]
    if options.binary and not table.fixed_width:
        sys.stderr.write(f"hanger-oltp: {table.name} has rows of different widths; leave out --binary\n")
        return 2
    out = sys.stdout.buffer
    out.write(BINARY_HEAD if options.binary else csv_head(table))
    made = visit_rows if table.name in ("climbingsessions", "sessiongyms", "routeclimbs") else rows
    for name, columns in made(chain, options.days):
        if name == table.name:
            out.write((binary_rows if options.binary else csv_rows)(table, columns))
    out.write(BINARY_TAIL if options.binary else b"")
    out.flush()
    return 0


def _scale(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_SCALE:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {HIGHEST_SCALE}, not {text!r}")
    return int(text)


def _positive(text: str) -> float:
    rate = float(text)
    if rate <= 0:
        raise argparse.ArgumentTypeError(f"must be more than 0, not {text}")
    return rate


def _days(text: str) -> range:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) < HISTORY_DAYS):
        raise argparse.ArgumentTypeError(f"must be two days from 0 to {HISTORY_DAYS - 1}, such as 0-6, not {text!r}")
    return range(int(first), int(last) + 1)

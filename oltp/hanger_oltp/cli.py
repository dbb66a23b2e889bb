"""The command `hanger-oltp`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hanger_oltp import GENERATOR_VERSION, live_command
from hanger_oltp.chain import HIGHEST_SCALE, HISTORY_DAYS, Chain
from hanger_oltp.check import digest
from hanger_oltp.encode import BINARY_HEAD, BINARY_TAIL, binary_rows, csv_head, csv_rows
from hanger_oltp.files import pack_csv, write_archive, write_csv
from hanger_oltp.rows import table_rows
from hanger_oltp.tables import TABLES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        # Nobody reads on; what is buffered must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    live_command.options(live)
    live.set_defaults(run=live_command.run)

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
    for _, columns in table_rows(chain, table.name, options.days):
        out.write((binary_rows if options.binary else csv_rows)(table, columns))
    out.write(BINARY_TAIL if options.binary else b"")
    out.flush()
    return 0


def _scale(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_SCALE:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {HIGHEST_SCALE}, not {text!r}")
    return int(text)


def _days(text: str) -> range:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) < HISTORY_DAYS):
        raise argparse.ArgumentTypeError(f"must be two days from 0 to {HISTORY_DAYS - 1}, such as 0-6, not {text!r}")
    return range(int(first), int(last) + 1)

"""The command `hanger-oltp`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hanger_oltp import GENERATOR_VERSION
from hanger_oltp.files import pack, write
from hanger_oltp.gym import Gym


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the data of one gym; return the exit code."""
    defaults = Gym()
    parser = argparse.ArgumentParser(
        prog="hanger-oltp", description="Write the data of a climbing gym, one CSV file per table."
    )
    parser.add_argument("--version", action="version", version=str(GENERATOR_VERSION))
    parser.add_argument("--scale", type=_scale, default=defaults.scale, help="1 is 50 members and about 600 climbs")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="another seed, another gym")
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        default=defaults.until,
        metavar="DATE",
        help="the data end before this day (default: %(default)s)",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="created when it does not exist")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--plain", action="store_true", help="write .csv instead of .csv.gz")
    form.add_argument("--pack", action="store_true", help="put them all into tables.tar as well")
    options = parser.parse_args(arguments)
    gym = Gym(options.scale, options.seed, options.until)
    try:
        counts = write(gym, options.output, compress=not options.plain)
        if options.pack:
            pack(options.output)
    except OSError as error:
        sys.stderr.write(f"hanger-oltp: {error}\n")
        return 1
    sys.stdout.write("".join(f"{table:18}{count:>10}\n" for table, count in counts.items()))
    return 0


def _scale(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, not {text!r}")
    return int(text)

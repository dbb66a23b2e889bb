"""Runs a program and writes how many statements it sent to an account, as the last line of the standard error.

SnowDDL and permifrost have no option for an account on this machine: they are led to the port HANGER_BENCH_PORT.
"""

from __future__ import annotations

import itertools
import os
import runpy
import sys
from typing import Any

import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor

_connect, _execute = snowflake.connector.connect, SnowflakeCursor.execute
_base = next(found for found in SnowflakeCursor.__mro__ if "execute" in vars(found))
_sent = itertools.count()


def _here(**options: Any) -> Any:
    place = {"host": "127.0.0.1", "port": int(os.environ["HANGER_BENCH_PORT"]), "protocol": "http"}
    return _connect(**{**options, **place, "no_proxy": "127.0.0.1"})


def _counted(cursor: SnowflakeCursor, *arguments: Any, **options: Any) -> Any:
    next(_sent)
    return _execute(cursor, *arguments, **options)


def main() -> None:
    """Run the program that the first argument names with the others."""
    vars(snowflake.connector)["connect"] = _here
    vars(snowflake.connector)["Connect"] = _here
    type.__setattr__(_base, "execute", _counted)
    sys.argv = sys.argv[1:]
    try:
        if sys.argv[0] == "snowddl":
            from snowddl.app.base import BaseApp

            BaseApp().execute()
        elif sys.argv[0] == "permifrost":
            from permifrost.cli import main as permifrost

            permifrost()
        else:
            runpy.run_module(sys.argv[0], run_name="__main__")
    finally:
        sys.stderr.write(f"\nstatements={next(_sent)}\n")


if __name__ == "__main__":
    main()

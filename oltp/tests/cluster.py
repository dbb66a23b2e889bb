"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Start a server, yield the connection string of its database, and stop it."""
    # The server does not run as root.
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = None if os.getuid() else "postgres" if "postgres" in known else "nobody"

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, check=True, user=user, cwd=directory, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory(prefix="hanger-oltp-") as directory:
        if user:
            shutil.chown(directory, user)
        data = f"{directory}/data"
        run("initdb", "--no-sync", "--auth=trust", "--username=admin", "--encoding=UTF8", "--locale=C", "-D", data)
        options = f"-c listen_addresses= -c fsync=off -k {directory}"
        run("pg_ctl", "-w", "-D", data, "-l", f"{directory}/log", "-o", options, "start")
        try:
            yield f"host={directory} user=admin dbname=postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "-D", data, "stop")


def migrate(connection: psycopg.Connection[tuple[object, ...]], kind: str = "deploy") -> None:
    """Run the scripts of the plan as Sqitch does: to deploy in its order, to revert in the other."""
    plan = (MIGRATIONS / "sqitch.plan").read_text().split("\n")
    changes = [line.split()[0] for line in plan if line and not line.startswith("%")]
    for change in changes if kind != "revert" else reversed(changes):
        connection.execute((MIGRATIONS / kind / f"{change}.sql").read_bytes())

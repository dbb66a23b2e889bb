"""`hanger-lab logs`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from hanger_lab.config import Lab

POLL_SECONDS = 0.3


def available(lab: Lab) -> list[str]:
    """Return the names of the logs that exist."""
    return sorted(path.stem for path in (lab.directory / "logs").glob("*.log"))


def show(lab: Lab, names: Sequence[str], lines: int, follow: bool, out: TextIO) -> None:
    """Write the last lines of logs and, if told so, what is added to them; several are told apart by their names."""
    paths = {name: lab.directory / "logs" / f"{name}.log" for name in names}
    read: dict[str, int] = {}
    for name, path in paths.items():
        content = path.read_bytes()
        read[name] = len(content)
        _write(name if len(paths) > 1 else "", content.decode(errors="replace").splitlines()[-lines:], out)
    while follow:
        time.sleep(POLL_SECONDS)
        for name, path in paths.items():
            added, read[name] = _added(path, read[name])
            _write(name if len(paths) > 1 else "", added, out)
        out.flush()


def _added(path: Path, offset: int) -> tuple[list[str], int]:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(offset if offset <= size else 0)
        content = file.read()
        return content.decode(errors="replace").splitlines(), file.tell()


def _write(name: str, lines: Sequence[str], out: TextIO) -> None:
    prefix = f"{name}: " if name else ""
    out.writelines(f"{prefix}{line}\n" for line in lines)

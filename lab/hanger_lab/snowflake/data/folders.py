"""Turns names of objects into names of files that cannot point anywhere else."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote as percent

from hanger_lab.snowflake import errors


def folder(part: str) -> str:
    """Encode one part of a name as one path component, dots included: `..` is a name like any other."""
    if not part:
        raise errors.syntax('""')
    return percent(part, safe="").replace(".", "%2E")


def require_inside(root: Path, path: Path) -> Path:
    """Return the path if it lies strictly inside the directory."""
    if path == root or not path.resolve().is_relative_to(root.resolve()) or path.resolve() == root.resolve():
        raise ValueError(f"{path} is not inside {root}")
    return path


def remove(root: Path, path: Path) -> None:
    """Remove a directory strictly inside another with everything in it; absent is fine."""
    shutil.rmtree(require_inside(root, path), ignore_errors=True)

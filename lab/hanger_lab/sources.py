"""The package's own source files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent


def source_files(names: Iterable[str]) -> dict[str, Path]:
    """Return the files of modules and sub-packages by path inside the package, without what tools leave there."""
    found: dict[str, Path] = {}
    for name in names:
        top = PACKAGE / name
        paths = [top] if top.is_file() else sorted(top.rglob("*"))
        found |= {str(path.relative_to(PACKAGE)): path for path in paths if _belongs(path)}
    return found


def _belongs(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).parts
    return path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts)

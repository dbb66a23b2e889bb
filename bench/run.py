"""Run one benchmark by name: prints one JSON object a line and keeps them under bench/results/."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
KEYS = ("name", "value", "unit", "peer", "note")


def main(name: str) -> int:
    """Run `bench/<name>.py`'s measure() and keep what it yields once it is complete; return the exit code."""
    known = sorted(path.stem for path in BENCH.glob("*.py") if path.stem != "run")
    if name not in known:
        sys.stderr.write(f"NAME must be one of: {', '.join(known)}; not {name!r}\n")
        return 2
    results = BENCH / "results" / f"{name}.jsonl"
    results.parent.mkdir(exist_ok=True)
    partial = results.with_name(f"{results.name}.new")
    with partial.open("w") as stream:
        for figure in importlib.import_module(name).measure():
            line = json.dumps({key: figure.get(key) for key in KEYS})
            stream.write(f"{line}\n")
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    partial.replace(results)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(BENCH))
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

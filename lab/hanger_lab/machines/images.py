"""Machine images."""

from __future__ import annotations

from hanger_lab.machines.engine import Engine
from hanger_lab.machines.errors import ImageError

TAGS = {
    "debian-13": "hanger-lab/debian:13",
    "debian-12": "hanger-lab/debian:12",
    "postgresql": "hanger-lab/postgresql:latest",
    "docker": "hanger-lab/docker:latest",
}


def ensure_image(engine: Engine, name: str) -> str:
    """Return the tag of an image by name; raise ImageError for an unknown one."""
    if name not in TAGS:
        raise ImageError(f"no machine image is called {name!r}: there are {', '.join(TAGS)}")
    return TAGS[name]

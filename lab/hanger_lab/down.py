"""`hanger-lab down`: nothing of the lab is left but its cache, its secrets and its logs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.machines import Engine, EngineError
from hanger_lab.machines.cleanup import remove_images, remove_objects
from hanger_lab.machines.private import PrivateEngine
from hanger_lab.progress import Progress
from hanger_lab.services import services
from hanger_lab.up import exclusive

STATE = ("ec2", "snowflake", "run")
FILES = ("lab.json", "lab.json.new", "known_hosts", "known_hosts.old")
KEPT_UNLESS_PURGED = ("cache", "secrets", "logs", "engine")


def down(lab: Lab, progress: Progress, images: bool = False, purge: bool = False) -> None:
    """Remove what the lab made, however it ended; `images` also those in the engine, `purge` everything."""
    if not lab.directory.exists() and not _engine_or_none(lab):
        progress.say("nothing to remove")
        return
    with exclusive(lab):
        with progress.step("stopping the endpoints"):
            for service in services(lab):
                service.stop()
        private = PrivateEngine(lab)
        if private.exists:
            private.start()
        engine = Engine.connect(lab) if private.exists else _engine_or_none(lab)
        if engine:
            with progress.step("removing machines and networks"):
                remove_objects(engine)
            if images or purge:
                remove_images(engine)
        if private.exists:
            with progress.step("ending the private Docker engine"):
                private.stop(keep_data=not (images or purge))
        for name in FILES:
            (lab.directory / name).unlink(missing_ok=True)
        _remove_directories(lab.directory / name for name in STATE)
    if purge:
        # A cache elsewhere may be shared with other labs.
        _remove_directories(lab.directory / name for name in KEPT_UNLESS_PURGED)
    _unless_failing(lab.directory.rmdir)
    kept = "nothing" if purge else "its cache, its secrets and its logs"
    progress.say(f"lab {lab.id} is down: {kept} stayed")


def _engine_or_none(lab: Lab) -> Engine | None:
    try:
        return Engine.connect(lab)
    except EngineError:
        return None


def _remove_directories(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            shutil.rmtree(path)


def _unless_failing(action: Callable[[], None]) -> None:
    try:
        action()
    except OSError:
        return

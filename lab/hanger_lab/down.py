"""`hanger-lab down`: nothing of the lab is left but its cache, its secrets, its SSH keys and its logs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.lock import exclusive, lock_file
from hanger_lab.machines import Engine
from hanger_lab.machines.cleanup import remove_images, remove_objects
from hanger_lab.machines.errors import EngineError, NoEngineError
from hanger_lab.machines.locate import engine_address, recorded_address
from hanger_lab.machines.private import PrivateEngine
from hanger_lab.progress import Progress
from hanger_lab.services import services

STATE = ("bin", "ec2", "snowflake", "run")
FILES = ("lab.json", "lab.json.new", "known_hosts", "known_hosts.old")
KEPT_UNLESS_PURGED = ("cache", "secrets", "ssh", "logs", "engine")
LOST = (
    "the lab has instances, but no Docker engine answers that could have their machines: start it or set DOCKER_HOST; "
    "if it is gone for good, `hanger-lab down --without-engine` removes the rest of the lab"
)


def down(lab: Lab, progress: Progress, images: bool = False, purge: bool = False, without_engine: bool = False) -> None:
    """Remove what the lab made, however it ended; `images` also those in the engine, `purge` everything.

    Raises EngineError before anything is touched when the engine that may have the lab's machines does not answer;
    `without_engine` goes on then.
    """
    if not lab.directory.exists() and not _engine(lab):
        progress.say("nothing to remove")
        return
    with exclusive(lab):
        private = PrivateEngine(lab)
        engine = _engine(lab, private, without_engine)
        with progress.step("stopping the endpoints"):
            for service in services(lab):
                service.stop()
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
        # A cache elsewhere may be shared with other labs.
        _remove_directories(lab.directory / name for name in (*STATE, *(KEPT_UNLESS_PURGED if purge else ())))
        progress.say(f"lab {lab.id} is down: {_what_stayed(lab, bool(engine) and not (images or purge))}")
        lock_file(lab).unlink(missing_ok=True)
        with suppress(OSError):
            lab.directory.rmdir()


def _engine(lab: Lab, private: PrivateEngine | None = None, without: bool = False) -> Engine | None:
    """Return the engine that has the lab's machines, brought back if it is the lab's own; None if there are none."""
    recorded = recorded_address(lab)
    own = private is not None and recorded == f"unix://{private.socket}"
    with suppress(NoEngineError):
        engine_address(lab)
    if private and own and (private.exists or private.has_data):
        try:
            private.start()
        except EngineError:
            if without:
                return None
            raise
    try:
        return Engine.connect(lab)
    except NoEngineError as error:
        if without or own or not _may_have_machines(lab):
            return None
        if recorded:
            raise
        raise EngineError(LOST) from error


def _may_have_machines(lab: Lab) -> bool:
    return recorded_address(lab) is not None or (lab.directory / "ec2").exists()


def _what_stayed(lab: Lab, images: bool) -> str:
    names = sorted(path.name for path in lab.directory.iterdir() if path != lock_file(lab))
    stayed = [f"{', '.join(names)} in {lab.directory}"] if names else []
    if lab.cache.exists() and not lab.cache.is_relative_to(lab.directory):
        stayed.append(f"the cache {lab.cache}")
    if images:
        stayed.append("the images in the engine")
    return f"{' and '.join(stayed) or 'nothing'} stayed"


def _remove_directories(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            shutil.rmtree(path)

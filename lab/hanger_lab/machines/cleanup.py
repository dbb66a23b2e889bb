"""The end of a lab's objects in an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker.errors import APIError, NotFound

from hanger_lab.machines.engine import Engine
from hanger_lab.machines.errors import EngineError
from hanger_lab.machines.model import LAB_LABEL

IMAGES = "hanger-lab/*"


def remove_objects(engine: Engine) -> None:
    """Remove every container, then every network and volume, that carries the lab's label."""
    label: dict[str, Any] = {"label": f"{LAB_LABEL}={engine.lab.id}"}
    containers = engine.client.containers.list(all=True, ignore_removed=True, filters=label)
    _all(containers, lambda container: container.remove(force=True, v=True))
    _all(engine.client.networks.list(filters=label), lambda network: network.remove())
    _all(engine.client.volumes.list(filters=label), lambda volume: volume.remove(force=True))


def remove_images(engine: Engine) -> None:
    """Remove the lab's images from the engine; those that another lab's machines use stay."""
    tags = [tag for image in engine.client.images.list(IMAGES) for tag in image.tags]
    for tag in sorted(tags, reverse=True):
        try:
            engine.client.images.remove(tag)
        except APIError as error:
            if error.status_code not in (404, 409):
                raise EngineError(f"cannot remove the image {tag}: {error.explanation}") from error


def _all(objects: Iterable[Any], remove: Callable[[Any], None]) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        for failure in pool.map(lambda item: _failure(item, remove), objects):
            if failure:
                raise EngineError(f"cannot remove {failure}")


def _failure(item: Any, remove: Callable[[Any], None]) -> str | None:
    try:
        remove(item)
    except NotFound:
        return None
    except APIError as error:
        return f"{item.name}: {error.explanation}"
    return None

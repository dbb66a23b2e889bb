"""Machine images in the engine: imported from cached root file systems or derived from one another."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from docker.errors import APIError, DockerException, ImageNotFound

from hanger_lab.machines.engine import Engine
from hanger_lab.machines.errors import ImageError
from hanger_lab.machines.hostconfig import debian_sources
from hanger_lab.machines.model import SeedFile
from hanger_lab.machines.recipes import RECIPES, Derived, Recipe, Rootfs, digest
from hanger_lab.machines.rootfs import cached_rootfs
from hanger_lab.machines.trust import trust_files

log = logging.getLogger(__name__)

RECIPE_LABEL = "com.thehanger.recipe"
CHANGES = ['CMD ["/usr/local/sbin/hanger-init"]', "ENV container=docker"]
# Packages must not start their services while an image is made.
NO_SERVICES = {"/usr/sbin/policy-rc.d": SeedFile("#!/bin/sh\nexit 101\n", mode=0o755)}
SERVICES_AGAIN = " && rm /usr/sbin/policy-rc.d"
DERIVE_SECONDS = 900


def ensure_image(engine: Engine, name: str) -> str:
    """Return the tag of an image by name and make it when the engine lacks it or has one of another recipe.

    Raises ImageError for an unknown name and when the image cannot be made.
    """
    recipe = RECIPES.get(name)
    if recipe is None:
        raise ImageError(f"no machine image is called {name!r}: there are {', '.join(RECIPES)}")
    key = recipe_key(name)
    if _present(engine, recipe.tag, key):
        return recipe.tag
    if isinstance(recipe.source, Derived):
        ensure_image(engine, recipe.source.base)
    with _lock(engine, name):
        if not _present(engine, recipe.tag, key):
            _make(engine, name, recipe, key)
    return recipe.tag


def recipe_key(name: str) -> str:
    """Return twelve hexadecimal digits that change when the image would."""
    source = RECIPES[name].source
    if isinstance(source, Derived):
        return digest(recipe_key(source.base), source.script)
    return source.key(debian_sources(source.suite))


def _present(engine: Engine, tag: str, key: str) -> bool:
    try:
        image = engine.client.images.get(tag)
    except ImageNotFound:
        return False
    except DockerException as error:
        raise ImageError(f"cannot look for {tag}: {error}") from error
    return bool(image.labels.get(RECIPE_LABEL) == key)


def _make(engine: Engine, name: str, recipe: Recipe, key: str) -> None:
    log.info("making the image %s", recipe.tag)
    try:
        if isinstance(recipe.source, Rootfs):
            archive = cached_rootfs(name, recipe.source, engine.lab.cache)
            repository, _, tag = recipe.tag.partition(":")
            changes = [*CHANGES, f"LABEL {RECIPE_LABEL}={key}"]
            engine.client.api.import_image_from_file(str(archive), repository, tag, changes)
        else:
            _derive(engine, name, recipe.tag, recipe.source, key)
    except (DockerException, OSError) as error:
        detail = error.explanation if isinstance(error, APIError) else error
        raise ImageError(f"cannot make {recipe.tag}: {detail}") from error
    if not _present(engine, recipe.tag, key):
        raise ImageError(f"the engine did not take the image {recipe.tag}")
    _remove_replaced(engine)


def _remove_replaced(engine: Engine) -> None:
    """Remove machine images that lost their tags to newer ones; those in use stay for the next time."""
    for image in engine.client.images.list(filters={"dangling": True, "label": RECIPE_LABEL}):
        with suppress(APIError):
            engine.client.images.remove(str(image.id))


def _derive(engine: Engine, name: str, tag: str, source: Derived, key: str) -> None:
    builder = f"{engine.build_prefix}{name}"
    engine.remove(builder)
    container = engine.client.containers.create(
        RECIPES[source.base].tag,
        ["sh", "-c", source.script + SERVICES_AGAIN],
        name=builder,
        labels=engine.labels(),
        network_mode="host",
    )
    try:
        engine.put_files(builder, {**trust_files(), **NO_SERVICES})
        container.start()
        code = container.wait(timeout=DERIVE_SECONDS)["StatusCode"]
        if code:
            raise ImageError(f"the script that makes {tag} ended with {code}: {_tail(container.logs(tail=5))}")
        repository, _, version = tag.partition(":")
        changes = [*CHANGES, f"LABEL {RECIPE_LABEL}={key}"]
        container.commit(repository, version, changes="\n".join(changes))
    finally:
        container.remove(force=True, v=True)


def _tail(output: bytes) -> str:
    return " / ".join(output.decode(errors="replace").strip().splitlines())


@contextmanager
def _lock(engine: Engine, name: str) -> Iterator[None]:
    engine.lab.cache.mkdir(parents=True, exist_ok=True)
    with (engine.lab.cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

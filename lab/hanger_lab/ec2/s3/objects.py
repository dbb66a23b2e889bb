"""The bytes of the lab's S3 objects: files named by their digests, so that the books stay small."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from moto.s3.models import FakeKey

from hanger_lab.ec2.patches import Method, Patches
from hanger_lab.files import private_directory, write_private

_DIGEST = "hanger_digest"


class Objects:
    """A directory with a file for every object that the saved books name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._named: set[str] = set()

    def install(self, patches: Patches) -> None:
        """Let moto's objects be pickled by their digests until `patches` is left."""
        value: Any = vars(FakeKey)["value"]

        def forget(key: Any, content: bytes) -> None:
            vars(key).pop(_DIGEST, None)
            value.fset(key, content)

        patches.assign(FakeKey, "value", property(value.fget, forget))
        patches.wrap(FakeKey, "__getstate__", self._state)
        patches.wrap(FakeKey, "__setstate__", self._restore)

    def saved(self, save: Callable[[], None]) -> None:
        """Save the books, then remove the files that they do not name any more."""
        self._named.clear()
        save()
        if self._directory.is_dir():
            for path in self._directory.iterdir():
                if path.name not in self._named:
                    path.unlink()

    def _state(self, original: Method, key: Any) -> dict[str, Any]:
        digest = vars(key).get(_DIGEST)
        if digest is None:
            state: dict[str, Any] = original(key)
            digest = self._keep(state["value"] or b"")
            vars(key)[_DIGEST] = digest
        self._named.add(digest)
        left_out = ("_value_buffer", "lock")
        return {**{name: part for name, part in vars(key).items() if name not in left_out}, "value": None}

    def _restore(self, original: Method, key: Any, state: dict[str, Any]) -> None:
        vars(key).update({name: part for name, part in state.items() if name != "value"})
        key._value_buffer = tempfile.SpooledTemporaryFile(max_size=key._max_buffer_size)  # noqa: SIM115
        key.lock = threading.Lock()
        key.value = (self._directory / state[_DIGEST]).read_bytes()
        vars(key)[_DIGEST] = state[_DIGEST]

    def _keep(self, content: bytes) -> str:
        digest = sha256(content).hexdigest()
        path = self._directory / digest
        if not path.is_file():
            private_directory(self._directory)
            write_private(path, content)
        return digest

"""Replace methods of a library for a while, and put them back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any

Method = Callable[..., Any]
_NOTHING = object()


class Patches:
    """Changed attributes of classes and modules; leaving the context restores them, last change first."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Patches:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for owner, name, value in reversed(self._undo):
            if isinstance(owner, dict):
                owner[name] = value
            elif value is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        self._undo.clear()

    def add(self, owner: type, name: str, method: Method | property) -> None:
        """Give a class a method or a property that it does not have."""
        if name in vars(owner):
            raise ValueError(f"{owner.__name__} has {name}: wrap it")
        self._undo.append((owner, name, _NOTHING))
        setattr(owner, name, method)

    def assign(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute that exists (of a class, its own one; of a dict, the key)."""
        if isinstance(owner, dict):
            self._undo.append((owner, name, owner[name]))
            owner[name] = value
        else:
            self._undo.append((owner, name, vars(owner)[name]))
            setattr(owner, name, value)

    def wrap(self, owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
        """Replace a method by `wrapper`, which gets the original as its first argument."""
        original: Method = vars(owner)[name]

        @functools.wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:
            return wrapper(original, *args, **kwargs)

        self.assign(owner, name, replacement)

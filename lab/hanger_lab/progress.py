"""What the lab is doing, shown while it does it: a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

QUIET_SECONDS = 1.0


class Progress:
    """Steps that may overlap; one that takes longer than a second is announced, and its duration is told."""

    def __init__(self, console: Console) -> None:
        """Write to a console."""
        self._console = console
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}
        self._status: Status | None = None

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show a step for as long as the context lasts."""
        started = time.monotonic()
        timer = threading.Timer(QUIET_SECONDS, self._announce, [text])
        timer.daemon = True
        self._begin(text)
        timer.start()
        done = False
        try:
            yield
            done = True
        finally:
            timer.cancel()
            self._end(text, time.monotonic() - started, done)

    def say(self, text: str) -> None:
        """Write a line."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def _announce(self, text: str) -> None:
        with self._lock:
            if text in self._running and not self._console.is_terminal:
                self.say(f"{text} …")

    def _begin(self, text: str) -> None:
        with self._lock:
            self._running[text] = time.monotonic()
            self._refresh()

    def _end(self, text: str, seconds: float, done: bool) -> None:
        with self._lock:
            self._running.pop(text, None)
            if seconds >= QUIET_SECONDS:
                self.say(f"{text}: {'done' if done else 'failed'} in {seconds:.0f} s")
            self._refresh()

    def _refresh(self) -> None:
        if not self._console.is_terminal:
            return
        if self._running:
            text = ", ".join(self._running)
            if self._status is None:
                self._status = self._console.status(text)
                self._status.start()
            else:
                self._status.update(text)
        elif self._status is not None:
            self._status.stop()
            self._status = None

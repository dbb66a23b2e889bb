"""Runs an account's server: in the foreground, or beside a test in a thread."""

from __future__ import annotations

import logging
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from hanger_lab.snowflake.server import Server

_START_SECONDS = 30
_STOP_SECONDS = 20


def listen(address: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one. Raises OSError."""
    listener = socket.create_server((address, port), backlog=128)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets that it makes
    return listener


def serve(server: Server, sockets: list[socket.socket]) -> None:
    """Answer until the process is told to stop; the account is closed then."""
    _quiet()
    uvicorn.Server(_config(server)).run(sockets=sockets)


@contextmanager
def serving(server: Server, sockets: list[socket.socket]) -> Iterator[None]:
    """Answer in a thread while the block runs; raises RuntimeError when the server does not start or stop."""
    _quiet()
    running = _InThread(_config(server))
    thread = threading.Thread(target=running.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    if not running.ready.wait(_START_SECONDS):
        raise RuntimeError(f"the account did not start within {_START_SECONDS} s")
    try:
        yield
    finally:
        running.should_exit = True
        thread.join(_STOP_SECONDS)
    if thread.is_alive():
        raise RuntimeError(f"the account did not stop within {_STOP_SECONDS} s")


class _InThread(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _config(server: Server) -> uvicorn.Config:
    return uvicorn.Config(server.application(), log_level="warning", access_log=False, timeout_graceful_shutdown=5)


def _quiet() -> None:
    logging.getLogger("snowflake").setLevel(logging.WARNING)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")

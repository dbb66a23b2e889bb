"""Where a request at the lab's EC2 port goes: to the lab's own tools, or to AWS's APIs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hanger_lab.ec2 import door
from hanger_lab.ec2.access import from_a_web_page

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Front:
    """One WSGI application of several; pages of browsers all get the refusal of `api`."""

    def __init__(self, api: Wsgi, tools: Wsgi) -> None:
        self._api = api
        self._tools = tools

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass one request on."""
        if environ.get("PATH_INFO", "").startswith(door.PREFIX) and not from_a_web_page(environ):
            return self._tools(environ, start_response)
        return self._api(environ, start_response)

"""Where a request at the lab's EC2 port goes: to the lab's own tools, to S3, or to the other APIs of AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hanger_lab.ec2 import door, metadata_service
from hanger_lab.ec2.access import Refusal, from_a_web_page
from hanger_lab.ec2.s3.application import Storage

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Front:
    """What answers to programs of this host; pages of browsers all get the refusal of `api`."""

    def __init__(self, api: Wsgi, storage: Storage, tools: Wsgi) -> None:
        self._api, self._storage, self._tools = api, storage, tools

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass one request on."""
        if from_a_web_page(environ):
            return self._api(environ, start_response)
        if environ.get("PATH_INFO", "").startswith(door.PREFIX):
            return self._tools(environ, start_response)
        return (self._storage if self._storage.owns(environ) else self._api)(environ, start_response)


class MachineFront:
    """What answers to machines, too: their metadata, and S3."""

    def __init__(self, storage: Storage, metadata: Wsgi) -> None:
        self._storage, self._metadata = storage, metadata

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass one request on."""
        if metadata_service.is_asked(environ):
            return self._metadata(environ, start_response)
        if self._storage.owns(environ) and "HTTP_ORIGIN" not in environ:
            return self._storage(environ, start_response)
        status, headers, content = Refusal("403 Forbidden", "AccessDenied", "only S3 is here", "s3").answer()
        start_response(status, headers)
        return [content]

"""The instance metadata service, version 2 and 1, as machines find it on 169.254.169.254.

Who asks is told by the address that the question comes from. The answer with a token leaves with the instance's hop
limit as its time to live, so it does not reach a container behind a bridge unless the limit allows one hop more.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.ec2.models import ec2_backends

from hanger_lab.ec2 import metadata
from hanger_lab.ec2.fleet import ENDED
from hanger_lab.ec2.metadata_machine import LINK_LOCAL

Environ = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
TOKEN_PATH = "/latest/api/token"  # noqa: S105
TTL_HEADER = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
LONGEST_TTL = 21600
TRIES = 5
VERSIONS = ("1.0", "2007-01-19", "2009-04-04", "2016-09-02", "2018-09-24", "2020-10-27", "2021-03-23", "2022-09-24")
_VERSION = re.compile(r"latest|1\.0|\d{4}-\d{2}-\d{2}")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}
_PAGE = """<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head><title>{code} - {reason}</title></head>
 <body><h1>{code} - {reason}</h1></body>
</html>
"""


class MetadataService:
    """A WSGI application; tokens are signed with `secret`, hold for one instance, and survive a restart."""

    def __init__(self, secret: bytes, find: Callable[[str], Any] | None = None) -> None:
        self._secret = secret
        self._find = find or instance_at

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        instance = self._find(str(environ.get("REMOTE_ADDR", "")))
        answer: Answer = (404, {}, b"") if instance is None else self._answer(instance, environ)
        code, headers, content = answer
        if code >= 400:
            content, kind = _PAGE.format(code=code, reason=_REASONS[code]).encode(), "text/html"
        else:
            kind = "application/octet-stream" if environ["PATH_INFO"].endswith("/user-data") else "text/plain"
        _limit_hops(environ, instance)
        found = {"Content-Type": kind, "Content-Length": str(len(content)), "Server": "EC2ws", **headers}
        start_response(f"{code} {_REASONS[code]}", list(found.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def _answer(self, instance: Any, environ: Environ) -> Answer:
        if instance.metadata_options.http_endpoint == "disabled":
            return 403, {}, b""
        if environ["REQUEST_METHOD"] == "PUT":
            return self._grant(instance, environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return 405, {"Allow": "OPTIONS, GET, HEAD, PUT"}, b""
        headers: dict[str, str] = {}
        token = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN")
        if token is None and instance.metadata_options.http_tokens == "required":
            return 401, {}, b""
        if token is not None:
            left = self._seconds_left(instance, str(token))
            if left <= 0:
                return 401, {}, b""
            headers[TTL_HEADER] = str(left)
        content = self._content(instance, environ["PATH_INFO"])
        return (404, {}, b"") if content is None else (200, headers, content)

    def _grant(self, instance: Any, environ: Environ) -> Answer:
        if "HTTP_X_FORWARDED_FOR" in environ:
            return 403, {}, b""
        if environ["PATH_INFO"] != TOKEN_PATH:
            return 405, {"Allow": "OPTIONS, GET, HEAD"}, b""
        ttl = str(environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS", ""))
        if not re.fullmatch(r"[0-9]{1,5}", ttl) or not 1 <= int(ttl) <= LONGEST_TTL:
            return 400, {}, b""
        until = int(time.time()) + int(ttl)
        signed = base64.urlsafe_b64encode(until.to_bytes(8, "big") + self._signature(instance, until))
        return 200, {TTL_HEADER: ttl}, signed

    def _seconds_left(self, instance: Any, token: str) -> int:
        """Return for how long a token holds; zero or less when it does not."""
        try:
            signed = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return 0
        until = int.from_bytes(signed[:8], "big")
        genuine = hmac.compare_digest(signed[8:], self._signature(instance, until))
        return until - int(time.time()) if genuine else 0

    def _signature(self, instance: Any, until: int) -> bytes:
        return hmac.digest(self._secret, f"metadata token {instance.id} {until}".encode(), "sha256")

    def _content(self, instance: Any, path: str) -> bytes | None:
        version, slash, rest = path.lstrip("/").partition("/")
        if not version:
            return "\n".join([*VERSIONS, "latest"]).encode()
        if not _VERSION.fullmatch(version):
            return None
        for _ in range(TRIES):  # a call of the API may change the books at the same time
            try:
                return metadata.look_up(metadata.tree(instance, self._secret), slash + rest)
            except RuntimeError:
                time.sleep(0.01)
        return None


def instance_at(address: str) -> Any:
    """Return the instance with a private address, of any region, also while it starts; None when there is none."""
    backends: Iterator[tuple[str, str, Any]] = ec2_backends.iter_backends()
    for _, _, backend in list(backends):
        for reservation in list(backend.reservations.values()):
            for instance in list(reservation.instances):
                if instance.state not in ENDED and instance.private_ip == address:
                    return instance
    return None


def _limit_hops(environ: Environ, instance: Any) -> None:
    """Let the answer to PUT go no further than the instance allows; every connection has one request only."""
    connection = environ.get("werkzeug.socket")
    if connection is not None and instance is not None and environ["REQUEST_METHOD"] == "PUT":
        hops = int(instance.metadata_options.http_put_response_hop_limit)
        connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)


def is_asked(environ: Environ) -> bool:
    """Tell whether a request is for the link-local address: machines lead it here and leave the name as it was."""
    return str(environ.get("HTTP_HOST", "")).partition(":")[0] == LINK_LOCAL

"""Requests of S3: admitted, written down, passed to moto, saved."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from threading import RLock
from typing import Any

from hanger_lab.ec2.journal import Journal
from hanger_lab.ec2.s3.access import S3Refusal, authorize, is_for_s3
from hanger_lab.ec2.s3.actions import action
from hanger_lab.ec2.s3.callers import Callers, resources

log = logging.getLogger(__name__)

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
READS = ("GET", "HEAD")
# What a body of this type holds is taken for fields, and the object would be empty.
FORM = "application/x-www-form-urlencoded"
# Paths are whole: moto would take the first label of another host for a bucket.
HOST = "s3.amazonaws.com"


class Storage:
    """S3 before moto; `public` returns the content of a package that everybody may read, by its path."""

    def __init__(
        self,
        moto: Wsgi,
        save: Callable[[], None],
        callers: Callers,
        journal: Journal,
        writing: RLock,
        public: Callable[[str], bytes | None] = lambda path: None,
    ) -> None:
        self._moto, self._save, self._callers = moto, save, callers
        self._journal, self._writing, self._public = journal, writing, public

    def owns(self, environ: Environ) -> bool:
        """Tell whether a request is one of S3."""
        return is_for_s3(environ) or self._package(environ) is not None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        package = self._package(environ)
        if package is not None:
            headers = [("Content-Type", "binary/octet-stream"), ("Content-Length", str(len(package)))]
            start_response("200 OK", headers)
            return [package] if environ["REQUEST_METHOD"] == "GET" else []
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        method, path = str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "/"))
        name = action(method, path, environ.get("QUERY_STRING", ""))
        try:
            self._admit(environ, body, name, path)
        except S3Refusal as refusal:
            log.warning("s3 %s %s: %s", name, path, refusal.message)
            status, headers, content = refusal.answer()
            start_response(status, headers)
            return [content]
        self._journal.record("s3", name)
        call = {**environ, "wsgi.input": io.BytesIO(body), "HTTP_HOST": HOST}
        if method == "PUT" and environ.get("CONTENT_TYPE", "").startswith(FORM):
            call["CONTENT_TYPE"] = "binary/octet-stream"
        with nullcontext() if method in READS else self._writing:
            answer: list[Any] = []
            content = b"".join(self._moto(call, lambda *head: answer.extend(head)))
            if method not in READS:
                self._save()
        start_response(*answer)
        return [content]

    def _admit(self, environ: Environ, body: bytes, name: str, path: str) -> None:
        caller = authorize(environ, body, self._callers.find)
        for needed, resource in resources(name, path, body, str(environ.get("HTTP_X_AMZ_COPY_SOURCE", ""))):
            if not caller.may(needed, resource):
                raise S3Refusal("AccessDenied", f"the instance's role is not allowed {needed} on {resource}")

    def _package(self, environ: Environ) -> bytes | None:
        signed = "HTTP_AUTHORIZATION" in environ or "X-Amz-Signature" in environ.get("QUERY_STRING", "")
        if signed or environ["REQUEST_METHOD"] not in READS:
            return None
        return self._public(str(environ.get("PATH_INFO", "")))

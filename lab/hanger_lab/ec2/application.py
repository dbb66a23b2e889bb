"""What stands in front of moto: health, one writer at a time, errors in EC2's shape, a save after each change."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qs

from hanger_lab.ec2 import regions
from hanger_lab.ec2.access import Refusal, authorize, from_a_web_page, region_of
from hanger_lab.ec2.faults import USER_AGENT, Faults
from hanger_lab.ec2.journal import Journal, reads
from hanger_lab.ec2.ssm import sessions
from hanger_lab.ec2.truth import concerns_machines
from hanger_lab.keys import AccessKey

log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
_FOR_PAGES = "access-control-"
# EC2 answers with a server error when it has no room, which clients try again; moto knows client errors only.
_NO_CAPACITY = re.compile(rb"<Code>InsufficientInstanceCapacity</Code>\s*<Message>We currently do not have sufficient")
_ERROR = re.compile(rb"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", re.DOTALL)


class Application:
    """Pass calls that the lab's key signed to moto; GET /healthz answers 200, there are no other pages."""

    def __init__(
        self,
        moto: Callable[[Environ, StartResponse], Iterable[bytes]],
        save: Callable[[], None],
        key: AccessKey,
        journal: Journal | None = None,
        faults: Faults | None = None,
        observe: Callable[[], bool] = lambda: False,
    ) -> None:
        self._moto = moto
        self._journal = journal
        self._faults = faults
        self._observe = observe
        self._save = save
        self._key = key
        self.writing = threading.RLock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "/")
        if from_a_web_page(environ):
            return _answer(start_response, "403 Forbidden", "text/plain", "the lab's EC2 is not for web pages\n")
        if path == "/healthz":
            return _answer(start_response, "200 OK", "application/json", json.dumps({"status": "ok"}))
        if path != "/":
            return _answer(start_response, "404 Not Found", "text/plain", "the lab's EC2 has no such page\n")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        action = _action(environ, body)
        try:
            service = self._admit(environ, body, action)
        except Refusal as refusal:
            status, headers, content = refusal.answer()
            _report(action, status, f"<Code>{refusal.code}</Code><Message>{refusal.message}</Message>".encode(), 0)
            start_response(status, headers)
            return [content]
        quiet = action is not None and reads(action)
        started = time.monotonic()
        if quiet and concerns_machines(action or ""):
            self._look()
        with nullcontext() if quiet else self.writing:
            if not quiet and concerns_machines(action or ""):
                self._look()
            status, headers, content = self._call({**environ, "wsgi.input": io.BytesIO(body)}, service)
            if not quiet:
                status, headers, content = self._saved(status, headers, content)
        _report(action, status, content, time.monotonic() - started, quiet=quiet)
        start_response(status, headers)
        return [content]

    def _admit(self, environ: Environ, body: bytes, action: str | None) -> str:
        service = authorize(environ, body, self._key)
        regions.check(region_of(environ), service)
        if action is None:
            raise Refusal("400 Bad Request", "MissingAction", "the call names no action", service)
        if not str(environ.get("HTTP_USER_AGENT", "")).startswith(USER_AGENT):
            if self._journal:
                self._journal.record(service, action)
            if self._faults and (refusal := self._faults.refusal(service, action)):
                raise refusal
        if service == "ssm" and not reads(action) and action not in sessions.ACTIONS:
            message = f"{action}: the lab's SSM has sessions and is there to be read, it keeps nothing"
            raise Refusal("400 Bad Request", "AccessDeniedException", message, service)
        return service

    def _look(self) -> None:
        """Let the books follow the machines; while a call changes both, the books are what is known."""
        if not self.writing.acquire(blocking=False):
            return
        try:
            if self._observe():
                self._save()
        except Exception:
            log.exception("the machines were not compared with the books")
        finally:
            self.writing.release()

    def _call(self, environ: Environ, service: str) -> tuple[str, list[tuple[str, str]], bytes]:
        answer: dict[str, Any] = {}

        def keep(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer.update(status=status, headers=headers)

        try:
            content = b"".join(self._moto(environ, keep))
        except NotImplementedError as error:
            return Refusal("400 Bad Request", "UnsupportedOperation", f"the lab cannot: {error}", service).answer()
        except Exception as error:
            log.exception("moto failed")
            return _internal_error(f"{type(error).__name__}: {error}")
        headers = [(name, value) for name, value in answer["headers"] if not name.lower().startswith(_FOR_PAGES)]
        status = "500 Internal Server Error" if _NO_CAPACITY.search(content) else answer["status"]
        return status, headers, content

    def _saved(
        self, status: str, headers: list[tuple[str, str]], content: bytes
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        try:
            self._save()
        except Exception as error:
            log.exception("the state was not saved")
            return _internal_error(f"the lab could not save its state: {error}")
        return status, headers, content


def _action(environ: Environ, body: bytes) -> str | None:
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return str(target).rpartition(".")[2]
    query = body if body.startswith(b"Action=") or b"&Action=" in body else environ.get("QUERY_STRING", "").encode()
    actions = parse_qs(query.decode("utf-8", "replace")).get("Action")
    return actions[0] if actions else None


def _internal_error(message: str) -> tuple[str, list[tuple[str, str]], bytes]:
    return Refusal("500 Internal Server Error", "InternalError", message).answer()


def _answer(start_response: StartResponse, status: str, kind: str, text: str) -> Iterable[bytes]:
    content = text.encode()
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])
    return [content]


def _report(action: str | None, status: str, content: bytes, seconds: float, *, quiet: bool = False) -> None:
    code = status.split()[0]
    if int(code) < 400:
        log.log(logging.DEBUG if quiet else logging.INFO, "%s %s %.2f s", action, code, seconds)
        return
    error = _ERROR.search(content)
    reason = " ".join(part.decode("utf-8", "replace") for part in error.groups()) if error else ""
    log.warning("%s %s %.2f s %s", action, code, seconds, reason)

"""A page for people who would rather look: what the account contains, who may do what, what it costs and what ran.

It shows names, grants and statements, as Snowflake would only to somebody who has logged in, and so it wants a log-in
too: a link with a random key, made anew at every start, that is in the account's directory for whoever may read the
account's files anyway. The link becomes a cookie; nothing on the page can change anything.
"""

from __future__ import annotations

import hmac
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hanger_lab.files import write_private
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.web import document

_REFUSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in</title>
<p>This page needs the link that was printed when the account was started; it is in <code>page-key</code> in the
account's directory, too, as <code>/?key=...</code>.</p></html>"""


class Page:
    """The page of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._key = secrets.token_urlsafe(24)
        write_private(account.directory / "page-key", self._key.encode() + b"\n")

    def link(self, address: str, port: int) -> str:
        """The address that logs in."""
        return f"http://{address}:{port}/?key={self._key}"

    async def get(self, request: Request) -> Response:
        """Answer GET /."""
        offered = request.query_params.get("key")
        if offered is not None and self._is_key(offered):
            entered = RedirectResponse("/", 303, headers=_headers(""))
            entered.set_cookie(_cookie(request), self._key, httponly=True, samesite="lax", path="/")
            return entered
        if not self._is_key(request.cookies.get(_cookie(request), "")):
            return HTMLResponse(_REFUSED, 401, headers=_headers(""))
        nonce = secrets.token_urlsafe(12)
        text = await run_in_threadpool(document.render, self._account, nonce)
        return HTMLResponse(text, headers=_headers(nonce))

    def _is_key(self, offered: str) -> bool:
        return hmac.compare_digest(offered.encode(), self._key.encode())


def _cookie(request: Request) -> str:
    """The cookie's name: a browser sends cookies to every port of a host."""
    return f"hanger_snowflake_{request.url.port}"


def _headers(nonce: str) -> dict[str, str]:
    style = f"; style-src 'nonce-{nonce}'" if nonce else ""
    return {
        "content-security-policy": f"default-src 'none'{style}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }

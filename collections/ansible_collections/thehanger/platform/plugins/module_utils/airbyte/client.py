# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP client for Airbyte's public API and the few configuration API calls that it cannot replace."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

from ansible.module_utils.urls import ConnectionError as UrlsConnectionError
from ansible.module_utils.urls import SSLValidationError, open_url

from ..addresses import is_private
from .errors import AirbyteError, ApiError, CredentialsError, TimedOutError, UnreachableError
from .problems import concealed, describe

PUBLIC_API = "/api/public/v1"
CONFIG_API = "/api/v1"
TOKEN_PATH = "/applications/token"  # noqa: S105  (a path)
PAGE_SIZE = 100
REFUSED_FOR_NOW = {429}
PERHAPS_DONE = {500, 502, 503, 504}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class AirbyteClient:
    """One installation of Airbyte, reached with the credentials of an application."""

    def __init__(
        self,
        api_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 30,
        retries: int = 4,
        validate_certs: bool = True,
    ) -> None:
        self.api_url = _checked(api_url.rstrip("/"))
        self.client_id = client_id
        self.retries = retries
        self._client_secret = client_secret
        self._timeout = timeout
        self._validate_certs = validate_certs
        self._use_proxy = urlsplit(self.api_url).hostname not in LOOPBACK
        self._token: str | None = None
        self._secrets: set[str] = {client_secret}

    def hide(self, values: set[str]) -> None:
        """Keep these values out of every error message."""
        self._secrets |= {value for value in values if value}

    def concealed(self, text: str) -> str:
        """Return a text of Airbyte without the values that are to be hidden."""
        return concealed(text, self._secrets)

    def get(self, path: str, *, timeout: float | None = None, **query: Any) -> Any:
        """Read one resource of the public API."""
        return self._authorised("GET", PUBLIC_API + path, query=query, timeout=timeout)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield all items of a list; the public API marks its end by an empty page."""
        offset = 0
        while True:
            page = self.get(path, limit=PAGE_SIZE, offset=offset, **query)
            items = page.get("data") or []
            yield from items
            if not items or not page.get("next"):
                return
            offset += len(items)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Create a resource of the public API; asked once, since a lost answer may hide a success."""
        return self._authorised("POST", PUBLIC_API + path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change parts of a resource of the public API."""
        return self._authorised("PATCH", PUBLIC_API + path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Replace a resource of the public API."""
        return self._authorised("PUT", PUBLIC_API + path, body)

    def delete(self, path: str) -> Any:
        """Delete a resource of the public API, or cancel a job."""
        return self._authorised("DELETE", PUBLIC_API + path)

    def ask(self, path: str, body: Mapping[str, Any], timeout: float | None = None) -> Any:
        """Send a call of the configuration API that changes nothing; they are all POST there."""
        return self._authorised("POST", CONFIG_API + path, body, safe=True, timeout=timeout)

    def health(self) -> None:
        """Raise unless the public API answers; needs no token."""
        self._request("GET", f"{PUBLIC_API}/health")

    def authenticate(self) -> None:
        """Obtain a new token, raise CredentialsError when Airbyte refuses the credentials."""
        body = {
            "client_id": self.client_id,
            "client_secret": self._client_secret,
            "grant-type": "client_credentials",
        }
        try:
            answer = self._request("POST", PUBLIC_API + TOKEN_PATH, body, safe=True)
        except ApiError as error:
            if error.status not in (400, 401, 403):
                raise
            raise CredentialsError(
                f"Airbyte at {self.api_url} refused the client credentials (HTTP {error.status}): "
                f"check the option client_secret, and client_id '{self.client_id}'"
            ) from None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not token:
            raise AirbyteError(f"{self.api_url}{PUBLIC_API}{TOKEN_PATH} answered without an access_token")
        self._token = token
        self._secrets.add(token)

    def _authorised(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        safe: bool = False,
        timeout: float | None = None,
    ) -> Any:
        renewed = self._token is None
        if renewed:
            self.authenticate()
        while True:
            try:
                return self._request(method, path, body, query=query, safe=safe, timeout=timeout)
            except ApiError as error:
                if error.status != 401 or renewed:
                    raise
                renewed = True
                self.authenticate()

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        safe: bool = False,
        timeout: float | None = None,
    ) -> Any:
        repeatable = safe or method != "POST"
        perhaps_done = False
        for attempt in range(self.retries + 1):
            last = attempt == self.retries
            try:
                return self._send(method, path, body, query, timeout or self._timeout)
            except TimedOutError:
                raise
            except UnreachableError:
                if last or not repeatable:
                    raise
                perhaps_done = True
            except ApiError as error:
                if error.status == 404 and method == "DELETE" and perhaps_done:
                    return None
                if last or error.status not in (REFUSED_FOR_NOW | PERHAPS_DONE if repeatable else REFUSED_FOR_NOW):
                    raise
                perhaps_done = perhaps_done or error.status in PERHAPS_DONE
            time.sleep(min(8.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("unreachable")

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any] | None, timeout: float
    ) -> Any:
        given = {key: value for key, value in (query or {}).items() if value is not None}
        url = self.api_url + path + (f"?{urlencode(given, doseq=True)}" if given else "")
        headers = {"Accept": "application/json"}
        if self._token and path != PUBLIC_API + TOKEN_PATH:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        try:
            with open_url(
                url,
                data=data,
                headers=headers,
                method=method,
                timeout=timeout,
                use_proxy=self._use_proxy,
                validate_certs=self._validate_certs,
                http_agent="thehanger.platform",
            ) as response:
                return _decode(response.read())
        except HTTPError as error:
            problem = _decode(error.read())
            raise ApiError(describe(method, path, error.code, problem, body, self._secrets), error.code) from None
        except (URLError, OSError, HTTPException, UrlsConnectionError, SSLValidationError) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise TimedOutError(f"Airbyte did not answer {method} {path} within {timeout:g} s") from None
            raise UnreachableError(f"no answer from Airbyte at {self.api_url}: {reason}") from None


def _checked(api_url: str) -> str:
    """Return the address, raise when credentials must not be sent to it."""
    try:
        address = urlsplit(api_url)
        host, _port = address.hostname, address.port
    except ValueError as error:
        raise AirbyteError(f"api_url: {api_url!r} is not an address: {error}") from None
    if address.scheme not in ("http", "https") or not host:
        raise AirbyteError(f"api_url: {api_url!r} is not an address such as http://127.0.0.1:8000")
    if address.username or address.password:
        raise AirbyteError("api_url: leave user and password out; client_id and client_secret log in")
    if address.scheme == "http" and not is_private(host):
        raise AirbyteError(
            f"api_url: {api_url} would send the client secret and configurations in clear to {host}, "
            "whose addresses are not all loopback or private, or not known: use https, "
            "or run the task on Airbyte's host with http://127.0.0.1:8000"
        )
    return api_url


def _decode(content: bytes) -> Any:
    text = content.decode("utf-8", "replace")
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text

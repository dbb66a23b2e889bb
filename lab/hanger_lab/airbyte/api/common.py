"""What routes share: who may call, pages, and the body of a token request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request

from hanger_lab.airbyte.errors import bad_request
from hanger_lab.airbyte.services import Services


def services(request: Request) -> Services:
    """Return the installation that answers."""
    found = request.app.state.services
    assert isinstance(found, Services)  # noqa: S101
    return found


def authorised(request: Request) -> None:
    """Raise the problem of status 401 unless the request carries a valid token."""
    services(request).tokens.check(request.headers.get("authorization"))


class Page:
    """Limit and offset of a list."""

    def __init__(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> None:
        self._request = request
        self._limit = limit
        self._offset = offset

    def of(self, items: Sequence[Any]) -> dict[str, Any]:
        """Return one page; as the real server does, a next page is named whenever this one is not empty."""
        data = items[self._offset : self._offset + self._limit]
        before = max(0, self._offset - self._limit)
        return {
            "data": data,
            "previous": self._link(before) if self._offset else "",
            "next": self._link(self._offset + self._limit) if data else "",
        }

    def _link(self, offset: int) -> str:
        kept = [(k, v) for k, v in self._request.query_params.multi_items() if k not in ("limit", "offset")]
        query = urlencode([*kept, ("limit", self._limit), ("offset", offset)])
        return str(self._request.url.replace(query=query))


Installation = Annotated[Services, Depends(services)]
Paged = Annotated[Page, Depends(Page)]


def in_workspace(installation: Services, wanted: Sequence[Any] | None) -> bool:
    """Tell whether a list filtered by workspaces contains the one that there is."""
    return not wanted or installation.workspace in {str(item) for item in wanted}


async def form_or_json(request: Request) -> Mapping[str, Any]:
    """Return the fields of a body in either form; raise the problem of status 400 when it is neither."""
    content = await request.body()
    try:
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(content.decode()))
        body = json.loads(content)
    except ValueError:
        raise bad_request("The request body cannot be read") from None
    if not isinstance(body, dict):
        raise bad_request("The request body is not an object")
    return body

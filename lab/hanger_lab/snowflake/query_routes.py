"""The routes by which drivers follow a statement: its result, its status, its end."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.queries import Queries, Query

# So long a request for a result waits before it says that the statement still runs, as Snowflake's does.
WAIT_SECONDS = 40
_RUNNING = "333333"
_DETACHED = "333334"


class QueryRoutes:
    """The routes under /queries and /monitoring."""

    def __init__(self, account: Account, queries: Queries) -> None:
        self._account = account
        self._queries = queries

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route("/queries/{query_id}/result", self.result),
            Route("/queries/{query_id}/abort-request", self.abort, methods=["POST"]),
            Route("/monitoring/queries/{query_id}", self.status),
            Route("/monitoring/queries//{query_id}", self.status),  # as connector 5 writes it
        ]

    async def result(self, request: Request) -> Response:
        """Wait for a statement and answer as if it had been asked for now."""
        query = self._find(request)
        if query is None:
            return _missing(request.path_params["query_id"])
        await run_in_threadpool(query.done.wait, WAIT_SECONDS)
        if not query.done.is_set():
            return in_progress(query, _RUNNING)
        if query.error is not None:
            return failure(query.error, query.id)
        return JSONResponse({"success": True, "code": None, "message": None, "data": query.data})

    async def abort(self, request: Request) -> Response:
        """Interrupt a statement."""
        query = self._find(request)
        if query is None:
            return _missing(request.path_params["query_id"])
        self._queries.cancel(query)
        return JSONResponse({"success": True, "code": None, "message": None, "data": None})

    async def status(self, request: Request) -> Response:
        """Tell how far a statement is."""
        query = self._find(request)
        found = [] if query is None else [_describe(query)]
        return JSONResponse({"success": True, "code": None, "message": None, "data": {"queries": found}})

    def _find(self, request: Request) -> Query | None:
        token = request.headers.get("authorization", "").partition('Token="')[2].rstrip('"')
        session = self._account.session(token)
        if session is None or session.expired:
            return None
        return self._queries.find(request.path_params["query_id"], session.user)


def in_progress(query: Query, code: str = _DETACHED) -> Response:
    """Say that a statement runs, and where its result will be."""
    data = {
        "queryId": query.id,
        "getResultUrl": f"/queries/{query.id}/result",
        "queryAbortsAfterSecs": 300,
        "progressDesc": None,
    }
    message = "Query execution in progress."
    return JSONResponse({"success": True, "code": code, "message": message, "data": data})


def failure(refused: SnowflakeError, query_id: str | None = None) -> Response:
    """Answer a statement that was refused."""
    data = {"errorCode": refused.code, "sqlState": refused.sqlstate, "internalError": False, "queryId": query_id}
    return JSONResponse({"success": False, "code": refused.code, "message": refused.message, "data": data})


def _missing(query_id: str) -> Response:
    return failure(SnowflakeError(709, "02000", f"Statement {query_id} not found"), query_id)


def _describe(query: Query) -> dict[str, Any]:
    ended = query.ended or 0
    found: dict[str, Any] = {
        "id": query.id,
        "status": query.status,
        "state": query.status,
        "sqlText": query.text,
        "sessionId": query.session.id,
        "userName": query.user,
        "startTime": int(query.started * 1000),
        "endTime": int(ended * 1000),
        "totalDuration": int(max(ended - query.started, 0) * 1000),
    }
    if query.error is not None:
        found |= {"errorCode": query.error.code, "errorMessage": query.error.message}
    return found

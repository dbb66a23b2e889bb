"""The routes that Snowflake's drivers call."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.data import executor, rewrite, stages
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.lexer import first_words
from hanger_lab.snowflake.page import Page
from hanger_lab.snowflake.queries import Queries
from hanger_lab.snowflake.query_routes import QueryRoutes, failure, in_progress
from hanger_lab.snowflake.session import Session
from hanger_lab.snowflake.sql_api import SqlApi

log = logging.getLogger(__name__)

_TICK_SECONDS = 2


class Server:
    """The HTTP side of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.page = Page(account)
        self.queries = Queries(account)

    def application(self) -> Starlette:
        """Build the ASGI application; the account is closed when it stops."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            clockwork = asyncio.create_task(self._tick())
            yield
            clockwork.cancel()
            await run_in_threadpool(self.account.close)

        post = ["POST"]
        routes = [
            Route("/", self.page.get),
            Route("/healthz", self.health),
            Route("/session/v1/login-request", self.login, methods=post),
            Route("/session/token-request", self.renew, methods=post),
            Route("/session/heartbeat", self.heartbeat, methods=[*post, "GET"]),
            Route("/session", self.end_session, methods=post),
            Route("/queries/v1/query-request", self.query, methods=post),
            Route("/queries/v1/abort-request", self.abort, methods=post),
            Route("/telemetry/send", self.telemetry, methods=post),
            Route("/telemetry/send/sessionless", self.telemetry, methods=post),
            *QueryRoutes(self.account, self.queries).routes(),
            *SqlApi(self.account, self.queries).routes(),
            Route(stages.UPLOAD_PREFIX + "{path:path}", self.upload, methods=["PUT"]),
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await run_in_threadpool(self.account.tick)
            except Exception:
                log.exception("what time brings could not be done; it is tried again")

    async def health(self, _: Request) -> Response:
        """Say that the account answers."""
        return JSONResponse({"status": "ok", "account": self.account.name})

    async def login(self, request: Request) -> Response:
        """Open a session."""
        body = await _body(request)
        try:
            address = request.client.host if request.client is not None else ""
            session = await run_in_threadpool(self.account.login, body.get("data") or {}, request.query_params, address)
        except SnowflakeError as refused:
            log.info("login refused: %s", refused.code)
            return _failure(refused)
        return JSONResponse({"success": True, "code": None, "message": None, "data": _welcome(session)})

    async def renew(self, request: Request) -> Response:
        """Hand out a new token to the holder of the master token."""
        session = await run_in_threadpool(self.account.renew, _token(request))
        if session is None:
            return _refusal("390114", "Authentication token has expired.  The user must authenticate again.")
        data = {
            "sessionToken": session.token,
            "validityInSecondsST": session.lives.session,
            "masterToken": session.master_token,
            "validityInSecondsMT": session.lives.master,
            "sessionId": session.id,
        }
        return JSONResponse({"success": True, "code": None, "message": None, "data": data})

    async def heartbeat(self, request: Request) -> Response:
        """Keep a session alive."""
        session = self.account.session(_token(request))
        if session is None or session.expired:
            return _refused(session)
        return _success()

    async def end_session(self, request: Request) -> Response:
        """Close a session."""
        if request.query_params.get("delete"):
            await run_in_threadpool(self.account.logout, _token(request))
        return _success()

    async def query(self, request: Request) -> Response:
        """Run a statement."""
        session = self.account.session(_token(request))
        if session is None or session.expired:
            return _refused(session)
        body = await _body(request)
        statement = executor.Request(
            text=body.get("sqlText") or "",
            bindings=body.get("bindings") or {},
            describe_only=bool(body.get("describeOnly")),
            statements=(body.get("parameters") or {}).get("MULTI_STATEMENT_COUNT"),
            base_url=f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}",
            id=request.query_params.get("requestId", ""),
        )
        if body.get("asyncExec"):
            return in_progress(self.queries.submit(session, statement))
        try:
            data = await run_in_threadpool(self.queries.run, session, statement)
        except SnowflakeError as refused:
            log.info("refused %s: %s", " ".join(first_words(statement.text, 2)), refused.code)
            return failure(refused, refused.query_id or statement.query_id)
        return JSONResponse({"success": True, "code": None, "message": None, "data": data})

    async def abort(self, request: Request) -> Response:
        """Interrupt what the session runs."""
        session = self.account.session(_token(request))
        if session is not None and not session.expired:
            session.cancel()
        return _success()

    async def telemetry(self, _: Request) -> Response:
        """Accept what drivers report, and forget it."""
        return _success()

    async def upload(self, request: Request) -> Response:
        """Take a file for a stage from a client that PUT gave the address to."""
        query = request.query_params
        target = stages.accept_upload(
            self.account.engine, request.path_params["path"], query.get("expires", ""), query.get("signature", "")
        )
        if target is None:
            return Response(status_code=403)
        content = await request.body()
        await run_in_threadpool(stages.store, target, content)
        return Response()


def _welcome(session: Session) -> dict[str, Any]:
    parameters = {
        "AUTOCOMMIT": session.parameters.get("AUTOCOMMIT", True),
        "CLIENT_SESSION_KEEP_ALIVE": False,
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
        "CLIENT_TELEMETRY_ENABLED": False,
        "TIMEZONE": "Etc/UTC",
    }
    return {
        "token": session.token,
        "masterToken": session.master_token,
        "validityInSeconds": session.lives.session,
        "masterValidityInSeconds": session.lives.master,
        "displayUserName": session.user,
        "serverVersion": rewrite.VERSION,
        "firstLogin": False,
        "sessionId": session.id,
        "healthCheckInterval": 45,
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.headers.get("content-encoding") == "gzip":
        raw = gzip.decompress(raw)
    found = json.loads(raw)
    return found if isinstance(found, dict) else {}


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").partition('Token="')[2].rstrip('"')


def _success() -> Response:
    return JSONResponse({"success": True, "code": None, "message": None, "data": None})


def _refused(session: Session | None) -> Response:
    """Answer a token that is not valid: drivers renew one that is only too old."""
    if session is None:
        return _refusal("390111", "Session no longer exists.  New login required to access the service.")
    return _refusal("390112", "Your session has expired. Please login again.")


def _refusal(code: str, message: str) -> Response:
    return JSONResponse({"success": False, "code": code, "message": message, "data": None})


def _failure(refused: SnowflakeError) -> Response:
    data: dict[str, Any] = {"errorCode": refused.code, "sqlState": refused.sqlstate, "internalError": False}
    if refused.query_id is not None:
        data["queryId"] = refused.query_id
    if refused.next_action is not None:
        data |= {"nextAction": refused.next_action, "inFlightCtx": ""}
    return JSONResponse({"success": False, "code": refused.code, "message": refused.message, "data": data})

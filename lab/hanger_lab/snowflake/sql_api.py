"""The SQL API, version 2: statements over plain HTTP, with a key pair's token for each request.

docs.snowflake.com/en/developer-guide/sql-api/reference. Every request is a session of its own. Differences: a statement
that takes longer than 45 seconds is answered 202 as there, but partitions are counted in rows instead of bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hanger_lab.snowflake import auth, errors
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.data import executor
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.lexer import first_words
from hanger_lab.snowflake.queries import Queries, Query, cancelled
from hanger_lab.snowflake.sql_api_rows import PARTITION_ROWS, encode
from hanger_lab.snowflake.statements import parameters

PATH = "/api/v2/statements"
WAIT_SECONDS = 45
_CLIENT = {"CLIENT_APP_ID": "SQL_API", "CLIENT_APP_VERSION": "2"}
_COUNT = "MULTI_STATEMENT_COUNT"


class SqlApi:
    """The routes under /api/v2/statements."""

    def __init__(self, account: Account, queries: Queries) -> None:
        self._account = account
        self._queries = queries

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(PATH, self.submit, methods=["POST"]),
            Route(PATH + "/{handle}", self.result),
            Route(PATH + "/{handle}/cancel", self.cancel, methods=["POST"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Run a statement: 200 with its result, 202 while it runs, 422 when it is refused, 401 without a login."""
        try:
            body = json.loads(await request.body())
            statement = _statement(body)
            session = await run_in_threadpool(self._login, request, body)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _failure(SnowflakeError(390142, "08001", "Incoming request does not contain a valid payload."), 400)
        except SnowflakeError as refused:
            return _failure(refused)
        query = self._queries.submit(session, statement, lambda: self._account.logout(session.token))
        if request.query_params.get("async") == "true":
            return _running(query)
        limit = int(body.get("timeout") or 0)
        await run_in_threadpool(query.done.wait, min(WAIT_SECONDS, limit or WAIT_SECONDS))
        if not query.done.is_set() and 0 < limit <= WAIT_SECONDS:
            self._queries.cancel(query)
            return _failure(_timeout(limit), 408, query)
        return await run_in_threadpool(self._answer, query, request)

    async def result(self, request: Request) -> Response:
        """Answer with a statement's result, or one partition of it."""
        try:
            query = await run_in_threadpool(self._find, request)
        except SnowflakeError as refused:
            return _failure(refused)
        if query is None:
            return _missing(request)
        return await run_in_threadpool(self._answer, query, request)

    async def cancel(self, request: Request) -> Response:
        """Interrupt a statement."""
        try:
            query = await run_in_threadpool(self._find, request)
        except SnowflakeError as refused:
            return _failure(refused)
        if query is None:
            return _missing(request)
        if not self._queries.cancel(query):
            return _failure(SnowflakeError(709, "02000", f"Statement {query.id} is not running."), 422, query)
        return JSONResponse({**_about(query), "code": cancelled().code, "message": cancelled().message})

    def _login(self, request: Request, body: Mapping[str, Any]) -> Any:
        given = {"warehouse": "warehouse", "databaseName": "database", "schemaName": "schema", "roleName": "role"}
        wanted = {name: str(body[key]) for name, key in given.items() if body.get(key)}
        return self._account.login(
            {**_credentials(request), **_CLIENT, "SESSION_PARAMETERS": _parameters(body)}, wanted, _address(request)
        )

    def _find(self, request: Request) -> Query | None:
        account = self._account
        login = auth.Login(_credentials(request), {}, _address(request))
        with account.catalog.read():
            admitted = auth.authenticate(login, account.name, account.catalog, account.clock())
        return self._queries.find(request.path_params["handle"], admitted.user.name[0])

    def _answer(self, query: Query, request: Request) -> Response:
        if not query.done.is_set():
            return _running(query)
        if query.error is not None:
            return _failure(query.error, 422, query)
        data = query.data or {}
        nullable = request.query_params.get("nullable") != "false"
        total = int(data.get("total") or 0)
        starts = range(0, max(total, 1), PARTITION_ROWS)
        wanted = request.query_params.get("partition", "0")
        if not wanted.isdigit() or int(wanted) >= len(starts):
            return _failure(SnowflakeError(391913, "22023", f"Invalid partition number: {wanted[:20]}"), 400, query)
        rows = encode(data, query.table, starts[int(wanted)], nullable=nullable)
        if wanted != "0":
            return JSONResponse({"data": rows})
        described = data.get("rowtype") or []
        partitions = [{"rowCount": min(PARTITION_ROWS, total - start), "uncompressedSize": 0} for start in starts]
        answer = {
            **_about(query),
            "resultSetMetaData": {
                "numRows": total,
                "format": "jsonv2",
                "partitionInfo": partitions,
                "rowType": described,
            },
            "data": rows,
            "code": "090001",
            "sqlState": "00000",
            "message": "Statement executed successfully.",
        }
        if "resultIds" in data:
            answer["statementHandles"] = str(data["resultIds"]).split(",")
        return JSONResponse(answer)


def _statement(body: Mapping[str, Any]) -> executor.Request:
    text = body["statement"]
    if not isinstance(text, str):
        raise TypeError("the statement is not a text")
    if first_words(text, 1) in (["PUT"], ["GET"]):
        raise SnowflakeError(391911, "0A000", "Unsupported statement type for the SQL API: PUT and GET.")
    count = {name.upper(): value for name, value in (body.get("parameters") or {}).items()}.get(_COUNT)
    return executor.Request(text, body.get("bindings") or {}, statements=int(count) if count is not None else None)


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the session parameters of a request; unknown ones are refused."""
    given = {str(name).upper(): value for name, value in (body.get("parameters") or {}).items()}
    given.pop(_COUNT, None)
    for name in given:
        if name not in parameters.checks("SESSION"):
            raise errors.invalid_property(name, "SESSION")
    return given


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _credentials(request: Request) -> dict[str, str]:
    """Read the token of a request; the user is the one that it names."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    kind = request.headers.get("x-snowflake-authorization-token-type", "KEYPAIR_JWT").upper()
    if scheme.lower() != "bearer" or kind != "KEYPAIR_JWT":
        raise SnowflakeError(390303, "08001", "Invalid OAuth access token, or an authorization of another kind.")
    return {"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": token.strip(), "LOGIN_NAME": _subject(token)}


def _subject(token: str) -> str:
    """Read whose token it says it is; only the signature proves it."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return str(claims["sub"]).partition(".")[2]
    except (IndexError, ValueError, KeyError, TypeError):
        raise SnowflakeError(390144, "08001", "JWT token is invalid.") from None


def _about(query: Query) -> dict[str, Any]:
    return {
        "statementHandle": query.id,
        "statementStatusUrl": f"{PATH}/{query.id}",
        "createdOn": int(query.started * 1000),
    }


def _running(query: Query) -> Response:
    message = "Asynchronous execution in progress. Use provided query id to perform query monitoring and management."
    return JSONResponse({**_about(query), "code": "333334", "message": message}, status_code=202)


def _missing(request: Request) -> Response:
    handle = request.path_params["handle"]
    return _failure(SnowflakeError(709, "02000", f"Statement {handle} not found"), 422)


def _timeout(seconds: int) -> SnowflakeError:
    return SnowflakeError(
        630,
        "57014",
        f"Statement reached its statement or warehouse timeout of {seconds} second(s) and was canceled.",
    )


def _failure(refused: SnowflakeError, status: int | None = None, query: Query | None = None) -> Response:
    if status is None:
        status = 401 if 390_000 <= refused.number < 391_000 else 422
    about = _about(query) if query is not None else {}
    body = {**about, "code": refused.code, "sqlState": refused.sqlstate, "message": refused.message}
    return JSONResponse(body, status_code=status)

"""The web application: routes, and every error as a problem of RFC 9457."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hanger_lab.airbyte.api import actors, config, connections, jobs, system
from hanger_lab.airbyte.connectors.validation import json_type
from hanger_lab.airbyte.errors import Problem, bad_request, unprocessable
from hanger_lab.airbyte.services import Services

log = logging.getLogger(__name__)
PUBLIC_API = "/api/public/v1"
CONFIG_API = "/api/v1"
EXPECTED = {
    "string_type": "string",
    "int_type": "integer",
    "int_parsing": "integer",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "list_type": "array",
    "dict_type": "object",
    "model_attributes_type": "object",
    "model_type": "object",
    "uuid_type": "string",
}


def application(services: Services) -> FastAPI:
    """Build the ASGI application of an installation; its jobs stop with it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.runner.start()
        yield
        services.close()

    app = FastAPI(title="Airbyte", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    public = (
        system.open_router,
        system.router,
        actors.router_of("source"),
        actors.router_of("destination"),
        actors.streams_router,
        connections.router,
        jobs.router,
    )
    for router in public:
        app.include_router(router, prefix=PUBLIC_API)
    for router in (config.open_router, config.router):
        app.include_router(router, prefix=CONFIG_API)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)
    return app


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101
    return _answer(error)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Name each field and what is wrong; values are not shown, they may be secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    sentences = []
    malformed = False
    for item in error.errors():
        malformed = malformed or item["type"] == "json_invalid"
        place, *path = (str(part) for part in item["loc"])
        where = "$." + ".".join(path) if place == "body" and path else "$" if place == "body" else ".".join(path)
        if item["type"] == "missing":
            sentences.append(f"{where}: is missing but it is required")
        elif item["type"] in EXPECTED:
            sentences.append(f"{where}: {json_type(item.get('input'))} found, {EXPECTED[item['type']]} expected")
        else:
            sentences.append(f"{where}: {item['msg'][0].lower()}{item['msg'][1:]}")
    message = "; ".join(sentences)
    return _answer(bad_request(message) if malformed else unprocessable(message))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    title = {404: "resource-not-found", 405: "method-not-allowed"}.get(error.status_code, "bad-request")
    return _answer(Problem(error.status_code, title, str(error.detail)))


async def _defect(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(Problem(500, "unexpected-problem", "The server has a defect; its log tells more"))


def _answer(problem: Problem) -> JSONResponse:
    return JSONResponse(problem.body(), problem.status, media_type="application/problem+json")

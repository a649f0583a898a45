"""All that stands before an application's routes, in its order.

    page headers     on every answer, also on those below
    origins          which host, from which page
    CORS             preflights and headers for pages from elsewhere that are allowed
    body limits      before anything reads a body
    callers          who starts a call, and how often

The order matters: nothing is read from, and no provider asked for, a request that a foreign page
made; and pages that are allowed can read why they were refused.
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from loguru import logger
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.bodies import BodyLimits
from serving.access.callers import Caller, Callers
from serving.access.log_lines import path_for_log
from serving.access.origins import Origins, is_start
from serving.access.own_keys import HEADER
from serving.access.page_headers import HEADERS, PageHeaders, page_headers
from serving.http_protocol import HttpProtocol
from serving.refused import Refused

FAULT = "Something went wrong in the server; its log says what."
UVICORN: dict[str, Any] = {
    "http": HttpProtocol,
    "access_log": False,
    "server_header": False,
}
"""How uvicorn is to be run: with the parser that bounds heads, and without its log of requests, in
which session ids would be. Behind a proxy it also needs `forwarded_allow_ips`, or all clients
have the proxy's address."""


def add_access(app: FastAPI, *, origins: Origins, callers: Callers, daily: bool = False) -> None:
    """Put everything of this folder before an application's routes.

    The application's routes find who starts a call with `caller_of(request.scope)`, and whoever
    ends the application awaits `callers.aclose()`.

    Args:
        app: Whose routes they are.
        origins: Which hosts and pages are answered; the same pages may show ours in a frame.
        callers: Who may start a call.
        daily: Whether the page may reach Daily.
    """

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> JSONResponse:
        request.state.why = error.why
        return error.response()

    @app.exception_handler(Exception)
    def fault(request: Request, error: Exception) -> JSONResponse:
        # Starlette answers this outside of all middleware. The error goes on to the log.
        headers = {**HEADERS, "Cache-Control": "no-store"}
        return JSONResponse({"detail": FAULT}, 500, headers)

    # The last to be added is the first to see a request.
    app.add_middleware(CallerCheck, callers=callers)
    app.add_middleware(BodyLimits)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted(origins.allowed),
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key", HEADER],
        expose_headers=["Retry-After"],
    )
    app.add_middleware(OriginCheck, origins=origins)
    app.add_middleware(PageHeaders, page=page_headers(frames=origins.allowed, daily=daily))


def caller_of(scope: Scope) -> Caller:
    """Who starts a call with this request; only for the paths that do (`is_start`)."""
    return scope["state"]["caller"]


class OriginCheck:
    """ASGI middleware around `Origins`."""

    def __init__(self, app: ASGIApp, *, origins: Origins):
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        method = scope.get("method", "GET")  # a WebSocket's handshake
        headers = scope["headers"]
        try:
            self._origins.check(method, scope["path"], headers, _address(scope))
        except Refused as error:
            return await _refuse(error, scope, receive, send)
        await self._app(scope, receive, send)


class CallerCheck:
    """ASGI middleware around `Callers`."""

    def __init__(self, app: ASGIApp, *, callers: Callers):
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it when it starts a call that it may not."""
        if scope["type"] != "lifespan" and is_start(scope["path"]):
            try:
                caller = await self._callers.admit(scope["headers"], _address(scope))
            except Refused as error:
                return await _refuse(error, scope, receive, send)
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def _address(scope: Scope) -> str | None:
    return scope["client"][0] if scope.get("client") else None


async def _refuse(error: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    path = path_for_log(scope["path"])
    scope.setdefault("state", {})["why"] = error.why
    logger.info(f"{_address(scope)} {path}: {error.status} {error.sentence}")
    await error.response()(scope, receive, send)

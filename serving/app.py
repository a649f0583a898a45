"""The server's application: its routes, and how errors are told."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipeline.persona import PersonaError
from pipeline.settings import Settings
from serving.access.callers import Callers
from serving.access.middleware import add_access
from serving.access.origins import Origins
from serving.count_refusals import CountRefusals
from serving.front_desk import WAYS, FrontDesk
from serving.metrics import Metrics
from serving.page import add_page
from serving.phone.switchboard import Switchboard
from serving.phone.taken_calls import TakenCalls
from serving.routes import (
    calls,
    files,
    health,
    phone,
    phone_sip,
    phone_streams,
    rooms,
    sockets,
)
from serving.routes.answers import describe
from serving.routes.phone_streams import StreamCalls
from serving.turnstile import TurnstileMiddleware

UNREADABLE = "There was an error parsing the body"
"""FastAPI's words for what can't even be taken for wrong JSON: bytes of no text, or endless nesting."""

EXAMPLES = {
    ("POST", "/start"): '{"body": {"persona": "companion"}, "transport": "webrtc"}',
    ("POST", "/phone/sip"): '{"from": "+15551230001", "to": "+15551230002"}',
    ("POST", "/calls"): '{"to": "+15551234567", "body": {"persona": "companion"}}',
    ("POST", "/sessions/{session_id}/api/offer"): '{"sdp": "v=0...", "type": "offer"}',
    ("PATCH", "/sessions/{session_id}/api/offer"): (
        '{"pc_id": "...", "candidates": [{"candidate": "candidate:...", "sdp_mid": "0", '
        '"sdp_mline_index": 0}]}'
    ),
}


def make_app(
    settings: Settings,
    desk: FrontDesk,
    *,
    origins: Origins,
    callers: Callers,
    is_ready: Callable[[], bool],
    metrics: Metrics,
    switchboard: Switchboard,
    taken_calls: TakenCalls,
) -> FastAPI:
    """Put the server's routes together.

    Args:
        settings: Of this server.
        desk: What the routes ask.
        origins: Which hosts and pages are answered.
        callers: Who may start a call.
        is_ready: Whether new calls are taken.
        metrics: What counts.
        switchboard: What the routes of the telephone ask.
        taken_calls: Which telephone calls have come before.
    """
    app = FastAPI(title="Salon", docs_url=None, redoc_url=None)
    app.state.desk = desk
    app.state.is_ready = is_ready
    app.state.callers = callers
    app.state.metrics = metrics
    app.state.switchboard = switchboard
    app.state.stream_calls = StreamCalls(settings, taken_calls)
    app.state.transports = [way for way in WAYS if way != "daily" or settings.offers_rooms]
    add_page(app, settings)
    for routes in (calls, files, rooms, phone, phone_sip, phone_streams, sockets, health):
        app.include_router(routes.router)
    app.openapi = lambda: describe(app)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(PersonaError, _broken_persona)
    app.add_exception_handler(HTTPException, _http)
    add_access(app, origins=origins, callers=callers, daily=settings.offers_rooms)
    app.add_middleware(TurnstileMiddleware, turnstile=desk.turnstile)
    app.add_middleware(CountRefusals, metrics=metrics)
    return app


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """One sentence for the first thing that is wrong: where, and what."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    loc, example = first["loc"], _example(request)
    if first["type"] == "json_invalid" or loc == ("body",):
        return _told(400, _not_json(request))
    where = ".".join(str(part) for part in loc[1:])
    match first["type"]:
        case "missing":
            what = "is missing"
        case "literal_error":
            what = f"must be {first['ctx']['expected']}"
        case _:
            what = f"can't be used ({first['msg'].removeprefix('Input ')})"
    return _told(400, f"{where} {what}{f'; for example {example}' if example else ''}.")


def _broken_persona(request: Request, error: Exception) -> JSONResponse:
    return _told(500, str(error))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.detail == UNREADABLE:
        return _told(400, _not_json(request))
    return _told(error.status_code, f"{error.detail}.", dict(error.headers or {}))


def _told(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status, headers)


def _not_json(request: Request) -> str:
    return (
        f"The body must be JSON (Content-Type: application/json), "
        f"an object like {_example(request) or '{}'}."
    )


def _example(request: Request) -> str | None:
    """What the body of the route that was asked may look like."""
    route = request.scope.get("route")
    return EXAMPLES.get((request.method, getattr(route, "path", "")))

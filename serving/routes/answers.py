"""What the routes answer when they refuse, as the server's OpenAPI tells it."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

_WHEN = {
    400: "What was sent can't be used.",
    401: "Who calls must say who they are, with a key, a token or a signature.",
    403: "The session id was not issued by this server, or the page may not ask it.",
    404: "The session is not running.",
    408: "What was sent took too long to arrive.",
    409: "It came before: the session has begun already, or was started for another transport.",
    410: "The session has ended, or was not begun in time.",
    413: "What was sent is too large.",
    415: "What was sent is not of a kind that can be used.",
    429: "This caller has as many calls, or this call as many pictures, as are allowed.",
    502: "The room can't be had from Daily.",
    503: "It can't be done now.",
    507: "The server's disk is full.",
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}


class Told(BaseModel):
    """Why a request was refused, in one sentence for whoever sent it."""

    detail: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these statuses."""
    return {
        status: {
            "model": Told,
            "description": _WHEN[status],
            **({"headers": _RETRY_AFTER} if status in (429, 503) else {}),
        }
        for status in statuses
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """The application's OpenAPI; FastAPI's own tells of 422, which is 400 here."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema

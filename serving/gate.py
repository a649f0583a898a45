"""What `/start` refuses, in a sentence, before Pipecat's runner sees it.

The runner takes a body that is not JSON for an empty one, and finds out only in the session what
can't be had.
"""

import json
from typing import Any

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.persona import PersonaError, load_persona
from pipeline.settings import Settings

MAX_START_BYTES = 64 * 1024
TRANSPORTS = ("webrtc", "daily", "websocket")


class StartGate:
    """ASGI middleware that checks each `POST /start` (and `/daily`), and answers 4xx itself."""

    def __init__(self, app: ASGIApp, *, settings: Settings):
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http" or scope["path"] not in ("/start", "/daily"):
            return await self._app(scope, receive, send)
        body = await _read(receive)
        refused = self._refusal(scope["path"], body)
        if refused:
            status, sentence = refused
            await JSONResponse({"detail": sentence}, status)(scope, receive, send)
            return
        await self._app(scope, _replay(body or b"", receive), send)

    def _refusal(self, path: str, body: bytes | None) -> tuple[int, str] | None:
        """Why a request is refused: HTTP status and sentence; None when it is not."""
        if path == "/daily":
            return self._daily_refusal()
        if body is None:
            return 413, f"The body of /start may have {MAX_START_BYTES // 1024} KB."
        try:
            request = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            return 400, 'The body of /start must be JSON, such as {"transport": "webrtc"}.'
        choices = request.get("body", {}) if isinstance(request, dict) else None
        if not isinstance(choices, dict):
            return 400, 'The body of /start must be like {"body": {"persona": "companion"}}.'
        if refusal := _persona_refusal(choices):
            return refusal
        transport = request.get("transport", "webrtc")
        if transport not in TRANSPORTS:
            return 400, f"There is no transport {transport!r}; there are: {', '.join(TRANSPORTS)}."
        if request.get("createDailyRoom"):
            return self._daily_refusal()
        if transport == "daily" and not self._settings.daily_room_url:
            return 400, 'A Daily session needs {"createDailyRoom": true}, or DAILY_ROOM_URL.'
        return self._daily_refusal() if transport == "daily" else None

    def _daily_refusal(self) -> tuple[int, str] | None:
        if self._settings.daily_api_key:
            return None
        return 400, "Daily rooms need DAILY_API_KEY."


def _persona_refusal(choices: dict[str, Any]) -> tuple[int, str] | None:
    name = choices.get("persona")
    if name is None:
        return None
    try:
        load_persona(str(name))
    except PersonaError as error:
        return 400, str(error)
    return None


async def _read(receive: Receive) -> bytes | None:
    """The request's body; None when it is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_START_BYTES:
            return None
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then goes on as before."""
    replayed = False

    async def again() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again

"""How much of a request is read: bounded before anything reads it, by what it says and by counting.

FastAPI's own `max_body_size` (0.165) knows no deadline, answers without a sentence, and resets the
connection of a client that is still sending. Heads are the parser's to bound: `httptools` does not
(seen in uvicorn 0.54), so `serving/http_protocol.py` does.
"""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.picture_decoder import MAX_PICTURE_BYTES
from serving.refused import Refused

MAX_HEAD_BYTES = 16 * 1024
"""Of request line and headers together (`serving/http_protocol.py`)."""


@dataclass(frozen=True, kw_only=True)
class BodyLimit:
    """What the body of a request may be.

    Parameters:
        max_bytes: How long.
        within_s: How long it may take to come, in seconds.
    """

    max_bytes: int
    within_s: float


USUAL = BodyLimit(max_bytes=64 * 1024, within_s=10.0)
OFFER = BodyLimit(max_bytes=256 * 1024, within_s=10.0)
"""An SDP offer with several tracks and all their codecs has some 20 KB."""
PICTURE = BodyLimit(max_bytes=MAX_PICTURE_BYTES + 64 * 1024, within_s=120.0)
"""A picture and what a form wraps it in. 120 s: 170 KB/s for the largest."""

WEBHOOK = BodyLimit(max_bytes=16 * 1024, within_s=5.0)
"""What is told of a call: twice what it has with twenty SIP headers."""

_PATHS = (
    (re.compile(r"/daily-dialin-webhook"), WEBHOOK),
    (re.compile(r"(/sessions/[^/]+)?/api/offer"), OFFER),
    (re.compile(r"/sessions/[^/]+/files"), PICTURE),
)


def limit_for(path: str) -> BodyLimit:
    """The limit of a path."""
    return next((limit for pattern, limit in _PATHS if pattern.fullmatch(path)), USUAL)


class BodyLimits:
    """ASGI middleware that answers 413 and 408 itself."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that is bounded."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body = _Body(scope, receive, send, limit_for(scope["path"]))
        if body.says_bytes > body.limit.max_bytes:
            return await body.refuse(_too_large(body.limit))
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:
            if not body.is_over:
                raise


class _Body:
    """One request's body on its way to the application."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: BodyLimit):
        self.limit = limit
        self.is_over = False
        self.says_bytes = _content_length(scope)
        self._scope = scope
        self._receive = receive
        self._send = send
        self._deadline_s = time.monotonic() + limit.within_s
        self._bytes = 0
        self._is_complete = False
        self._is_answered = False

    async def receive(self) -> Message:
        """The next part; when it is too much or too late, as if the client had gone."""
        if self.is_over:
            return {"type": "http.disconnect"}
        if self._is_complete:  # what comes now is the client's leaving
            return await self._receive()
        try:
            async with self._in_time():
                message = await self._receive()
        except TimeoutError:
            await self.refuse(Refused(408, "The request's body came too slowly."))
            return {"type": "http.disconnect"}
        self._bytes += len(message.get("body", b""))
        self._is_complete = not message.get("more_body")
        if self._bytes > self.limit.max_bytes:
            await self.refuse(_too_large(self.limit))
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """The application's answer, unless the request was refused before it began."""
        if self.is_over and not self._is_answered:
            return
        self._is_answered = True
        await self._send(message)

    async def refuse(self, error: Refused) -> None:
        """Answer, and close the connection when the client has stopped sending, or ought to have.

        A connection that is closed with unread bytes is reset, which takes the answer away from a
        client that is still sending. So what comes is read, and thrown away, until the deadline.
        """
        self.is_over = True
        if self._is_answered:  # too late for a sentence
            return
        response = error.response()
        response.headers["Connection"] = "close"
        headers = response.raw_headers
        await self._send(
            {"type": "http.response.start", "status": error.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": response.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with self._in_time():
                while not self._is_complete and (await self._receive()).get("more_body"):
                    pass
        await self._send({"type": "http.response.body", "body": b""})

    def _in_time(self) -> asyncio.Timeout:
        return asyncio.timeout(self._deadline_s - time.monotonic())


def _content_length(scope: Scope) -> int:
    """What the request says; the parser has seen to it that it is a number, and one."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _too_large(limit: BodyLimit) -> Refused:
    return Refused(413, f"The body of this request may have {limit.max_bytes // 1024} KB at most.")

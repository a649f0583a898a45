"""POST beside WebSocket: the websockets library reads GET requests only.

The first bytes of a connection decide: `POST ` and it is answered here and closed, anything else
is the library's. Overrides `data_received` of websockets 17 and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from understudy.breakable import BreakableConnection

MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 262_144
"""The setup inside a token request may hold a long system instruction."""
_METHOD = b"POST "

Post = Callable[[str, Mapping[str, str], bytes], tuple[HTTPStatus, str]]
"""Target, headers by lower-case name and body in; status and JSON out."""


class PostingConnection(BreakableConnection):
    """A server connection that answers POST requests too.

    Args:
        on_post: Answers them.
    """

    def __init__(self, *args: Any, on_post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_post = on_post
        self._received: bytearray | None = bytearray()

    def data_received(self, data: bytes) -> None:
        """Takes bytes, and keeps them as long as they may be a POST request."""
        if self._received is None:
            super().data_received(data)
            return
        self._received += data
        start = bytes(self._received[: len(_METHOD)])
        if not _METHOD.startswith(start):
            received, self._received = bytes(self._received), None
            super().data_received(received)
        elif (answer := answer_post(bytes(self._received), self._on_post)) is not None:
            self._received.clear()
            self.transport.write(answer)
            self.transport.close()


def answer_post(received: bytes, on_post: Post) -> bytes | None:
    """Answers a POST request, or returns None while it isn't all there. Pure."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return _answer(HTTPStatus.BAD_REQUEST) if len(received) > MAX_HEAD_BYTES else None
    request_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    _, _, target = request_line.partition(" ")
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers:
        return _answer(HTTPStatus.LENGTH_REQUIRED)
    if not length.isdecimal() or len(length) > 9:
        return _answer(HTTPStatus.BAD_REQUEST)
    if int(length) > MAX_BODY_BYTES:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if len(body) < int(length):
        return None
    return _answer(*on_post(target.rpartition(" ")[0], headers, body[: int(length)]))


def _answer(status: HTTPStatus, text: str = "") -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Content-Type: application/json; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body

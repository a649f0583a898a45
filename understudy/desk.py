"""The control endpoint's listener: HTTP/1.1, one request a connection, loopback only."""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus
from typing import Any

from understudy.control import MAX_BODY_BYTES, Controlled, Refused, answer, check_origin

_logger = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_MAX_HEAD_BYTES = 16_384
_DEADLINE_S = 5.0


class Desk:
    """Listens for control requests.

    Args:
        understudy: What is controlled.
        port: Port at 127.0.0.1; 0 takes a free one.

    Attributes:
        url: Such as `http://127.0.0.1:8444`, once it listens.
    """

    def __init__(self, understudy: Controlled, *, port: int) -> None:
        self._understudy = understudy
        self._port = port
        self._requests: set[asyncio.Task[Any]] = set()
        self.url = ""

    async def __aenter__(self) -> Desk:
        """Starts to listen.

        Raises:
            OSError: The port is taken.
        """
        self._server = await asyncio.start_server(
            self._serve, _HOST, self._port, limit=_MAX_HEAD_BYTES
        )
        self.url = f"http://{_HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stops listening; requests under way are dropped."""
        self._server.close()
        for request in self._requests:
            request.cancel()
        if self._requests:
            await asyncio.wait(self._requests)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._requests.add(task)
        try:
            async with asyncio.timeout(_DEADLINE_S):
                writer.write(_response(*await self._answer(reader)))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
            _logger.debug("a control request was not finished")
        finally:
            self._requests.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, Any]:
        try:
            method, path, headers = await _head(reader)
            check_origin(headers)
            body = await _body(reader, headers)
            return HTTPStatus.OK, answer(method, path, body, self._understudy)
        except Refused as refused:
            return refused.status, {"error": refused.why}
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return HTTPStatus.BAD_REQUEST, {"error": "This is no HTTP request."}


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.split("\r\n")
    words = request.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refused(HTTPStatus.BAD_REQUEST, "This is no HTTP request.")
    pairs = (line.partition(":") for line in lines if line)
    return words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal() or len(length) > 9:
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "The body needs a Content-Length.")
    if int(length) > MAX_BODY_BYTES:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has {MAX_BODY_BYTES} bytes at most."
        )
    return await reader.readexactly(int(length))


def _response(status: HTTPStatus, value: Any) -> bytes:
    body = (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body

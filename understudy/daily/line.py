"""The server's end of a WebSocket: nobody waits for somebody else's slow line."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import ClientError, web

_MAX_WAITING = 500
"""Pieces of sound and pictures; 10 s of one voice. What comes beyond is lost, as over UDP."""


class Line:
    """Sends what is posted, in its order.

    Args:
        socket: An open WebSocket.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._waiting: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self._sending = asyncio.create_task(self._send(), name="daily-line")

    def post(self, **message: Any) -> None:
        """Sends a message of JSON values."""
        self._waiting.put_nowait(json.dumps(message))

    def post_media(self, data: bytes) -> None:
        """Sends a piece of sound or a picture, or drops it when too much waits."""
        if self._waiting.qsize() < _MAX_WAITING:
            self._waiting.put_nowait(data)

    async def close(self) -> None:
        """Sends what is left, and closes."""
        self._waiting.put_nowait(None)
        await asyncio.wait([self._sending], timeout=2)
        self._sending.cancel()
        await asyncio.wait([self._sending])

    async def _send(self) -> None:
        try:
            while (message := await self._waiting.get()) is not None:
                if isinstance(message, str):
                    await self.socket.send_str(message)
                else:
                    await self.socket.send_bytes(message)
            await self.socket.close()
        except (ConnectionError, ClientError):
            pass  # whoever reads from it is told the same

"""A client's connection with a room: what it sends, what it asks, and what it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from understudy.daily.wire import MAX_MESSAGE_BYTES, Media, unpack

LOST = "Connection to the stand-in was lost"
_CONNECT_S = 5.0


class Unreachable(Exception):
    """The stand-in does not answer."""


class Refused(Exception):
    """The room does not let the client in; the message is the reason."""


class Connection:
    """Is made on the engine's thread and lives there.

    Args:
        on_told: Takes what the room tells.
        on_media: Takes sound and pictures of others.
        on_lost: Is called when the connection ends without having been closed here.
    """

    def __init__(
        self,
        *,
        on_told: Callable[[Mapping[str, Any]], None],
        on_media: Callable[[Media], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._on_told = on_told
        self._on_media = on_media
        self._on_lost = on_lost
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outgoing: asyncio.Queue[bytes | Mapping[str, Any]] = asyncio.Queue()
        self._asked: dict[int, Callable[[Any, str | None], None]] = {}
        self._number = 0

    async def open(self, room_url: str, hello: Mapping[str, Any]) -> Mapping[str, Any]:
        """Joins a room.

        Args:
            room_url: Of the room.
            hello: `token`, `name`, `on`.

        Returns:
            What the room tells of it.

        Raises:
            Unreachable: Nobody answers.
            Refused: The room refuses.
        """
        parts = urlsplit(room_url)
        address = f"{parts.scheme}://{parts.netloc}/media{parts.path}"
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._socket = await self._http.ws_connect(
                    address, max_msg_size=MAX_MESSAGE_BYTES, compress=0
                )
                await self._socket.send_json(hello)
                joined = await self._socket.receive_json()
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError) as error:
            await self.close()
            raise Unreachable(type(error).__name__) from None
        except asyncio.CancelledError:
            await self.close()
            raise
        if joined["event"] == "refused":
            await self.close()
            raise Refused(joined["why"])
        self._tasks = [
            asyncio.create_task(self._read(), name="daily-read"),
            asyncio.create_task(self._write(), name="daily-write"),
        ]
        return joined

    def send(self, media: Media) -> None:
        """Sends sound or a picture."""
        self._outgoing.put_nowait(media.pack())

    def tell(self, **told: Any) -> None:
        """Tells the room something."""
        self._outgoing.put_nowait(told)

    def ask(self, answered: Callable[[Any, str | None], None], **asked: Any) -> None:
        """Asks the room for something.

        Args:
            answered: Takes a value and an error, one of them None.
            **asked: What for.
        """
        self._number += 1
        self._asked[self._number] = answered
        self._outgoing.put_nowait({**asked, "number": self._number})

    async def close(self) -> None:
        """Leaves."""
        if self._tasks and self._socket is not None and not self._socket.closed:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._socket.send_json({"do": "leave"})
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        if self._socket is not None:
            await self._socket.close()
        if self._http is not None:
            await self._http.close()

    async def _write(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            while True:
                message = await self._outgoing.get()
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_json(message)

    async def _read(self) -> None:
        assert self._socket is not None
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._on_media(unpack(message.data))
            elif message.type is aiohttp.WSMsgType.TEXT:
                told = message.json()
                if told["event"] == "done":
                    answered = self._asked.pop(told["number"])
                    answered(told["value"], told["error"])
                else:
                    self._on_told(told)
        self._on_lost()

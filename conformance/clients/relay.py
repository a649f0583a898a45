"""A bad network: a relay to the understudy whose connections can be cut.

The standard library only, since each client runs in an environment of its own.
"""

from __future__ import annotations

import asyncio
import os
from urllib.parse import urlsplit


class Relay:
    """A TCP relay to the understudy whose connections can be cut, as a network cuts them.

    Usage:
        async with Relay() as relay:
            ... HttpOptions(base_url=relay.url) ...
            relay.cut()
    """

    def __init__(self) -> None:
        target = urlsplit(os.environ["GOOGLE_GEMINI_BASE_URL"])
        self._host, self._port = target.hostname or "", target.port or 443
        self._open: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.url = ""

    async def __aenter__(self) -> Relay:
        """Starts to listen."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Cuts what is open and stops listening."""
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Drops every connection, on both sides, without a word."""
        for writer in self._open:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        onward_reader, onward_writer = await asyncio.open_connection(self._host, self._port)
        ends = {writer, onward_writer}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(reader, onward_writer))
                tasks.create_task(_pump(onward_reader, writer))
        except* OSError:
            pass  # one end is gone, which is what a relay is cut for
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()

"""A WebSocket that is asked for here and served by another process.

The server's routes see the request, as any other, and may refuse it. Until somebody accepts, nothing
has been answered: the connection can be given away as it is, with the request as it came. From then
on not a byte of the call's media comes through the server.
"""

import os
from collections.abc import Awaitable, Callable

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

EXTENSION = "salon.hand_over"

Take = Callable[[int, str], Awaitable[None]]
"""Takes the connection (a file that is closed afterwards) and the request's head."""


class HandOverProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol, with a way out before the handshake is answered."""

    head = b""

    def data_received(self, data: bytes) -> None:
        """Keep the request as it came; uvicorn gives all of it at once."""
        if not self.handshake_initiated:
            self.head += data
        super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        """Offer the way out to whoever serves the request."""
        super().handle_connect(event)
        if not self.handshake_complete:
            extensions = self.scope.get("extensions")
            assert extensions is not None
            extensions[EXTENSION] = self.hand_over  # pyright: ignore - ASGI lets servers add some

    async def hand_over(self, take: Take) -> None:
        """Give the connection away; if it is not taken it can still be refused."""
        self.transport.pause_reading()
        fd = os.dup(self.transport.get_extra_info("socket").fileno())
        try:
            await take(fd, self.head.decode("latin-1"))
        finally:
            os.close(fd)
        # As far as uvicorn is concerned, all is said and done.
        self.handshake_complete = self.close_sent = True
        self.transport.close()


async def hand_over(websocket: WebSocket, take: Take) -> None:
    """Give a WebSocket that nobody has accepted to another process.

    Args:
        websocket: As a route gets it.
        take: Takes it; what it raises is raised here, and the WebSocket can still be refused.
    """
    await websocket.scope["extensions"][EXTENSION](take)

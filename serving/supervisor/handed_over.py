"""A WebSocket whose handshake another process has read: it is finished here, and media come here."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from fastapi import WebSocket
from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

MAX_MESSAGE_BYTES = 1024 * 1024
"""Frames of sound have a few KB; pictures come by the server's route for files."""


async def accept_handed_over(
    fd: int, head: bytes, converse: Callable[[WebSocket], Awaitable[None]]
) -> None:
    """Answer the handshake, hold the conversation, and close.

    Args:
        fd: The connection; it is closed in the end.
        head: The request that asks for a WebSocket, as bytes of HTTP.
        converse: Gets the WebSocket once it is open.
    """
    finished = asyncio.Event()

    async def app(scope, receive, send) -> None:
        try:
            websocket = WebSocket(scope, receive, send)
            await websocket.accept()
            await converse(websocket)
        finally:
            finished.set()

    # The check of the connection with pings is the bot's: Pipecat has its own.
    config = Config(app, lifespan="off", log_config=None, ws_max_size=MAX_MESSAGE_BYTES)
    config.load()
    protocol = WebSocketsSansIOProtocol(config, ServerState(), {})
    connection = socket.socket(fileno=fd)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection)
    protocol.data_received(head)
    await finished.wait()
    while not transport.is_closing():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)

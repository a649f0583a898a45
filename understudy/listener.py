"""How the understudy listens: the settings of the websockets library, and the place's name."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from understudy.connection import MAX_MESSAGE_BYTES
from understudy.posting import Post, PostingConnection

_CLOSE_TIMEOUT_S = 0.5
_PING_INTERVAL_S = 20
_PING_TIMEOUT_S = 60
"""Longer than the client's own 20 s, so that a client in a debugger is not thrown out by us."""


def listen(
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    *,
    on_session: Callable[[ServerConnection], Awaitable[None]],
    on_request: Callable[[ServerConnection, Request], Response | None],
    on_post: Post,
) -> AbstractAsyncContextManager[Server]:
    """Returns a listener, to be entered as a context.

    Args:
        host: Address to listen at.
        port: Port; 0 takes a free one.
        context: With TLS; None: without.
        on_session: Serves an open WebSocket.
        on_request: Answers a GET request, or returns None to let the upgrade go on.
        on_post: Answers a POST request.
    """
    connection = partial(PostingConnection, on_post=on_post)
    return serve(
        on_session,
        host,
        port,
        ssl=context,
        process_request=on_request,
        compression=None,  # base64 of noise-like PCM barely shrinks, at 10x the CPU
        max_size=MAX_MESSAGE_BYTES,
        ping_interval=_PING_INTERVAL_S,
        ping_timeout=_PING_TIMEOUT_S,
        close_timeout=_CLOSE_TIMEOUT_S,
        server_header="understudy",
        logger=_quiet_logger(),
        create_connection=cast(type[ServerConnection], connection),
    )


def base_url(scheme: str, host: str, server: Server) -> str:
    """Returns what a client takes as base URL to reach a listener."""
    port = next(iter(server.sockets)).getsockname()[1]
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    if ":" in reachable and not reachable.startswith("["):
        reachable = f"[{reachable}]"
    return f"{scheme}://{reachable}:{port}"


def _quiet_logger() -> logging.Logger:
    """A logger for websockets, which would log request targets (with keys) and every scan."""
    logger = logging.getLogger("understudy.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger

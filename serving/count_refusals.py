"""Counts what the routes refuse, why, and how quickly."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.metrics import Metrics

_WHY = {
    400: "invalid",
    401: "access",
    403: "access",
    404: "unknown",
    409: "conflict",
    413: "size",
    422: "invalid",
    429: "limit",
    503: "busy",
}
_STARTS = ("http.response.start", "websocket.http.response.start")


class CountRefusals:
    """ASGI middleware that counts refused calls; it has to be the outermost.

    Who refuses may say why in `scope["state"]["why"]`; else it is what the status tells. Pages and
    files that are only looked at are not counted.

    Args:
        app: What answers.
        metrics: What counts.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics):
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it if it is refused."""
        if scope["type"] == "lifespan" or scope.get("method") in ("GET", "HEAD", "OPTIONS"):
            return await self._app(scope, receive, send)
        began_s = time.monotonic()
        state = scope.setdefault("state", {})

        async def counted(message: Message) -> None:
            status = message.get("status")
            if message["type"] in _STARTS and status in _WHY:
                why = state.get("why") or _WHY[status]
                self._metrics.refused(why, time.monotonic() - began_s)
            await send(message)

        await self._app(scope, receive, counted)

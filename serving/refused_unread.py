"""A refusal that reaches a client that is still sending."""

import asyncio
import contextlib

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from serving.refused import Refused

LINGER_S = 5.0


class RefusedUnread(Refused):
    """A request is refused before its body was read; the connection ends with it.

    A connection that is closed while something arrives is reset, and then a client that is still
    sending, as browsers are, is not shown the answer. So the answer is sent at once, and what
    still comes is thrown away for a while.
    """

    def response(self) -> JSONResponse:
        """The answer, for an ASGI application."""
        headers = self.headers | {"Connection": "close"}
        return _Lingering({"detail": self.sentence}, self.status, headers)


class _Lingering(JSONResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})

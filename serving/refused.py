"""What a request that is refused is answered, by the app or on a raw connection."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse


class Refused(Exception):
    """A request is refused; the message is one sentence for whoever sent it.

    Parameters:
        status: The HTTP status of the answer.
        sentence: Why, and what to do; it holds nothing that is secret.
        headers: More headers of the answer, such as `Retry-After`.
        why: The same in one word, for metrics; empty when the status says enough.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        headers: Mapping[str, str] | None = None,
        *,
        why: str = "",
    ):
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})
        self.why = why

    def response(self) -> JSONResponse:
        """The answer, for an ASGI application."""
        return JSONResponse({"detail": self.sentence}, self.status, self.headers)

    def http(self) -> bytes:
        """The answer as it goes over a connection that no application has seen; it ends there."""
        body = json.dumps({"detail": self.sentence}).encode()
        headers = {
            **self.headers,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

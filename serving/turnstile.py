"""Turns away who asks for a session while the server is known to be full, before anything else.

A burst of starts is answered one after the other: what each costs is what the last one waits. With
routing, validation and the reading of a persona that is 4 ms, with the checks of access alone a
third of one; here it is a quarter, most of it uvicorn's.
"""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.page_headers import HEADERS
from serving.refused import Refused

_HEADERS = {**HEADERS, "Cache-Control": "no-store"}
KNOWN_S = 0.25
"""How long it counts that there was no slot; a call that ends meanwhile is told at once."""


class Turnstile:
    """Remembers that the last one who asked found no slot. Pure.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._refused: Refused | None = None
        self._until_s = 0.0

    def close(self, refused: Refused) -> None:
        """Somebody was refused for a reason that holds for everybody."""
        self._refused, self._until_s = refused, self._clock() + KNOWN_S

    def open(self) -> None:
        """A slot has become free."""
        self._refused = None

    @property
    def refused(self) -> Refused | None:
        """What whoever asks now is to be told; None: they have to be looked at."""
        if self._refused and self._clock() >= self._until_s:
            self._refused = None
        return self._refused


class TurnstileMiddleware:
    """Answers `POST /start` while the turnstile is closed; before anything that checks who asks.

    Pages from elsewhere go on to those checks: they can read no answer without CORS.

    Args:
        app: Everything else.
        turnstile: Of the front desk.
    """

    def __init__(self, app: ASGIApp, turnstile: Turnstile):
        self._app = app
        self._turnstile = turnstile
        self._refused: Refused | None = None
        self._answer: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        app = self._app
        refused = self._turnstile.refused
        if refused and scope["type"] == "http" and _is_own_start(scope):
            scope.setdefault("state", {})["why"] = refused.why
            app = self._answer_of(refused)
        await app(scope, receive, send)

    def _answer_of(self, refused: Refused) -> ASGIApp:
        """The same answer for all, made once."""
        if refused is not self._refused:
            answer = refused.response()
            answer.headers.update(_HEADERS)
            self._refused, self._answer = refused, answer
        return self._answer


def _is_own_start(scope: Scope) -> bool:
    if scope["path"] != "/start" or scope["method"] != "POST":
        return False
    headers = dict(scope["headers"])
    if b"x-goog-api-key" in headers:
        return False  # lines to the model may be busy for the server's own key alone
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == headers.get(b"host")

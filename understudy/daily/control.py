"""The control of a stand-in that runs as a process: what a test would call, over HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from understudy.control import Refused, check_origin
from understudy.daily.faults import Failure
from understudy.daily.narrow import LINE_HZ

if TYPE_CHECKING:
    from understudy.daily.server import DailyStandIn

_FAILURE = tuple(field.name for field in dataclasses.fields(Failure))


class Control:
    """Answers at `/control/...`; only programs on this machine may ask.

    Args:
        daily: What is controlled.
    """

    def __init__(self, daily: DailyStandIn) -> None:
        self._daily = daily

    def add_to(self, app: web.Application) -> None:
        """Mounts it."""
        for method, path, handler in (
            ("GET", "/control/records", self._records),
            ("GET", "/control/rooms", self._rooms),
            ("GET", "/control/calls", self._calls),
            ("POST", "/control/fail", self._does(self._daily.fail, "what", _FAILURE)),
            ("DELETE", "/control/fail", self._clear),
            (
                "POST",
                "/control/numbers",
                self._does(
                    self._daily.own_number,
                    "number",
                    ("number", "webhook_url", "message", "hmac"),
                ),
            ),
            (
                "POST",
                "/control/called",
                self._does(
                    self._called,
                    "number",
                    ("number", "does", "ring_s", "says", "hangs_up_after_s"),
                ),
            ),
            (
                "POST",
                "/control/line",
                self._does(
                    self._daily.line,
                    "room",
                    ("room", "participant", "quality", "threshold", "is_interrupted"),
                ),
            ),
            ("POST", "/control/tell", lambda body: self._daily.tell(**body)),
            ("POST", "/control/hold", self._does(self._hold, "hold_s", ("hold_s",))),
            ("GET", "/control/called", self._all_called),
        ):
            app.router.add_route(method, path, self._guarded(handler))

    def _guarded(self, handler: Callable[[dict[str, Any]], Any]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                check_origin({name.lower(): value for name, value in request.headers.items()})
                body = await request.json() if request.can_read_body else {}
                return web.json_response({"answer": handler(body)})
            except Refused as refused:
                return web.json_response({"error": refused.why}, status=refused.status)
            except (TypeError, ValueError, KeyError) as error:
                told = f"This can't be done with these fields: {error}."
                return web.json_response({"error": told}, status=400)

        return handle

    @staticmethod
    def _does(
        function: Callable[..., Any], needed: str, known: tuple[str, ...]
    ) -> Callable[[dict[str, Any]], None]:
        def do(body: dict[str, Any]) -> None:
            if needed not in body or not body.keys() <= set(known):
                raise ValueError(f"there are {', '.join(known)}")
            function(**body)

        return do

    def _records(self, _body: dict[str, Any]) -> list[dict[str, Any]]:
        return self._daily.records

    def _rooms(self, _body: dict[str, Any]) -> dict[str, Any]:
        return {
            name: [member.as_dict() for member in room.live.members.values()]
            for name, room in self._daily.rooms.items()
        }

    def _calls(self, _body: dict[str, Any]) -> list[dict[str, Any]]:
        calls = self._daily.domain.exchange.calls.values()
        return [
            {"id": c.id, "caller": c.caller, "called": c.called, "state": c.state} for c in calls
        ]

    def _hold(self, *, hold_s: float) -> None:
        self._daily.domain.exchange.hold_s = float(hold_s)

    def _called(self, **how: Any) -> None:
        self._daily.called_number(**how)

    def _all_called(self, _body: dict[str, Any]) -> dict[str, Any]:
        return {
            number: [
                {
                    "state": call.state,
                    "digits": call.digits,
                    "heard_s": sum(len(samples) for _, samples in call.heard) / LINE_HZ,
                }
                for call in called.calls
            ]
            for number, called in self._daily.domain.exchange.called.items()
        }

    def _clear(self, _body: dict[str, Any]) -> None:
        self._daily.domain.failures.clear()

"""The telephone exchange: numbers of the domain, callers on hold, and who is told of them."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from understudy.daily import webhooks
from understudy.daily.called import speak_up
from understudy.daily.calls import Call, CallState
from understudy.daily.dialing import CalledNumber, DialOut
from understudy.daily.line import Line
from understudy.daily.phone import Phone, PhoneCall
from understudy.daily.rooms import BadRequest
from understudy.daily.sip import NotReady

if TYPE_CHECKING:
    from understudy.daily.domain import Domain

WEBHOOK_TIMEOUT_S = 10.0
"""How long an answer is waited for; ours."""
NOT_IN_SERVICE = "The number you have dialled is not in service."
_TRIES = 2


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number of the domain.

    Parameters:
        phone_number: In E.164.
        webhook_url: Where its calls are announced.
        hmac: What announcements are signed with, base64; empty: not at all.
        message: What Daily says when nobody picks up in time.
        id: Of its configuration.
    """

    phone_number: str
    webhook_url: str
    hmac: str
    message: str = ""
    id: str = ""


class Exchange:
    """Connects callers.

    Args:
        domain: Whose numbers they are.
        hmac: What announcements are signed with, unless a number has its own.
        hold_s: How long callers wait.
    """

    def __init__(self, domain: Domain, *, hmac: str, hold_s: float) -> None:
        self._domain = domain
        self.hmac = hmac
        self.hold_s = hold_s
        self.domain_id = str(uuid.uuid4())
        self.numbers: dict[str, Number] = {}
        self.calls: dict[str, Call] = {}
        self.called: dict[str, CalledNumber] = {}
        self.dialled: dict[str, DialOut] = {}
        self._answering: list[PhoneCall] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    def connect(self, line: Line, asked: Mapping[str, Any]) -> Call:
        """Does what a telephone asks for first: to dial a number or a SIP address.

        Args:
            line: To the telephone.
            asked: `dial`, `sip` or `answer`, `caller`, `sip_headers`.
        """
        if "answer" in asked:
            return self._answer(line, asked["answer"], asked["caller"])
        fields = {"caller": asked["caller"], "sip_headers": asked.get("sip_headers")}
        if "sip" in asked:
            return self.dial_sip(line, uri=asked["sip"], **fields)
        return self.dial(line, called=asked["dial"], **fields)

    def dial(
        self, line: Line, *, caller: str, called: str, sip_headers: Mapping[str, Any] | None
    ) -> Call:
        """Somebody dials a number of the domain, and is on hold from now on."""
        call = self._new_call(line, caller=caller, called=called, sip_headers=sip_headers)
        if (number := self.numbers.get(called)) is None:
            call.say(NOT_IN_SERVICE)
            call.end("not in service")
        else:
            call.move(CallState.ON_HOLD)
            self.keep(self._announce(call, number))
            self.keep(self._hold(call, number))
        return call

    def dial_sip(
        self, line: Line, *, caller: str, uri: str, sip_headers: Mapping[str, Any] | None
    ) -> Call:
        """A SIP trunk calls a room's address."""
        call = self._new_call(line, caller=caller, called=uri, sip_headers=sip_headers)
        room = self._domain.room_of_sip(uri)
        try:
            if room is None or room.sip is None:
                raise NotReady("there is no room at that address")
            room.sip.take(call)
        except NotReady as error:
            call.end(f"refused: {error}")
        return call

    def forward(self, call_id: object, call_domain: object, sip_uri: object) -> None:
        """Connects a caller on hold with a room.

        Raises:
            BadRequest: That can't be done.
        """
        call = self.calls.get(str(call_id))
        if call is None or call.state is not CallState.ON_HOLD or call.domain_id != call_domain:
            raise BadRequest("no call on hold has this callId and callDomain")
        room = self._domain.room_of_sip(str(sip_uri))
        if room is None or room.sip is None:
            raise BadRequest(f"no room has the sipUri {sip_uri}")
        try:
            room.sip.take(call)
        except NotReady as error:
            raise BadRequest(str(error)) from None

    async def pick_up(self, called: CalledNumber, dialled: DialOut, caller: str) -> None:
        """Somebody who is called picks up: a telephone of the stand-in's own."""
        call = await Phone(self._domain.site).answer(dialled.id, caller=caller)
        self._answering.append(call)
        called.calls.append(call)
        await call.until(lambda: call.state != "dialling", within_s=WEBHOOK_TIMEOUT_S)
        await speak_up(call, called)

    def _answer(self, line: Line, dialled_id: str, caller: str) -> Call:
        dialled = self.dialled.get(dialled_id)
        target = dialled.target if dialled else ""
        call = self._new_call(line, caller=caller, called=target, sip_headers=None)
        if dialled is None:
            call.end("the other side hung up")
        else:
            dialled.answer(call)
        return call

    def call_of(self, session_id: str) -> Call | None:
        """The call of a participant."""
        calls = self.calls.values()
        return next((c for c in calls if c.member and c.member.id == session_id), None)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Posts a webhook.

        Returns:
            The status of the answer; 0: there was none.
        """
        if self._http is None:
            self._http = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT_S)
        try:
            async with self._http.post(url, data=body, headers=headers, timeout=timeout) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    def keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs something until it ends or the exchange is closed."""
        task = asyncio.create_task(work, name="daily-exchange")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Ends all calls."""
        for call in self.calls.values():
            call.end("closed")
        for task in (tasks := list(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for call in self._answering:
            await call.hang_up()
        if self._http is not None:
            await self._http.close()

    def _new_call(self, line: Line, **fields: Any) -> Call:
        call = Call(line, note=self._domain.note, domain_id=self.domain_id, **fields)
        self.calls[call.id] = call
        return call

    async def _announce(self, call: Call, number: Number) -> None:
        told: dict[str, Any] = {
            "From": call.caller,
            "To": call.called,
            "callId": call.id,
            "callDomain": call.domain_id,
        }
        if call.sip_headers is not None:
            told["sipHeaders"] = call.sip_headers
        body = json.dumps(told).encode()
        for _ in range(_TRIES):
            now_s = time.time()
            signed = webhooks.headers(number.hmac, now_s, body) if number.hmac else {}
            status = await self.post(number.webhook_url, body, signed)
            self._domain.note("webhook", call=call.id, url=number.webhook_url, status=status)
            if 0 < status < 500 or call.state is not CallState.ON_HOLD:
                return

    async def _hold(self, call: Call, number: Number) -> None:
        await asyncio.sleep(self.hold_s)
        if call.state is CallState.ON_HOLD:
            if number.message:
                call.say(number.message)
            call.end("nobody picked up")

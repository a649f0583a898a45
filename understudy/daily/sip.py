"""The SIP addresses of a room: when a telephone can come in, and what the room is told of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from understudy.daily.live import Member

if TYPE_CHECKING:
    from understudy.daily.calls import Call
    from understudy.daily.domain import DailyRoom, Domain


class NotReady(Exception):
    """No telephone can come in now."""


class SipDoor:
    """Takes telephones into a room, as many at a time as it has endpoints.

    Args:
        domain: Whose room it is.
        room: The room.
    """

    def __init__(self, domain: Domain, room: DailyRoom) -> None:
        sip = room.record.config["sip"]
        self._domain = domain
        self._room = room
        self._endpoints = int(sip.get("num_endpoints", 1))
        self._name = str(sip.get("display_name", "sip"))
        self._ready = 0
        self._calls: list[Call] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._was_begun = False

    @property
    def uri(self) -> str:
        """With its scheme."""
        return f"sip:{self._room.record.sip_uri}"

    def begin(self) -> None:
        """Starts a worker for each endpoint, the first time that somebody is in the room."""
        if not self._was_begun:
            self._was_begun = True
            for _ in range(self._endpoints):
                self._start_worker()

    def check(self) -> None:
        """Looks whether a telephone can come in.

        Raises:
            NotReady: It can't.
        """
        if not self._ready:
            raise NotReady(f"sip endpoint {self.uri} is not ready")

    def take(self, call: Call) -> None:
        """Connects a telephone with the room.

        Raises:
            NotReady: It can't come in.
        """
        self.check()
        self._ready -= 1
        self._calls.append(call)
        member = Member(line=call.line, name=self._name, sees_events=False, on=["microphone"])
        call.enter(self._room, member, self._gone)
        told = {
            "sessionId": member.id,
            "sipCallId": call.id,
            "sipFrom": call.caller,
            "sipEndpoint": self.uri,
            "sipHeaders": call.sip_headers,
            "provider": "daily",
        }
        self._room.live.tell("dialin_connected", data=told)
        self._room.live.enter(member)

    def close(self) -> None:
        """Starts no more workers."""
        for timer in self._timers:
            timer.cancel()
        self._ready = 0

    def _gone(self, call: Call, member: Member) -> None:
        self._calls.remove(call)
        self._room.live.leave(member)
        self._room.live.tell("dialin_stopped", data={"sessionId": member.id})
        if self._room.live.members:
            self._start_worker()

    def _start_worker(self) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(self._domain.sip_ready_s, self._work))

    def _work(self) -> None:
        self._ready += 1
        self._domain.note("sip ready", room=self._room.record.name)
        self._room.live.tell("dialin_ready", sip_endpoint=self.uri)

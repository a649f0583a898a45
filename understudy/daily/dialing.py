"""Calls that a room makes: whom they reach, and what becomes of them."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from understudy.daily.calls import Call
from understudy.daily.live import Member

if TYPE_CHECKING:
    from understudy.daily.domain import DailyRoom, Domain


class Does(StrEnum):
    """What happens when a number is called."""

    ANSWERS = "answers"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    VOICEMAIL = "voicemail"
    FAILS = "fails"


_ERRORS = {
    Does.BUSY: "User busy",
    Does.NO_ANSWER: "No answer",
    Does.FAILS: "Call failed",
}
"""Daily gives the reason of the telephone network here; that these are the words is ours."""


@dataclass(kw_only=True)
class CalledNumber:
    """Somebody who can be called.

    Parameters:
        number: In E.164, or a SIP address.
        does: What happens.
        ring_s: How long it rings before.
        says: What is said when it is picked up.
        hangs_up_after_s: They hang up so long after they picked up; None: they don't.
        calls: Those that were picked up: telephones as `Phone.dial` gives them.
    """

    number: str
    does: Does = Does.ANSWERS
    ring_s: float = 0.1
    says: str = ""
    hangs_up_after_s: float | None = None
    calls: list[Any] = field(default_factory=list)


class DialOut:
    """A call of a room's, from dialling to hanging up.

    Args:
        domain: Whose room it is.
        room: Which.
        settings: As `start_dialout` took them.
    """

    def __init__(self, domain: Domain, room: DailyRoom, settings: dict[str, Any]) -> None:
        self.id = str(uuid.uuid4())
        self.target = str(settings.get("phoneNumber") or settings.get("sipUri") or "")
        self._domain = domain
        self._room = room
        self._name = str(settings.get("displayName") or self.target)
        self._caller = str(settings.get("callerId") or "unknown")
        self._called = domain.exchange.called.get(self.target)
        self._call: Call | None = None
        self._task = domain.exchange.keep(self._ring())

    def stop(self) -> None:
        """The room hangs up."""
        if self._call is not None:
            self._call.end("the other side hung up")
        else:
            self._task.cancel()
            self._end()

    def answer(self, call: Call) -> None:
        """The one who is called has picked up."""
        self._call = call
        member = Member(
            line=call.line, name=self._name, sees_events=False, on=["microphone"], id=self.id
        )
        call.enter(self._room, member, self._gone)
        self._tell("answered")
        self._room.live.enter(member)

    async def _ring(self) -> None:
        self._domain.exchange.dialled[self.id] = self
        called = self._called
        if called is None or called.does is Does.FAILS:
            why = "Call failed" if called else f"Number {self.target} can't be reached"
            self._fail(why)
            return
        self._tell("connected")
        await asyncio.sleep(called.ring_s)
        if called.does in _ERRORS:
            self._fail(_ERRORS[called.does])
        else:
            await self._domain.exchange.pick_up(called, self, self._caller)

    def _fail(self, why: str) -> None:
        self._tell("error", errorMsg=why)
        self._domain.exchange.dialled.pop(self.id, None)

    def _gone(self, call: Call, member: Member) -> None:
        self._room.live.leave(member)
        self._end()

    def _end(self) -> None:
        if self._domain.exchange.dialled.pop(self.id, None) is not None:
            self._tell("stopped")

    def _tell(self, event: str, **fields: Any) -> None:
        data = {"sessionId": self.id, "phoneNumber": self.target, **fields}
        self._room.live.tell(f"dialout_{event}", data=data)
        self._domain.note(f"dial-out {event}", room=self._room.record.name, **data)

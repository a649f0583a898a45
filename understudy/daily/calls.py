"""One telephone call, as the exchange has it: from dialling to hanging up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from understudy.daily.line import Line
from understudy.daily.live import Member

if TYPE_CHECKING:
    from understudy.daily.domain import DailyRoom

Gone = Callable[["Call", Member], None]


class CallState(StrEnum):
    """Where a call is."""

    DIALLING = "dialling"
    ON_HOLD = "on hold"
    CONNECTED = "connected"
    TRANSFERRED = "transferred"
    ENDED = "ended"


class Call:
    """A call.

    Args:
        line: To the telephone.
        caller: Its number or address.
        called: What it dialled.
        sip_headers: What came along.
        note: Takes note of what happens.
        domain_id: Daily's name for the domain of the number.
    """

    def __init__(
        self,
        line: Line,
        *,
        caller: str,
        called: str,
        sip_headers: Mapping[str, Any] | None,
        note: Callable[..., None],
        domain_id: str,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.line = line
        self.caller = caller
        self.called = called
        self.sip_headers = dict(sip_headers) if sip_headers is not None else None
        self.domain_id = domain_id
        self.state = CallState.DIALLING
        self.room: DailyRoom | None = None
        self.member: Member | None = None
        self._note = note
        self._gone: Gone | None = None

    def move(self, state: CallState, **fields: Any) -> None:
        """Changes the state and tells the telephone."""
        self.state = state
        self.line.post(event="state", state=state, **fields)
        self._note("call", call=self.id, called=self.called, state=state, **fields)

    def say(self, text: str) -> None:
        """Daily itself says something to the caller."""
        self.line.post(event="told", text=text)
        self._note("told", call=self.id, text=text)

    def enter(self, room: DailyRoom, member: Member, gone: Gone) -> None:
        """Is connected with a room.

        Args:
            room: Which.
            member: What the caller is there.
            gone: Is called when they are no longer.
        """
        self.room, self.member, self._gone = room, member, gone
        member.gone = self._ejected
        self.move(CallState.CONNECTED, room=room.record.name, participant=member.id)

    def transfer(self, target: str) -> None:
        """Is connected with somebody else, and is no longer in the room."""
        self.move(CallState.TRANSFERRED, to=target)
        self._leave()

    def press(self, tones: str) -> None:
        """The caller presses keys."""
        if self.room is None or self.member is None:
            return
        for tone in tones:
            data = {"tone": tone, "sessionId": self.member.id}
            self.room.live.tell("dtmf_event", data=data)

    def end(self, why: str) -> None:
        """Hangs up; a second time does nothing."""
        if self.state is CallState.ENDED:
            return
        self.move(CallState.ENDED, why=why)
        self._leave()

    def hear(self, data: bytes) -> None:
        """The caller says something."""
        if self.room is not None and self.member is not None:
            self.room.live.pass_on(self.member, data)

    def _ejected(self, why: str) -> None:
        self.end(why)

    def _leave(self) -> None:
        member, gone, self.room, self.member, self._gone = (
            self.member,
            self._gone,
            None,
            None,
            None,
        )
        if member is not None and gone is not None:
            gone(self, member)

"""What goes on in a room: who is in it, and whose sound and pictures reach whom."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from understudy.daily.line import Line
from understudy.daily.wire import SOUND, Media, unpack

LEFT = "leftCall"
EJECTED = "Ejected from the meeting"
ROOM_GONE = "This room is no longer available"
"""As daily-core has it among its strings; where it says so is ours."""
_LOUD = 300.0
"""Above this RMS somebody speaks."""
_SPEAKS_AFTER_S = 0.2

Note = Callable[..., None]


@dataclass(kw_only=True, eq=False)
class Member:
    """Somebody in a room.

    Parameters:
        line: How they are reached.
        name: As the others see it.
        is_owner: By their token.
        sees_events: Whether they are told what happens; a telephone is not.
        on: Which tracks they send, such as `microphone`.
        wants: Whose pictures they want: pairs of id and source.
        id: Their session's.
        joined_at_s: Unix time.
        gone: What to do when they are made to leave.
    """

    line: Line
    name: str = ""
    is_owner: bool = False
    sees_events: bool = True
    on: list[str] = field(default_factory=list)
    wants: set[tuple[str, str]] = field(default_factory=set)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    joined_at_s: float = field(default_factory=time.time)
    can_send: list[str] | bool = True
    gone: Callable[[str], None] = lambda why: None

    def as_dict(self) -> dict[str, Any]:
        """As the others' clients are told."""
        return {
            "id": self.id,
            "userName": self.name,
            "isOwner": self.is_owner,
            "joinedAt": int(self.joined_at_s),
            "canSend": self.can_send,
            "on": self.on,
        }


class LiveRoom:
    """A meeting.

    Args:
        name: The room's.
        note: Takes note of what happens.
        session_id: Of the meeting.
    """

    def __init__(self, name: str, note: Note) -> None:
        self.name = name
        self.members: dict[str, Member] = {}
        self.session_id = str(uuid.uuid4())
        self._note = note
        self._speaker = ""
        self._loud_since: dict[str, float] = {}

    def enter(self, member: Member) -> None:
        """Lets somebody in and tells the others."""
        self.tell("participant_joined", participant=member.as_dict())
        self.members[member.id] = member
        self._note("joined", room=self.name, participant=member.id, name=member.name)

    def leave(self, member: Member, reason: str = LEFT) -> None:
        """Lets somebody go and tells the others; a second time does nothing."""
        if self.members.pop(member.id, None) is None:
            return
        for other in self.members.values():
            other.wants = {want for want in other.wants if want[0] != member.id}
        self.tell("participant_left", participant=member.as_dict(), reason=reason)
        self._note("left", room=self.name, participant=member.id, name=member.name)
        self._loud_since.pop(member.id, None)

    def update(self, member: Member) -> None:
        """Tells the others that somebody has changed."""
        self.tell("participant_updated", participant=member.as_dict(), without=member)

    def eject(self, members: list[Member], why: str = EJECTED) -> None:
        """Makes some leave."""
        for member in members:
            if member.id not in self.members:
                continue
            self.leave(member)
            member.line.post(event="ejected", why=why)
            member.gone(why)

    def tell(self, event: str, *, without: Member | None = None, **fields: Any) -> None:
        """Tells all clients what happened."""
        for member in self.members.values():
            if member.sees_events and member is not without:
                member.line.post(event=event, **fields)

    def pass_on(self, member: Member, data: bytes) -> None:
        """Sends sound or a picture of somebody's to those who get it."""
        try:
            media = unpack(data)
        except (ValueError, UnicodeDecodeError):
            self._note("unreadable", room=self.name, participant=member.id)
            return
        packed = media.pack(member.id)
        for other in self.members.values():
            wanted = media.kind == SOUND or (member.id, media.source) in other.wants
            if wanted and other is not member:
                other.line.post_media(packed)
        if media.kind == SOUND and media.source == "microphone":
            self._listen(member, media)

    def _listen(self, member: Member, media: Media) -> None:
        samples = np.frombuffer(media.payload, np.int16)
        now_s = asyncio.get_running_loop().time()
        if not samples.size or np.sqrt(np.mean(samples.astype(np.float32) ** 2)) < _LOUD:
            self._loud_since.pop(member.id, None)
            return
        since_s = self._loud_since.setdefault(member.id, now_s)
        is_taken = self._speaker in self._loud_since and self._speaker != member.id
        if not is_taken and self._speaker != member.id and now_s - since_s >= _SPEAKS_AFTER_S:
            self._speaker = member.id
            self.tell("active_speaker", participant=member.as_dict())

"""What clients ask a room for."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from understudy.daily.dialing import DialOut
from understudy.daily.live import Member

if TYPE_CHECKING:
    from understudy.daily.domain import DailyRoom, Domain


class CannotBeDone(Exception):
    """The message is what daily-python gives to the completion."""


NO_SESSION = "Sip(NoSuchSession)"
NOT_ALLOWED = "Dialout(NotAllowed)"
"""These and their like are ours: daily-core's own can't be had without Daily."""


class Requests:
    """Carries out what one client asks for.

    Args:
        domain: Whose room it is.
        room: Where the client is.
        member: The client.
    """

    def __init__(self, domain: Domain, room: DailyRoom, member: Member) -> None:
        self._domain = domain
        self._room = room
        self._member = member
        self._doing: dict[str, Callable[[dict[str, Any]], Any]] = {
            "publish": self._publish,
            "name": self._rename,
            "want": self._want,
            "app_message": self._send_message,
            "eject": self._eject,
            "update_participants": self._update_participants,
            "send_dtmf": self._send_dtmf,
            "sip_call_transfer": self._transfer,
            "sip_refer": self._transfer,
            "start_recording": self._start_recording,
            "stop_recording": self._stop_recording,
            "start_transcription": self._start_transcription,
            "stop_transcription": self._stop_transcription,
            "update_transcription": lambda asked: None,
            "start_dialout": self._start_dialout,
            "stop_dialout": self._stop_dialout,
        }

    def take(self, asked: dict[str, Any]) -> None:
        """Does it and answers, at once or when a failure that was ordered lets it."""
        failure = self._domain.failures.take(asked["do"])
        if failure is not None and failure.delay_s:
            loop = asyncio.get_running_loop()
            loop.call_later(failure.delay_s, self._finish, asked, failure.error)
        else:
            self._finish(asked, failure.error or "as ordered" if failure is not None else None)

    def _finish(self, asked: dict[str, Any], error: str | None) -> None:
        value = None
        if error is None:
            try:
                value = self._doing[asked["do"]](asked)
            except CannotBeDone as refused:
                error = str(refused)
        if asked["do"] not in ("publish", "name", "want", "app_message"):
            told = {"what": asked["do"], "settings": asked.get("settings"), "error": error}
            self._domain.note("asked", room=self._room.record.name, **told)
        if "number" in asked:
            self._member.line.post(event="done", number=asked["number"], value=value, error=error)

    def _publish(self, asked: dict[str, Any]) -> None:
        self._member.on = list(asked["on"])
        self._room.live.update(self._member)

    def _rename(self, asked: dict[str, Any]) -> None:
        self._member.name = asked["name"]
        self._room.live.update(self._member)

    def _want(self, asked: dict[str, Any]) -> None:
        self._member.wants = {(id, source) for id, source in asked["pictures"]}

    def _send_message(self, asked: dict[str, Any]) -> None:
        told = {"message": asked["message"], "sender": self._member.id}
        target = asked.get("to")
        if target in (None, "*"):
            self._room.live.tell("app_message", without=self._member, **told)
        elif (member := self._room.live.members.get(target)) is not None:
            member.line.post(event="app_message", **told)
        self._domain.note("app_message", room=self._room.record.name, to=target, **told)

    def _eject(self, asked: dict[str, Any]) -> None:
        if not self._member.is_owner:
            raise CannotBeDone("RemoteParticipants(NotAllowed)")
        members = self._room.live.members
        self._room.live.eject([members[id] for id in asked["ids"] if id in members])

    def _update_participants(self, asked: dict[str, Any]) -> None:
        if not self._member.is_owner:
            raise CannotBeDone("RemoteParticipants(NotAllowed)")
        for id, settings in asked["settings"].items():
            if (member := self._room.live.members.get(id)) is not None:
                permissions = settings.get("permissions", {})
                member.can_send = permissions.get("canSend", member.can_send)
                self._room.live.update(member)

    def _send_dtmf(self, asked: dict[str, Any]) -> None:
        call = self._call(asked["settings"])
        tones = str(asked["settings"].get("tones", ""))
        if not tones or set(tones) - set("0123456789*#ABCD"):
            raise CannotBeDone("Dialout(InvalidTones)")
        call.line.post(event="digits", tones=tones)

    def _transfer(self, asked: dict[str, Any]) -> None:
        target = asked["settings"].get("toEndPoint")
        if not target:
            raise CannotBeDone('JsonApiError { message: "missing field `toEndPoint`" }')
        self._call(asked["settings"]).transfer(target)

    def _call(self, settings: dict[str, Any]) -> Any:
        call = self._domain.exchange.call_of(settings.get("sessionId", ""))
        if call is None or call.room is not self._room:
            raise CannotBeDone(NO_SESSION)
        return call

    def _start_recording(self, asked: dict[str, Any]) -> str:
        stream_id = asked.get("stream_id") or str(uuid.uuid4())
        status = {"streamId": stream_id, "startedBy": self._member.id}
        self._room.live.tell("recording_started", status=status)
        return stream_id

    def _stop_recording(self, asked: dict[str, Any]) -> None:
        self._room.live.tell("recording_stopped", stream_id=asked.get("stream_id") or "")

    def _start_transcription(self, asked: dict[str, Any]) -> None:
        if not self._member.is_owner:
            raise CannotBeDone("Transcription(NotAllowed)")
        status = {"startedBy": self._member.id, **(asked.get("settings") or {})}
        self._room.live.tell("transcription_started", status=status)

    def _stop_transcription(self, asked: dict[str, Any]) -> None:
        self._room.live.tell("transcription_stopped", by=self._member.id, by_error=False)

    def _start_dialout(self, asked: dict[str, Any]) -> str:
        if not (self._member.is_owner and self._room.record.config.get("enable_dialout")):
            raise CannotBeDone(NOT_ALLOWED)
        settings = asked["settings"]
        if not (settings.get("phoneNumber") or settings.get("sipUri")):
            raise CannotBeDone("Start dialout settings are not valid")
        return DialOut(self._domain, self._room, settings).id

    def _stop_dialout(self, asked: dict[str, Any]) -> None:
        dialled = self._domain.exchange.dialled.get(asked["settings"].get("sessionId") or "")
        if dialled is None:
            raise CannotBeDone("Dialout(NoDialoutInProgress)")
        dialled.stop()

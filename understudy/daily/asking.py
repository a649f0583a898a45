"""What a client asks its room for, as `CallClient` has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Completion = Callable[..., Any] | None


class Asking:
    """The part of `CallClient` that only asks."""

    def _ask(
        self,
        what: str,
        asked: Mapping[str, Any],
        completion: Completion,
        *,
        kind: str = "RemoteParticipants",
        closed: str | None = None,
        has_value: bool = False,
    ) -> None:
        raise NotImplementedError

    def _fail(
        self, what: str, error: str, completion: Completion, *, has_value: bool = False
    ) -> None:
        raise NotImplementedError

    def eject_remote_participants(self, ids: list[str], completion: Completion = None) -> None:
        """Makes others leave."""
        self._ask("ejectRemoteParticipants", {"do": "eject", "ids": ids}, completion)

    def update_remote_participants(
        self, remote_participants: Mapping[str, Any], completion: Completion = None
    ) -> None:
        """Changes what others may do or send."""
        asked = {"do": "update_participants", "settings": dict(remote_participants)}
        self._ask("updateRemoteParticipants", asked, completion)

    def start_recording(
        self,
        streaming_settings: Mapping[str, Any] | None = None,
        stream_id: str | None = None,
        force_new: bool | None = None,
        completion: Completion = None,
    ) -> None:
        """Starts a recording, of which there is nothing to hear."""
        asked = {"do": "start_recording", "stream_id": stream_id, "settings": streaming_settings}
        self._ask("startRecording", asked, completion, kind="Recording", has_value=True)

    def stop_recording(self, stream_id: str | None = None, completion: Completion = None) -> None:
        """Ends it."""
        asked = {"do": "stop_recording", "stream_id": stream_id}
        self._ask("stopRecording", asked, completion, kind="Recording")

    def start_transcription(
        self, settings: Mapping[str, Any] | None = None, completion: Completion = None
    ) -> None:
        """Starts a transcription, in which nothing is ever written."""
        asked = {"do": "start_transcription", "settings": settings}
        self._ask("startTranscription", asked, completion, kind="Transcription")

    def stop_transcription(self, completion: Completion = None) -> None:
        """Ends it."""
        self._ask(
            "stopTranscription", {"do": "stop_transcription"}, completion, kind="Transcription"
        )

    def update_transcription(
        self,
        participants: list[str] | None = None,
        instance_id: str | None = None,
        completion: Completion = None,
    ) -> None:
        """Without effect."""
        asked = {"do": "update_transcription", "participants": participants}
        self._ask("updateTranscription", asked, completion, kind="Transcription")

    def start_dialout(self, settings: Mapping[str, Any], completion: Completion = None) -> None:
        """Calls somebody."""
        asked = {"do": "start_dialout", "settings": dict(settings)}
        self._ask("startDialout", asked, completion, kind="Dialout", has_value=True)

    def stop_dialout(
        self, participant_id: str | None = None, completion: Completion = None
    ) -> None:
        """Hangs up."""
        asked = {"do": "stop_dialout", "settings": {"sessionId": participant_id}}
        self._ask("stopDialout", asked, completion, kind="Dialout")

    def send_dtmf(self, settings: Mapping[str, Any], completion: Completion = None) -> None:
        """Presses keys in a call."""
        if "sessionId" not in settings:
            why = 'JsonApiError { message: "missing field `sessionId`" }'
            self._fail("sendDTMF", f"Send DTMF settings are not valid: {why}", completion)
            return
        asked = {"do": "send_dtmf", "settings": dict(settings)}
        self._ask("sendDTMF", asked, completion, kind="Dialout")

    def sip_call_transfer(self, settings: Mapping[str, Any], completion: Completion = None) -> None:
        """Connects a caller with somebody else."""
        asked = {"do": "sip_call_transfer", "settings": dict(settings)}
        self._ask("sipCallTransfer", asked, completion, kind="Sip")

    def sip_refer(self, settings: Mapping[str, Any], completion: Completion = None) -> None:
        """Asks the caller's side to connect them with somebody else."""
        asked = {"do": "sip_refer", "settings": dict(settings)}
        self._ask("sipRefer", asked, completion, kind="Sip")

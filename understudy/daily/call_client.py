"""Stand-ins for daily-python 0.36, under Pipecat's unchanged `DailyTransport`.

`use_stand_in()` puts them into it. Like daily-python they call back on threads of their own, and
errors are strings in its form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from understudy.daily.asking import Completion
from understudy.daily.connection import Connection, Refused, Unreachable
from understudy.daily.people import shown
from understudy.daily.sending import Sending
from understudy.daily.sources import (
    CustomAudioSource,
    CustomAudioTrack,
    CustomVideoSource,
    CustomVideoTrack,
)


class CallClient(Sending):
    """One client of a call.

    Args:
        event_handler: Its `on_...` methods are called, on a thread of the client's.
    """

    # Joining and leaving.

    def join(
        self,
        meeting_url: str,
        meeting_token: str | None = None,
        client_settings: Mapping[str, Any] | None = None,
        completion: Completion = None,
    ) -> None:
        """Joins a room; the completion takes what it is like there, or an error."""
        self._check()
        if not urlsplit(meeting_url).netloc:
            error = f"Failed to parse url: InvalidUrl({json.dumps(meeting_url)}, RelativeUrlWithoutBase)"
            self._fail("join", error, completion, has_value=True)
            return
        inputs = (client_settings or {}).get("inputs", {})
        self._engine.run(self._join(meeting_url, meeting_token, inputs, completion))

    def leave(self, completion: Completion = None) -> None:
        """Leaves."""
        self._check()
        self._engine.run(self._leave(completion))

    def release(self) -> None:
        """Ends for good; blocks until it has left."""
        if self._was_released:
            return
        self._was_released = True
        self._engine.run(self._close()).result(timeout=5)
        self._events.close()
        self._receiver.close()

    async def _join(
        self, url: str, token: str | None, inputs: Mapping[str, Any], completion: Completion
    ) -> None:
        for source, given in inputs.items():
            self._set_input(source, given)
        self._emit("on_call_state_updated", "joining")
        connection = Connection(
            on_told=self._take_told, on_media=self._receiver.take, on_lost=self._lost
        )
        hello = {"token": token, "name": self._me["userName"], "on": self._me["on"]}
        try:
            joined = await connection.open(url, hello)
        except Unreachable as error:
            self._emit("on_error", "Failed to fetch room information: GET failed: client error")
            self._not_joined(f"RoomInfoFetchFailed(Get({error}))", completion)
            return
        except Refused as error:
            self._emit("on_error", str(error))
            self._not_joined(f"RoomInfoError({json.dumps(str(error))})", completion)
            return
        self._connection = connection
        self._receiver.connect(connection)
        self._me = dict(joined["participant"])
        self._others = {other["id"]: other for other in joined["others"]}
        self._emit("on_call_state_updated", "joined")
        told = {"participants": self.participants(), "meetingSession": {"id": joined["session"]}}
        self._complete(completion, told, None)
        for other in joined["others"]:
            self._emit("on_participant_joined", shown(other, self._subscriptions))
        self._count()

    def _not_joined(self, why: str, completion: Completion) -> None:
        error = f"Connection(Api(RoomLookup({why})))"
        self._emit("on_call_state_updated", "leaving")
        self._emit("on_call_state_updated", "left")
        self._fail("join", error, completion, has_value=True)

    async def _leave(self, completion: Completion) -> None:
        self._emit("on_call_state_updated", "leaving")
        await self._close()
        self._emit("on_call_state_updated", "left")
        self._complete(completion, None)

    # What there is.

    def active_speaker(self) -> Mapping[str, Any]:
        """Who spoke last."""
        return self._speaker

    def get_network_stats(self) -> Mapping[str, Any]:
        """How good the line is."""
        return self._network

    def subscription_profiles(self) -> Mapping[str, Any]:
        """What is received unless it was said otherwise."""
        return self._subscriptions.profiles()

    def subscriptions(self) -> Mapping[str, Any]:
        """What is received of whom."""
        return self._subscriptions.as_dict()

    # What is received.

    def update_subscriptions(
        self,
        participant_settings: Mapping[str, Any] | None = None,
        profile_settings: Mapping[str, Any] | None = None,
        completion: Completion = None,
    ) -> None:
        """What is received of whom."""
        self._check()
        self._subscriptions.set_profiles(profile_settings or {})
        self._subscriptions.set_participants(participant_settings or {})
        self._emit("on_subscriptions_updated", self._subscriptions.as_dict())
        self._complete(completion, None)

    def update_subscription_profiles(
        self, profile_settings: Mapping[str, Any], completion: Completion = None
    ) -> None:
        """What is received unless it is said otherwise."""
        self._check()
        self._subscriptions.set_profiles(profile_settings)
        self._emit("on_subscription_profiles_updated", self._subscriptions.profiles())
        self._complete(completion, None)

    def set_audio_renderer(
        self,
        participant_id: str,
        callback: Callable[..., None],
        audio_source: str = "microphone",
        sample_rate: int = 16_000,
        callback_interval_ms: int = 20,
    ) -> None:
        """Gives a participant's sound to a callback, silence too, at the pace of speech."""
        self._check()
        self._receiver.hear(
            participant_id,
            audio_source,
            callback,
            sample_rate=sample_rate,
            interval_s=callback_interval_ms / 1000,
        )

    def set_video_renderer(
        self,
        participant_id: str,
        callback: Callable[..., None],
        video_source: str = "camera",
        color_format: str = "RGBA",
    ) -> None:
        """Gives a participant's pictures to a callback."""
        self._check()
        self._receiver.see(participant_id, video_source, callback, color_format)


class Daily:
    """The library's own functions."""

    @staticmethod
    def init(*_args: Any, **_kwargs: Any) -> None:
        """Nothing to do."""

    @staticmethod
    def deinit() -> None:
        """Nothing to do."""

    @staticmethod
    def set_log_level(_log_level: Any) -> None:
        """Nothing to do."""

    @staticmethod
    def create_native_vad(*args: Any, **kwargs: Any) -> Any:
        """The library's."""
        from daily import Daily as Native

        return Native.create_native_vad(*args, **kwargs)


def use_stand_in() -> None:
    """Puts the stand-ins into Pipecat's `DailyTransport`."""
    from pipecat.transports.daily import transport

    for stand_in in (
        CallClient,
        CustomAudioSource,
        CustomAudioTrack,
        CustomVideoSource,
        CustomVideoTrack,
        Daily,
    ):
        setattr(transport, stand_in.__name__, stand_in)

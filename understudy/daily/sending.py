"""What a client sends: its name, tracks and messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from understudy.daily.asking import Completion
from understudy.daily.chat import prebuilt_chat
from understudy.daily.membership import Membership
from understudy.daily.people import shown
from understudy.daily.sources import CustomAudioTrack, CustomVideoTrack, Track, track

NOT_OPEN = "AppMessage(Signalling(ChannelNotOpen))"


class Sending(Membership):
    """The part of `CallClient` that sends."""

    def set_user_name(self, user_name: str) -> None:
        """What the others see."""
        self._check()
        self._me["userName"] = user_name
        self._emit("on_participant_updated", shown(self._me, None, is_local=True))
        self._engine.soon(self._tell, {"do": "name", "name": user_name})

    def update_inputs(
        self, input_settings: Mapping[str, Any], completion: Completion = None
    ) -> None:
        """Sends tracks, or no longer."""
        self._check()
        self._engine.soon(self._update_inputs, input_settings, completion)

    def update_publishing(
        self, publishing_settings: Mapping[str, Any], completion: Completion = None
    ) -> None:
        """Without effect but for the events: what is an input is sent."""
        self._check()
        self._emit("on_publishing_updated", dict(publishing_settings))
        self._complete(completion, None)

    def add_custom_audio_track(
        self,
        track_name: str,
        audio_track: CustomAudioTrack,
        ignore_audio_level: bool | None = None,
        completion: Completion = None,
    ) -> None:
        """Sends one more track."""
        self._add_track(track_name, audio_track, completion)

    def add_custom_video_track(
        self, track_name: str, video_track: CustomVideoTrack, completion: Completion = None
    ) -> None:
        """Sends one more track."""
        self._add_track(track_name, video_track, completion)

    def remove_custom_audio_track(self, track_name: str, completion: Completion = None) -> None:
        """Sends it no longer."""
        self._remove_track(track_name, completion)

    def remove_custom_video_track(self, track_name: str, completion: Completion = None) -> None:
        """Sends it no longer."""
        self._remove_track(track_name, completion)

    def send_app_message(
        self,
        message: Any,
        participant_id: str | None = None,
        serialize_none: bool = True,
        completion: Completion = None,
    ) -> None:
        """Sends a message to all others, or to one."""
        json.dumps(message)  # what is no JSON fails where it is said
        asked = {"do": "app_message", "message": message, "to": participant_id}
        self._ask("sendAppMessage", asked, completion, closed=NOT_OPEN)

    def send_prebuilt_chat_message(
        self, message: str, user_name: str | None = None, completion: Completion = None
    ) -> None:
        """Writes into the chat of Daily Prebuilt."""
        chat = prebuilt_chat(message, user_name or self._me["userName"])
        asked = {"do": "app_message", "message": chat}
        self._ask("sendPrebuiltChatMessage", asked, completion, closed=NOT_OPEN)

    def _update_inputs(self, settings: Mapping[str, Any], completion: Completion) -> None:
        for source, given in settings.items():
            self._set_input(source, given)
        self._tell({"do": "publish", "on": self._me["on"]})
        self._complete(completion, None)

    def _set_input(self, source: str, given: Mapping[str, Any] | bool) -> None:
        settings: Mapping[str, Any] = given if isinstance(given, Mapping) else {"isEnabled": given}
        named = settings.get("settings", {}).get("customTrack", {}).get("id")
        if named is not None and (found := track(named)) is not None:
            self._plug(source, found)
        if settings.get("isEnabled", True):
            self._me["on"] = [*(s for s in self._me["on"] if s != source), source]
        else:
            self._me["on"] = [s for s in self._me["on"] if s != source]

    def _add_track(self, name: str, added: Track, completion: Completion) -> None:
        self._check()
        self._engine.soon(self._plug, name, added)
        self._engine.soon(self._update_inputs, {name: True}, completion)

    def _remove_track(self, name: str, completion: Completion) -> None:
        self._check()
        self._engine.soon(self._unplug, name)
        self._engine.soon(self._update_inputs, {name: False}, completion)

    def _plug(self, source: str, plugged: Track) -> None:
        self._unplug(source)
        self._tracks[source] = plugged
        plugged.source.sinks[f"{id(self)}/{source}"] = self._send

    def _send(self, media: Any) -> None:
        if self._connection is not None and media.source in self._me["on"]:
            self._connection.send(media)

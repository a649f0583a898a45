"""A client's place in its room: what it knows, what it is told, and how that reaches its handler."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from understudy.daily.asking import Asking, Completion
from understudy.daily.connection import LOST, Connection
from understudy.daily.engine import Caller, engine
from understudy.daily.people import Subscriptions, shown
from understudy.daily.receiver import Receiver
from understudy.daily.sources import Track

NOT_IN_A_CALL = "CallState(NotInACall)"


class Membership(Asking):
    """The part of `CallClient` that is in a room.

    Args:
        event_handler: Its `on_...` methods are called, on a thread of the client's.
    """

    def __init__(self, event_handler: Any = None) -> None:
        self._handler = event_handler
        self._engine = engine()
        self._events = Caller("daily-events")
        self._receiver = Receiver(self._engine)
        self._subscriptions = Subscriptions()
        self._me: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "userName": "",
            "isOwner": False,
            "joinedAt": int(time.time()),
            "canSend": True,
            "on": [],
        }
        self._others: dict[str, dict[str, Any]] = {}
        self._speaker: dict[str, Any] = {}
        self._tracks: dict[str, Track] = {}
        self._network: dict[str, Any] = {
            "quality": 100,
            "stats": {"latest": {}},
            "threshold": "good",
        }
        self._connection: Connection | None = None
        self._was_released = False

    def participants(self) -> dict[str, Any]:
        """Everybody: `local`, and the others by id."""
        self._check()
        others = {id: shown(other, self._subscriptions) for id, other in dict(self._others).items()}
        return {"local": shown(self._me, None, is_local=True), **others}

    def participant_counts(self) -> dict[str, int]:
        """How many are in the room."""
        self._check()
        return {"hidden": 0, "present": len(self._others) + (self._connection is not None)}

    # What its handler and completions are told.

    def _check(self) -> None:
        if self._was_released:
            raise RuntimeError("this object has already been released")

    def _emit(self, name: str, *args: Any) -> None:
        if (method := getattr(self._handler, name, None)) is not None:
            self._events.call(self._unless_released, method, *args)

    def _complete(self, completion: Completion, *args: Any) -> None:
        if completion is not None:
            self._events.call(self._unless_released, completion, *args)

    def _unless_released(self, function: Callable[..., Any], *args: Any) -> None:
        if not self._was_released:
            function(*args)

    def _fail(
        self, what: str, error: str, completion: Completion, *, has_value: bool = False
    ) -> None:
        self._complete(completion, *((None, error) if has_value else (error,)))
        self._emit("on_error", f"Error handling {what}: {error}")

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
        self._check()

        def answered(value: Any, error: str | None) -> None:
            if error is not None:
                self._fail(what, error, completion, has_value=has_value)
            else:
                self._complete(completion, *((value, None) if has_value else (None,)))

        def ask() -> None:
            if self._connection is None:
                answered(None, closed or f"{kind}({NOT_IN_A_CALL})")
            else:
                self._connection.ask(answered, **asked)

        self._engine.soon(ask)

    def _tell(self, told: Mapping[str, Any]) -> None:
        if self._connection is not None:
            self._connection.tell(**told)

    # What the room tells.

    def _count(self) -> None:
        self._emit("on_participant_counts_updated", self.participant_counts())

    def _lost(self) -> None:
        if self._connection is not None:
            self._end(LOST)

    def _end(self, why: str) -> None:
        self._emit("on_error", why)
        self._emit("on_call_state_updated", "leaving")
        self._emit("on_call_state_updated", "left")
        connection, self._connection = self._connection, None
        self._receiver.disconnect()
        self._others.clear()
        if connection is not None:
            self._ending = self._engine.loop.create_task(connection.close())

    def _take_told(self, told: Mapping[str, Any]) -> None:
        match told["event"]:
            case "participant_joined":
                other = self._others[told["participant"]["id"]] = told["participant"]
                self._emit("on_participant_joined", shown(other, self._subscriptions))
                self._count()
            case "participant_updated":
                other = self._others[told["participant"]["id"]] = told["participant"]
                self._emit("on_participant_updated", shown(other, self._subscriptions))
            case "participant_left":
                other = told["participant"]
                self._others.pop(other["id"], None)
                self._receiver.forget(other["id"])
                self._emit("on_participant_left", shown(other, self._subscriptions), told["reason"])
                self._count()
            case "active_speaker":
                other = told["participant"]
                is_me = other["id"] == self._me["id"]
                subscriptions = None if is_me else self._subscriptions
                self._speaker = shown(other, subscriptions, is_local=is_me)
                self._emit("on_active_speaker_changed", self._speaker)
            case "app_message":
                self._emit("on_app_message", told["message"], told["sender"])
            case "dialin_ready":
                self._emit("on_dialin_ready", told["sip_endpoint"])
            case "recording_started":
                self._emit("on_recording_started", told["status"])
            case "recording_stopped":
                self._emit("on_recording_stopped", told["stream_id"])
            case "transcription_started":
                self._emit("on_transcription_started", told["status"])
            case "transcription_stopped":
                self._emit("on_transcription_stopped", told["by"], told["by_error"])
            case "network_stats":
                self._network = told["stats"]
                self._emit("on_network_stats_updated", told["stats"])
            case "network_connection":
                self._emit("on_network_connection_status_updated", told["status"])
            case "ejected":
                self._end(told["why"])
            case event if "data" in told:
                self._emit(f"on_{event}", told["data"])

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        self._receiver.disconnect()
        for name in list(self._tracks):
            self._unplug(name)
        self._others.clear()
        if connection is not None:
            await connection.close()

    def _unplug(self, source: str) -> None:
        if (plugged := self._tracks.pop(source, None)) is not None:
            plugged.source.sinks.pop(f"{id(self)}/{source}", None)

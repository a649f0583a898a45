"""When something happens in a connection: the moments that faults wait for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from understudy.acts import Act
from understudy.effects import Note, Send
from understudy.messages import ClientMessage, RealtimeMedia, Setup, ToolResponse
from understudy.routes import AuthMode
from understudy.wire import OUTPUT_RATE_HZ


class Place(StrEnum):
    """A point in a connection's course."""

    CONNECT = "connect"
    """Before the upgrade is answered."""
    SETUP = "setup"
    """The client's setup has come and is not answered yet."""
    RESUME = "resume"
    """The same, and the setup brings a resumption handle."""
    AFTER_SETUP = "after-setup"
    """setupComplete has gone out."""
    USER_SPEAKING = "user-speaking"
    """The user has begun to speak."""
    TURN = "turn"
    """The first message of a model turn has gone out."""
    SPEAKING = "speaking"
    """The model speaks; a delay counts milliseconds of speech sent, not of the clock."""
    TOOL = "tool"
    """A toolCall has gone out and is not answered yet."""
    TOOL_RESPONSE = "tool-response"
    """The client's toolResponse has come, and the session has not seen it yet."""
    TURN_COMPLETE = "turn-complete"
    """turnComplete has gone out."""
    CLOCK = "clock"
    """A time since the connection began."""


PASSED_ONCE = frozenset({Place.CONNECT, Place.SETUP, Place.AFTER_SETUP, Place.CLOCK})
"""Places of a connection and not of a turn: `turn` does not choose among them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a fault strikes.

    Attributes:
        place: The point in the course of a connection.
        after_s: How much later; at `speaking`, seconds of speech.
        turn: Only in this model turn, counted from 1; None: in any.
        connection: Only in this connection, counted from 1, refused ones too; None: in any.
    """

    place: Place
    after_s: float = 0.0
    turn: int | None = None
    connection: int | None = None


class Scene:
    """What is going on in one connection, as its messages and effects show it.

    Args:
        connection: Which connection to the server this is, from 1.
        began_s: When it began.
        auth_modes: In which ways the client came in.

    Attributes:
        is_set_up: Whether setupComplete was sent.
        is_resumed: Whether the setup brought a resumption handle.
        turn: Model turns begun.
        in_turn: Whether one is under way.
        speech_s: Seconds of speech sent in it.
        user_speaks: Whether the user is speaking.
        calls: Ids of the function calls that are not answered or cancelled.
        handle: The latest resumption handle sent.
    """

    def __init__(
        self, *, connection: int, began_s: float, auth_modes: Collection[AuthMode] = ()
    ) -> None:
        self.connection = connection
        self.auth_modes = frozenset(auth_modes)
        self.began_s = began_s
        self.is_set_up = False
        self.is_resumed = False
        self.turn = 0
        self.in_turn = False
        self.speech_s = 0.0
        self.user_speaks = False
        self.calls: set[str] = set()
        self.handle: str | None = None

    @property
    def coming_turn(self) -> int:
        """The turn under way, or the next when there is none."""
        return self.turn if self.in_turn else self.turn + 1

    def holds(self, place: Place) -> bool:
        """Whether something that lasts is still so; what is but a moment always is."""
        match place:
            case Place.USER_SPEAKING:
                return self.user_speaks
            case Place.TOOL:
                return bool(self.calls)
            case _:
                return True

    def hear(self, message: ClientMessage) -> list[Place]:
        """Takes a client's message and returns the places that are reached with it."""
        match message:
            case Setup(fields):
                self.is_resumed = bool(fields.get("sessionResumption", {}).get("handle"))
                return [Place.SETUP, Place.RESUME] if self.is_resumed else [Place.SETUP]
            case ToolResponse():
                self.calls.difference_update(message.ids)
                return [Place.TOOL_RESPONSE]
            case _:
                return []

    def observe(self, effect: Act) -> list[Place]:
        """Takes what a session does and returns the places that are reached with it."""
        match effect:
            case Note("activity_start"):
                return list(self._user(True))
            case Note("activity_end"):
                return list(self._user(False))
            case Send(message):
                return list(self._sent(message))
            case _:
                return []

    def _user(self, speaks: bool) -> Iterator[Place]:
        if speaks and not self.user_speaks:
            yield Place.USER_SPEAKING
        self.user_speaks = speaks

    def _sent(self, message: Mapping[str, Any]) -> Iterator[Place]:
        if "setupComplete" in message:
            self.is_set_up = True
            yield Place.AFTER_SETUP
        if handle := message.get("sessionResumptionUpdate", {}).get("newHandle"):
            self.handle = handle
        if kind := message.get("voiceActivity", {}).get("type"):
            yield from self._user(kind == "ACTIVITY_START")
        content = message.get("serverContent", {})
        calls = message.get("toolCall", {}).get("functionCalls", ())
        if (calls or content.keys() & _SPOKEN) and not self.in_turn:
            self.in_turn, self.turn, self.speech_s = True, self.turn + 1, 0.0
            yield Place.TURN
        if "modelTurn" in content:
            self.speech_s += audio_s(message)
            yield Place.SPEAKING
        if calls:
            self.calls.update(call.get("id", "") for call in calls)
            yield Place.TOOL
        self.calls.difference_update(message.get("toolCallCancellation", {}).get("ids", ()))
        if content.get("turnComplete"):
            self.in_turn = False
            yield Place.TURN_COMPLETE


_SPOKEN = {"modelTurn", "outputTranscription"}


def audio_s(message: Mapping[str, Any]) -> float:
    """Returns the seconds of 24 kHz 16-bit audio in a server message; base64 counts as bytes."""
    parts = message.get("serverContent", {}).get("modelTurn", {}).get("parts", ())
    sizes = (
        len(data) * (0.75 if isinstance(data, str) else 1)
        for part in parts
        if (data := part.get("inlineData", {}).get("data"))
    )
    return sum(sizes) / 2 / OUTPUT_RATE_HZ


def is_video(message: ClientMessage) -> bool:
    """Whether a client's message is a picture of a camera or screen."""
    return isinstance(message, RealtimeMedia) and message.blob.mime_type.startswith("image/")

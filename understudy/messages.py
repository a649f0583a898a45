"""What a client can say, after parsing: one small frozen class for each thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with their MIME type, as sent inline."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of a conversation (`Content` on the wire).

    Attributes:
        role: `user`, `model`, or whatever else the client wrote; None when absent.
        text: The text parts, joined.
        blobs: The inline parts, in order.
        has_function_part: Whether a functionCall or functionResponse part is among them.
    """

    role: str | None
    text: str
    blobs: tuple[Blob, ...] = ()
    has_function_part: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message. `fields` has been checked against the schema."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClientContent:
    """Turns for the conversation; the model answers when `turn_complete`."""

    turns: tuple[Turn, ...]
    turn_complete: bool


@dataclass(frozen=True, slots=True)
class RealtimeMedia:
    """Audio or a video frame in real time.

    Attributes:
        field: The wire's field that carried it: `audio`, `video` or `mediaChunks`.
        blob: 16-bit mono little-endian PCM, or a JPEG, PNG or WebP picture.
    """

    field: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class RealtimeText:
    """Text typed in real time."""

    text: str


@dataclass(frozen=True, slots=True)
class ActivityStart:
    """The client's own detector says that the user starts to speak."""


@dataclass(frozen=True, slots=True)
class ActivityEnd:
    """The client's own detector says that the user has finished."""


@dataclass(frozen=True, slots=True)
class AudioStreamEnd:
    """The microphone was switched off: what was heard so far is all there is."""


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What one function call returned (`FunctionResponse` on the wire).

    Attributes:
        id: The call's id; "" when the client left it out.
        name: The function's name as the client wrote it.
        response: What it returned.
        scheduling: `INTERRUPT`, `WHEN_IDLE`, `SILENT`, or "".
        will_continue: Whether more results of the same call follow.
    """

    id: str
    name: str = ""
    response: Mapping[str, Any] = field(default_factory=dict)
    scheduling: str = ""
    will_continue: bool = False


@dataclass(frozen=True, slots=True)
class ToolResponse:
    """Results of function calls."""

    results: tuple[FunctionResult, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the calls they belong to."""
        return tuple(result.id for result in self.results)


@dataclass(frozen=True, slots=True)
class ContextUpdate:
    """A new system instruction or tool list for the running session."""

    fields: Mapping[str, Any]


RealtimeInput = RealtimeMedia | RealtimeText | ActivityStart | ActivityEnd | AudioStreamEnd
ClientMessage = Setup | ClientContent | RealtimeInput | ToolResponse | ContextUpdate

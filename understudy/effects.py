"""What a session asks of the shell around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.facts import Seen, Unreadable


@dataclass(frozen=True, slots=True)
class Voice:
    """How something is to be said.

    Attributes:
        name: The Live API's voice name, such as `Puck`; "" for the default.
        language: BCP-47 code, such as `en-US`; "" for the default.
    """

    name: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Speak:
    """Work: turn text into speech. The result is 24 kHz 16-bit mono PCM (`bytes`)."""

    text: str
    voice: Voice


@dataclass(frozen=True, slots=True)
class Look:
    """Work: decode a picture and describe it. The result is `Seen` or `Unreadable`."""

    data: bytes = field(repr=False)


Job = Speak | Look


@dataclass(frozen=True, slots=True)
class Failed:
    """The result of work that could not be done: a fault of the understudy, not the client."""

    why: str


Result = bytes | Seen | Unreadable | Failed


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message to the client now."""

    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection; nothing follows."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Work:
    """Do this off the event loop and hand the result back under the same ticket."""

    ticket: int
    job: Job


@dataclass(frozen=True, slots=True)
class Note:
    """Record this event."""

    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)


Effect = Send | Close | Work | Note


class Outbox:
    """Collects effects in order while a message is being dealt with."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []
        self._tickets = 0

    def send(self, message: Mapping[str, Any]) -> None:
        """Adds a message to the client."""
        self._effects.append(Send(message))

    def note(self, event: str, **fields: object) -> None:
        """Adds an event to record."""
        self._effects.append(Note(event, fields))

    def work(self, job: Job) -> int:
        """Adds work and returns its ticket."""
        self._tickets += 1
        self._effects.append(Work(self._tickets, job))
        return self._tickets

    def close(self, code: int, reason: str) -> None:
        """Adds the end of the connection."""
        self._effects.append(Close(code, reason))

    def drain(self) -> list[Effect]:
        """Returns what was collected, and forgets it."""
        effects, self._effects = self._effects, []
        return effects

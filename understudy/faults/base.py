"""What every fault is, and what several of them do alike."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from understudy.acts import Later, Outgoing
from understudy.effects import Close, Send
from understudy.errors import INVALID_ARGUMENT, truncate_reason
from understudy.messages import ClientMessage, RealtimeMedia, Setup
from understudy.moments import Moment, Place, Scene
from understudy.wire import duration

Answer = Iterable[Outgoing | Later]


@dataclass(kw_only=True)
class Fault:
    """One thing that goes wrong.

    A subclass is a dataclass in a file of its own, whose name is the fault's. The first line of
    its docstring says what happens; its fields are the parameters. What an instance is given as
    parameters, and containers made in `__post_init__`, is shared by all connections; everything
    else, made in `begin`, belongs to one.

    Attributes:
        imitates: Where this was seen: an issue, a pull request or a forum thread.
        moment: When it strikes unless told otherwise.
    """

    imitates: ClassVar[str]
    moment: ClassVar[Moment] = Moment(Place.CONNECT)

    def for_connection(self) -> Fault:
        """Returns a copy that a connection can keep its state in."""
        fault = copy.copy(self)
        fault.begin()
        return fault

    def begin(self) -> None:
        """Makes what belongs to one connection."""

    def refuse(self) -> tuple[HTTPStatus, str] | None:
        """Returns the HTTP answer that replaces the upgrade, or None to let it go on."""
        return None

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Says what goes out when its moment comes. From then on it hears and sends."""
        return ()

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Says what becomes of a client's message: messages go to the session, acts out."""
        return (message,)

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Says what becomes of what was to go out at `now_s`."""
        return (act,)


@dataclass(kw_only=True)
class Refusal(Fault):
    """Answers the upgrade with an HTTP status."""

    status: ClassVar[HTTPStatus]
    body: str = ""

    def refuse(self) -> tuple[HTTPStatus, str]:
        """Returns the status with a line of text."""
        return self.status, self.body + "\n"


@dataclass(kw_only=True)
class Ending(Fault):
    """Can close the connection with a code and a reason; a subclass says when."""

    code: int
    reason: str

    def close(self) -> Close:
        """Returns the end of the connection; a reason is cut to what a close frame holds."""
        return Close(self.code, truncate_reason(self.reason))


@dataclass(kw_only=True)
class Closing(Ending):
    """Closes the connection when its moment comes."""

    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Closes."""
        return (self.close(),)


@dataclass(kw_only=True)
class GoingAway(Closing):
    """Announces the end of the connection, and closes it when the time left is over."""

    moment = Moment(Place.CLOCK, after_s=540.0)
    left_s: float = 50.0

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Announces the end and plans it."""
        going = Send({"goAway": {"timeLeft": duration(self.left_s)}})
        return (going, Later(self.left_s, self.close()))


@dataclass(kw_only=True)
class Rejecting(Ending):
    """Closes the connection instead of taking some message; a subclass says which."""

    def rejects(self, message: ClientMessage, scene: Scene, now_s: float) -> bool:
        """Whether this is one of them."""
        raise NotImplementedError

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Closes."""
        return (self.close(),) if self.rejects(message, scene, now_s) else (message,)


@dataclass(kw_only=True)
class ResumeRefusing(Ending):
    """Refuses handles that were handed out before something happened; a subclass says what."""

    code: int = 1007
    reason: str = INVALID_ARGUMENT

    def __post_init__(self) -> None:
        self.refused: set[str] = set()

    def begin(self) -> None:
        """Starts a connection that has given no handles yet and is not spoilt."""
        self.given: set[str] = set()
        self.is_spoilt = False

    def spoil(self) -> None:
        """Makes this connection's handles useless, the present and the coming ones."""
        self.is_spoilt = True
        self.refused |= self.given

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Closes when the setup brings a refused handle."""
        if isinstance(message, Setup) and handle_of(message) in self.refused:
            return (self.close(),)
        return (message,)

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Remembers the handles that go out."""
        if isinstance(act, Send):
            if handle := act.message.get("sessionResumptionUpdate", {}).get("newHandle"):
                (self.refused if self.is_spoilt else self.given).add(handle)
        return (act,)


# Reading and changing messages


def handle_of(setup: Setup) -> str | None:
    """Returns the resumption handle of a setup."""
    return setup.fields.get("sessionResumption", {}).get("handle") or None


def is_audio_in(message: ClientMessage) -> bool:
    """Whether a client's message is a piece of sound."""
    return isinstance(message, RealtimeMedia) and message.blob.mime_type.startswith("audio/")


def content_of(act: Outgoing) -> Mapping[str, Any]:
    """Returns the serverContent of what goes out; empty when it has none."""
    return act.message.get("serverContent", {}) if isinstance(act, Send) else {}


def with_content(act: Send, content: Mapping[str, Any]) -> Send:
    """Returns the message with another serverContent."""
    return Send({**act.message, "serverContent": content})


def without(act: Send, *fields: str) -> Send | None:
    """Returns a message without some fields of serverContent, or None if nothing is left."""
    content = {name: value for name, value in content_of(act).items() if name not in fields}
    if content or len(act.message) > 1:
        return with_content(act, content)
    return None


def audio_of(act: Outgoing) -> bytes:
    """Returns the audio in what goes out; empty when it has none."""
    return b"".join(map(_data, _blobs(act)))


def _blobs(act: Outgoing) -> Iterator[Mapping[str, Any]]:
    for part in content_of(act).get("modelTurn", {}).get("parts", ()):
        if str(part.get("inlineData", {}).get("mimeType", "")).startswith("audio/"):
            yield part["inlineData"]


def _data(blob: Mapping[str, Any]) -> bytes:
    data = blob.get("data", b"")
    return base64.b64decode(data) if isinstance(data, str) else data


def with_audio(act: Send, audio: bytes, *, mime_type: str = "audio/pcm;rate=24000") -> Send:
    """Returns a message with other audio, in one part."""
    blob = {"mimeType": mime_type, "data": audio}
    turn = {"parts": [{"inlineData": blob}], "role": "model"}
    return with_content(act, {**content_of(act), "modelTurn": turn})

"""The messages of each service's media streams, as its documentation has them. Pure.

Twilio: "Media Streams - WebSocket Messages". Telnyx: "Stream call media over WebSocket". Plivo:
"Audio Streaming Reference".
"""

import base64
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the server has sent.

    Parameters:
        kind: `media`, `mark`, `clear`; anything else is a fault.
        sound: Mu-law.
        name: Of a mark.
    """

    kind: str
    sound: bytes = b""
    name: str = ""


class Protocol(ABC):
    """One stream.

    Args:
        account: The account's name.
        call_id: The call's.
        stream_id: The stream's own.
    """

    def __init__(self, *, account: str, call_id: str, stream_id: str):
        self.account, self.call_id, self.stream_id = account, call_id, stream_id
        self._sequence = 0
        self._chunk = 0
        self._began_s = time.monotonic()

    @abstractmethod
    def opening(self) -> list[Message]:
        """What is sent before any sound."""

    @abstractmethod
    def media(self, sound: bytes) -> Message:
        """20 ms of the caller."""

    @abstractmethod
    def dtmf(self, digit: str) -> Message:
        """The caller pressed a key."""

    @abstractmethod
    def played(self, name: str) -> Message:
        """A mark was reached, or cleared."""

    def cleared(self) -> Message | None:
        """All was thrown away; None: of that nothing is told."""
        return None

    @abstractmethod
    def stop(self) -> Message:
        """The stream is over."""

    @abstractmethod
    def read(self, message: Message) -> Sent:
        """What the server sent.

        Raises:
            KeyError: Or another `LookupError`, `TypeError` or `ValueError`, when it is wrong.
        """

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _next_chunk(self) -> int:
        self._chunk += 1
        return self._chunk

    def _ms(self) -> int:
        return round((time.monotonic() - self._began_s) * 1000)


class Twilio(Protocol):
    """Twilio's Media Streams, both ways."""

    def opening(self) -> list[Message]:
        """`connected` and `start`."""
        start = {
            "accountSid": self.account,
            "streamSid": self.stream_id,
            "callSid": self.call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        connected = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        return [connected, self._message("start", start=start)]

    def media(self, sound: bytes) -> Message:
        """20 ms of the caller."""
        media = {
            "track": "inbound",
            "chunk": str(self._next_chunk()),
            "timestamp": str(self._ms()),
            "payload": base64.b64encode(sound).decode(),
        }
        return self._message("media", media=media)

    def dtmf(self, digit: str) -> Message:
        """The caller pressed a key."""
        return self._message("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def played(self, name: str) -> Message:
        """A mark was reached, or cleared."""
        return self._message("mark", mark={"name": name})

    def stop(self) -> Message:
        """The stream is over."""
        return self._message("stop", stop={"accountSid": self.account, "callSid": self.call_id})

    def read(self, message: Message) -> Sent:
        """What the server sent."""
        if message["streamSid"] != self.stream_id:
            raise ValueError("another stream")
        return _read(message)

    def _message(self, event: str, **what: Any) -> Message:
        head = {"event": event, "sequenceNumber": str(self._next())}
        return {**head, **what, "streamSid": self.stream_id}


class Telnyx(Protocol):
    """Telnyx' media streaming with `bidirectionalMode="rtp"`."""

    def opening(self) -> list[Message]:
        """`connected` and `start`."""
        start = {
            "user_id": self.account,
            "call_control_id": self.call_id,
            "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
            "from": "",
            "to": "",
            "tags": [],
            "custom_parameters": {},
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        return [{"event": "connected", "version": "1.0.0"}, self._message("start", start=start)]

    def media(self, sound: bytes) -> Message:
        """20 ms of the caller."""
        media = {
            "track": "inbound",
            "chunk": str(self._next_chunk()),
            "timestamp": str(self._ms()),
            "payload": base64.b64encode(sound).decode(),
        }
        return self._message("media", media=media)

    def dtmf(self, digit: str) -> Message:
        """The caller pressed a key."""
        return self._message("dtmf", dtmf={"digit": digit})

    def played(self, name: str) -> Message:
        """A mark was reached, or cleared."""
        return self._message("mark", mark={"name": name})

    def stop(self) -> Message:
        """The stream is over."""
        stop = {"user_id": self.account, "call_control_id": self.call_id}
        return self._message("stop", stop=stop)

    def read(self, message: Message) -> Sent:
        """What the server sent."""
        return _read(message)

    def _message(self, event: str, **what: Any) -> Message:
        head = {"event": event, "sequence_number": str(self._next())}
        return {**head, **what, "stream_id": self.stream_id}


class Plivo(Protocol):
    """Plivo's audio streaming with `bidirectional="true"`."""

    def opening(self) -> list[Message]:
        """`start`."""
        start = {
            "callId": self.call_id,
            "streamId": self.stream_id,
            "accountId": self.account,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
        }
        sequence = self._next()
        return [{"event": "start", "sequenceNumber": sequence, "start": start, **_NO_HEADERS}]

    def media(self, sound: bytes) -> Message:
        """20 ms of the caller."""
        media = {
            "track": "inbound",
            "timestamp": str(round(time.time() * 1000)),
            "chunk": self._next_chunk(),
            "payload": base64.b64encode(sound).decode(),
        }
        return self._message("media", media=media, **_NO_HEADERS)

    def dtmf(self, digit: str) -> Message:
        """The caller pressed a key."""
        dtmf = {"track": "inbound", "digit": digit, "timestamp": str(round(time.time() * 1000))}
        return self._message("dtmf", dtmf=dtmf, **_NO_HEADERS)

    def played(self, name: str) -> Message:
        """A checkpoint was reached."""
        return self._message("playedStream", name=name)

    def cleared(self) -> Message:
        """All was thrown away."""
        return self._message("clearedAudio")

    def stop(self) -> Message:
        """The stream is over."""
        return self._message("stop")

    def read(self, message: Message) -> Sent:
        """What the server sent."""
        match message["event"]:
            case "playAudio":
                media = message["media"]
                if (media["contentType"], media["sampleRate"]) != ("audio/x-mulaw", 8000):
                    raise ValueError("another kind of sound")
                return Sent(kind="media", sound=_sound(media))
            case "checkpoint":
                self._check(message)
                return Sent(kind="mark", name=message["name"])
            case "clearAudio":
                self._check(message)
                return Sent(kind="clear")
        raise ValueError("no such event")

    def _check(self, message: Message) -> None:
        if message["streamId"] != self.stream_id:
            raise ValueError("another stream")

    def _message(self, event: str, **what: Any) -> Message:
        head = {"event": event, "sequenceNumber": self._next(), "streamId": self.stream_id}
        return {**head, **what}


_NO_HEADERS = {"extra_headers": "{}"}
PROTOCOLS: dict[str, type[Protocol]] = {"twilio": Twilio, "telnyx": Telnyx, "plivo": Plivo}


def _read(message: Message) -> Sent:
    match message["event"]:
        case "media":
            return Sent(kind="media", sound=_sound(message["media"]))
        case "mark":
            return Sent(kind="mark", name=message["mark"]["name"])
        case "clear":
            return Sent(kind="clear")
    raise ValueError("no such event")


def _sound(media: Message) -> bytes:
    return base64.b64decode(media["payload"], validate=True)

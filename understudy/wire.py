"""Bytes to messages and back: the JSON the Live API speaks in WebSocket frames."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from understudy.errors import ProtocolError, invalid
from understudy.messages import (
    ActivityEnd,
    ActivityStart,
    AudioStreamEnd,
    Blob,
    ClientContent,
    ClientMessage,
    ContextUpdate,
    FunctionResult,
    RealtimeMedia,
    RealtimeText,
    Setup,
    ToolResponse,
    Turn,
)
from understudy.schema import normalise

OUTPUT_RATE_HZ = 24_000
OUTPUT_MIME_TYPE = f"audio/pcm;rate={OUTPUT_RATE_HZ}"
"""Pipecat 1.14 drops model audio whose MIME type is not exactly this."""

DEFAULT_INPUT_RATE_HZ = 16_000
INPUT_RATES_HZ = range(4_000, 192_001)


def parse(frame: str | bytes) -> tuple[ClientMessage, ...]:
    """Reads one WebSocket message of a client.

    Args:
        frame: The message as it came, text or binary.

    Returns:
        What it says, in order. Usually one message; a realtimeInput may carry several.

    Raises:
        ProtocolError: 1007. No input raises anything else.
    """
    fields = normalise("Client", _loads(frame))
    if len(fields) != 1:
        raise _not_one_of(list(fields))
    ((name, body),) = fields.items()
    return tuple(_READERS[name](body))


def _loads(frame: str | bytes) -> object:
    try:
        return orjson.loads(frame)
    except ValueError:
        pass  # of half an emoji, perhaps, which some clients send and the standard library takes
    try:
        return json.loads(frame)
    except (ValueError, RecursionError):
        # ValueError covers JSONDecodeError, UnicodeDecodeError and integers of over 4300 digits.
        raise invalid("Invalid JSON payload received. Unexpected token.") from None


def _not_one_of(names: list[str]) -> ProtocolError:
    if not names:
        return invalid()
    return invalid(
        f"Invalid value (oneof), oneof field 'message_type' is already set. Cannot set '{names[1]}'"
    )


def _client_content(body: dict[str, Any]) -> Iterator[ClientMessage]:
    turns = tuple(map(read_turn, body.get("turns", ())))
    yield ClientContent(turns, body.get("turnComplete", False))


def read_turn(content: Mapping[str, Any]) -> Turn:
    """Reads a normalised `Content`; thought parts are not part of what was said."""
    parts = [part for part in content.get("parts", ()) if not part.get("thought")]
    return Turn(
        role=content.get("role"),
        text=" ".join(text for part in parts if (text := part.get("text"))),
        blobs=tuple(_blob(part["inlineData"]) for part in parts if "inlineData" in part),
        has_function_part=any("functionCall" in p or "functionResponse" in p for p in parts),
    )


def _realtime_input(body: dict[str, Any]) -> Iterator[ClientMessage]:
    if "activityStart" in body:
        yield ActivityStart()
    for field in ("audio", "video"):
        if field in body:
            yield RealtimeMedia(field, _blob(body[field]))
    for chunk in body.get("mediaChunks", ()):
        yield RealtimeMedia("mediaChunks", _blob(chunk))
    if "text" in body:
        yield RealtimeText(body["text"])
    if "activityEnd" in body:
        yield ActivityEnd()
    if body.get("audioStreamEnd"):
        yield AudioStreamEnd()


def _blob(fields: Mapping[str, Any]) -> Blob:
    return Blob(fields.get("data", b""), fields.get("mimeType", "").strip().lower())


def _tool_response(body: dict[str, Any]) -> Iterator[ClientMessage]:
    yield ToolResponse(
        tuple(
            FunctionResult(
                result.get("id", ""),
                result.get("name", ""),
                result.get("response", {}),
                result.get("scheduling", ""),
                result.get("willContinue", False),
            )
            for result in body.get("functionResponses", ())
        )
    )


def _setup(body: dict[str, Any]) -> Iterator[ClientMessage]:
    yield Setup(body)


def _context_update(body: dict[str, Any]) -> Iterator[ClientMessage]:
    yield ContextUpdate(body)


_READERS: dict[str, Callable[[dict[str, Any]], Iterator[ClientMessage]]] = {
    "setup": _setup,
    "clientContent": _client_content,
    "realtimeInput": _realtime_input,
    "toolResponse": _tool_response,
    "contextUpdate": _context_update,
}


def audio_rate_hz(mime_type: str) -> int:
    """Reads the sample rate from an audio MIME type.

    Args:
        mime_type: Such as `audio/pcm;rate=16000`; without a rate, 16 kHz is meant.

    Raises:
        ProtocolError: 1007 when it is not PCM or the rate makes no sense.
    """
    kind, *parameters = (piece.strip() for piece in mime_type.split(";"))
    if kind not in ("audio/pcm", "audio/l16"):
        raise invalid()
    for parameter in parameters:
        if match := re.fullmatch(r"rate\s*=\s*([0-9]{1,6})", parameter):
            if (rate := int(match[1])) in INPUT_RATES_HZ:
                return rate
            raise invalid()
    return DEFAULT_INPUT_RATE_HZ


def encode(message: Mapping[str, Any]) -> bytes:
    """Writes a server message as the real service does.

    Recorded from the real service: binary frames holding UTF-8 JSON, indented by two spaces,
    audio in the standard base64 alphabet.

    Args:
        message: The message; `bytes` anywhere in it become base64.
    """
    return orjson.dumps(message, default=_base64, option=orjson.OPT_INDENT_2)


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no place in a server message")


def duration(seconds: float) -> str:
    """Writes a proto Duration: `5s`, `1.880s` (0 or 3 decimals, as recorded)."""
    thousandths = round(seconds * 1000)
    if thousandths % 1000:
        return f"{thousandths / 1000:.3f}s"
    return f"{thousandths // 1000}s"

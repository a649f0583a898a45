"""What streams say first: only the one that was announced becomes a conversation's."""

import asyncio
import json
import random
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest
from fastapi import WebSocket

from pipeline.phone import stream_transport
from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.line import StreamError
from pipeline.phone.stream_transport import open_stream
from tests.access.support import settings
from understudy.streams.protocols import PROTOCOLS

CALL_ID = "call-1"
VALUES = [None, True, 0, -1, 1.5, "", "start", "x" * 5000, [], {}, [[]], {"start": {}}, "é\u2028"]


class Line:
    """A WebSocket as an ASGI server has it."""

    def __init__(self, messages: Sequence[str | bytes], *, is_over: bool = True):
        self.messages = list(messages)
        self.is_over = is_over
        self.closed: tuple[int, str] | None = None

    async def open(self) -> WebSocket:
        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
        websocket = WebSocket(scope, self._receive, self._send)
        await websocket.accept()
        return websocket

    async def _receive(self) -> dict[str, Any]:
        if not hasattr(self, "_is_asked"):
            self._is_asked = True
            return {"type": "websocket.connect"}
        if self.messages:
            message = self.messages.pop(0)
            kind = "text" if isinstance(message, str) else "bytes"
            return {"type": "websocket.receive", kind: message}
        if not self.is_over:
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.closed = message["code"], message["reason"]


def opening(provider: str, call_id: str = CALL_ID) -> list[dict[str, Any]]:
    protocol = PROTOCOLS[provider](account="AC1", call_id=call_id, stream_id="MZ1")
    return [*protocol.opening(), protocol.media(b"\xff" * 160)][:2]


async def begun(line: Line, provider: str = "twilio"):
    call = PhoneCall(provider=Provider(provider), call_id=CALL_ID)
    return await open_stream(await line.open(), call, settings())


@pytest.mark.parametrize("provider", PROTOCOLS)
async def test_the_stream_that_was_announced_is_taken(provider):
    line = Line([json.dumps(one) for one in opening(provider)])
    transport = await begun(line, provider)
    assert transport.line and line.closed is None


@pytest.mark.parametrize("provider", PROTOCOLS)
async def test_the_stream_of_another_call_is_not(provider):
    line = Line([json.dumps(one) for one in opening(provider, "call-2")])
    with pytest.raises(StreamError, match="not of the call that was announced"):
        await begun(line, provider)
    assert line.closed == (1008, "The stream is not of the call that was announced.")


@pytest.mark.parametrize("provider", PROTOCOLS)
async def test_the_stream_of_another_service_is_not(provider):
    other = next(name for name in PROTOCOLS if name != provider)
    line = Line([json.dumps(one) for one in opening(other)])
    with pytest.raises(StreamError, match=f"not one of {provider.title()}'s"):
        await begun(line, provider)


async def test_telnyx_is_understood_in_two_codecs():
    connected, start = opening("telnyx")
    start["start"]["media_format"]["encoding"] = "OPUS"
    with pytest.raises(StreamError, match="codec must be one of: PCMU, PCMA"):
        await begun(Line([json.dumps(connected), json.dumps(start)]), "telnyx")


async def test_a_stream_that_says_nothing_is_closed_in_time(monkeypatch):
    monkeypatch.setattr(stream_transport, "START_S", 0.05)
    line = Line([], is_over=False)
    with pytest.raises(StreamError, match="did not say within"):
        await begun(line)
    assert line.closed


async def test_a_thousand_wrong_beginnings_end_in_a_sentence():
    random.seed(8)
    for number in range(1000):
        line = Line(_wrong(number))
        with pytest.raises(StreamError) as error:
            await begun(line, random.choice([*PROTOCOLS]))
        assert str(error.value).endswith(".") and "\n" not in str(error.value)


def _wrong(number: int) -> list[str | bytes]:
    """Two messages like those of a stream, with something wrong in them."""
    messages = opening(random.choice([*PROTOCOLS]))
    match number % 5:
        case 0:  # a value of another kind
            _spoil(random.choice(messages), everywhere=True)
        case 1:  # cut off
            text = json.dumps(messages[-1])
            return [json.dumps(messages[0])[:9], text[: random.randrange(len(text))]]
        case 2:  # bytes
            return [random.randbytes(random.randrange(50)) for _ in range(random.randrange(3))]
        case 3:  # no object
            return [json.dumps(random.choice(VALUES)) for _ in range(2)]
        case _:  # nested without an end
            return ["[" * random.randrange(1, 100_000), "{}"]
    for message in messages:
        if "start" in message:
            message["start"] = random.choice([*VALUES, {"streamSid": 1, "callSid": []}])
    return [json.dumps(message) for message in messages]


def _spoil(message: dict[str, Any], *, everywhere: bool) -> None:
    for key in list(message):
        if everywhere or random.random() < 0.5:
            message[key] = message[key] if key == "event" else random.choice(VALUES)

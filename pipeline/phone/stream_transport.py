"""The sound of a telephone call by a media stream of Twilio, Telnyx or Plivo.

The protocols are Pipecat's serializers'. Pipecat 1.14's output sends twice as fast as it is played,
so that half of a long announcement would be ahead of the caller, and would be lost with the call
when it is hung up after it.
"""

import asyncio
import math
import time

from fastapi import WebSocket
from pipecat.frames.frames import CancelFrame, EndFrame, Frame, InterruptionFrame
from pipecat.frames.frames import OutputAudioRawFrame as Sound
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.serializers.plivo import PlivoFrameSerializer
from pipecat.serializers.telnyx import TelnyxFrameSerializer
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketOutputTransport,
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)

from pipeline.lead import AHEAD_S
from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.line import StreamError
from pipeline.phone.stream_lines import StreamLine, stream_line
from pipeline.settings import Settings
from pipeline.transports import AUDIO

START_S = 10.0
"""How long a stream may take to say what it is."""
TAIL_S = 0.2
"""How long after all was played, by the clock, a call is hung up: it is heard later than it is sent."""
CODECS = ("PCMU", "PCMA")


async def open_stream(
    websocket: WebSocket, call: PhoneCall, settings: Settings
) -> "StreamTransport":
    """Make a transport of the stream of a call, once it has said what it is.

    Raises:
        StreamError: When it is not what was announced, or says nothing.
    """
    try:
        return StreamTransport(websocket, await _serializer(websocket, call), call, settings)
    except StreamError as error:
        await websocket.close(1008, str(error)[:120])
        raise


class StreamTransport(FastAPIWebsocketTransport):
    """A call's sound, both ways.

    Attributes:
        line: What else can be done with the call.
    """

    def __init__(
        self, websocket: WebSocket, serializer: FrameSerializer, call: PhoneCall, settings: Settings
    ):
        params = FastAPIWebsocketParams(**AUDIO, serializer=serializer)
        super().__init__(websocket, params)
        self._output = StreamOutput(self, self._client, params)
        self.line: StreamLine = stream_line(call, settings, output=self._output)


class StreamOutput(FastAPIWebsocketOutputTransport):
    """Sends sound when it is about to be played, and hangs up when all of it was."""

    _transport: StreamTransport
    _played_s = -math.inf

    async def write_audio_frame(self, frame: Sound) -> bool:
        """Send a piece, and wait until there is room for the next."""
        if not await self._write_frame(frame):
            return False
        now_s = time.monotonic()
        seconds = len(frame.audio) / 2 / frame.num_channels / frame.sample_rate
        self._played_s = max(self._played_s, now_s) + seconds
        await asyncio.sleep(self._played_s - AHEAD_S - now_s)
        return True

    async def stop(self, frame: EndFrame):
        """Hang up once all was heard."""
        await self._hang_up_after(super().stop(frame))

    async def cancel(self, frame: CancelFrame):
        """Hang up."""
        await self._hang_up_after(super().cancel(frame))

    async def _hang_up_after(self, ending):
        is_there = self._client.is_connected and not self._client.is_closing
        await ending
        if is_there:
            await self._transport.line.hang_up()

    async def _write_frame(self, frame: Frame) -> bool:
        if isinstance(frame, EndFrame) and self._client.is_connected:
            await asyncio.sleep(max(0.0, self._played_s - time.monotonic()) + TAIL_S)
        elif isinstance(frame, InterruptionFrame):
            self._played_s = -math.inf
        return await super()._write_frame(frame)


async def _serializer(websocket: WebSocket, call: PhoneCall) -> FrameSerializer:
    try:
        async with asyncio.timeout(START_S):
            provider, told = await parse_telephony_websocket(websocket)
    except TimeoutError:
        raise StreamError(f"The stream did not say within {START_S:.0f} s what it is.") from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # Pipecat 1.14 takes the first messages for what they ought to be.
        raise StreamError("The stream does not say what it is.") from None
    if provider != call.provider or not told.stream_id:
        raise StreamError(f"The stream is not one of {call.provider.title()}'s.")
    if told.call_id != call.call_id:
        raise StreamError("The stream is not of the call that was announced.")
    # The line hangs up: of these only Twilio's could be told where, and none tries again.
    match call.provider:
        case Provider.TWILIO:
            params = TwilioFrameSerializer.InputParams(auto_hang_up=False)
            return TwilioFrameSerializer(told.stream_id, params=params)
        case Provider.PLIVO:
            params = PlivoFrameSerializer.InputParams(auto_hang_up=False)
            return PlivoFrameSerializer(told.stream_id, params=params)
        case _:
            codec = told.get("outbound_encoding")
            if codec not in CODECS:
                raise StreamError(f"The stream's codec must be one of: {', '.join(CODECS)}.")
            return TelnyxFrameSerializer(
                told.stream_id,
                outbound_encoding=codec,
                inbound_encoding="PCMU",  # what is sent back is so unless the TeXML says otherwise
                params=TelnyxFrameSerializer.InputParams(auto_hang_up=False),
            )

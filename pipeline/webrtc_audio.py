"""Sound over WebRTC, in and out, without what aiortc 1.16.0 and Pipecat 1.14.0 make it wait for.

In: aiortc's receiver holds each packet for 80 ms (see `jitter_buffer`), has a thread decode it to
48 kHz stereo, and Pipecat resamples that on the loop. Out: Pipecat hands over 10 ms at a time, and
aiortc has the shared threads resample it to 48 kHz stereo and encode it, silence too. Here both
happen at once and in place, at the rates of the Live API.
"""

import asyncio
import contextlib
import math
from collections import deque

from aiortc.codecs import CODECS
from aiortc.codecs.opus import SAMPLE_RATE, SAMPLES_PER_FRAME, TIME_BASE
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtpPacket
from av import Packet
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    StartFrame,
)
from pipecat.processors.frame_processor import FrameCallback, FrameDirection
from pipecat.transports.smallwebrtc import transport
from pipecat.transports.smallwebrtc.transport import (
    SmallWebRTCInputTransport,
    SmallWebRTCOutputTransport,
)
from pipecat.utils.frame_queue import FrameQueue

from pipeline.jitter_buffer import JitterBuffer, Turn
from pipeline.opus import FRAME_S, OpusDecoder, OpusEncoder

IN_RATE_HZ = 16_000
ROOM = 3
"""How many pieces wait to be sent, of 20 ms each, before who writes them has to wait."""
LATE_S = 0.01
"""For how long the next packet of speech is waited for before silence goes out in its place."""
SILENCE_S = 0.4
"""How often silence is said that goes on: as often as Opus does it with DTX (RFC 6716, 2.1.9)."""
SETTLED = 10
"""Packets of silence after which encoding more would change nothing: the last one goes out again.

The byte that stands for silence in Opus DTX would not do: the decoder fades by itself, the encoder
does not know, and for 200 ms speech would be a third as loud as it is."""

READ_S = 2.0
"""How long a frame is waited for, as in Pipecat 1.14.0."""
_RETRY_S = 0.01
_BY_ITSELF = (StartFrame, EndFrame, CancelFrame)


class AudioIn:
    """In the place of an audio receiver's jitter buffer: puts packets in order and decodes them.

    Args:
        frames: Where the frames go; its reader is the receiver's track.
    """

    def __init__(self, frames: asyncio.Queue) -> None:
        self._frames = frames
        self._buffer = JitterBuffer()
        self._decoder = OpusDecoder(IN_RATE_HZ)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._samples = 0

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """A packet came. The receiver gets no frame: it would only hand it to a thread."""
        self._hand_over(self._buffer.put(packet, self._loop.time()))
        return False, None

    def close(self) -> None:
        """Let go of what still waits."""
        if self._timer:
            self._timer.cancel()

    def _hand_over(self, turns: list[Turn]) -> None:
        for packet, lost in turns:
            payload: bytes = packet._data  # pyright: ignore
            for missing in range(lost, 0, -1):
                self._put(self._decoder.conceal(payload if missing == 1 else None))
            self._put(self._decoder.decode(payload))
        self.close()
        due_s = self._buffer.due_s(self._loop.time())
        if due_s < math.inf:
            self._timer = self._loop.call_at(due_s, self._time_is_up)

    def _time_is_up(self) -> None:
        self._hand_over(self._buffer.due(self._loop.time()))

    def _put(self, pcm: bytes) -> None:
        frame = InputAudioRawFrame(audio=pcm, sample_rate=IN_RATE_HZ, num_channels=1)
        frame.pts = self._samples
        self._samples += frame.num_frames
        self._frames.put_nowait(frame)


class DirectInput(SmallWebRTCInputTransport):
    """Pushes each frame of sound when it comes, as `AudioIn` has made it."""

    async def _receive_audio(self):
        """Read the microphone's track for as long as there is one.

        Pipecat 1.14.0 waits for each frame twice, with a timer each time, converts it in between,
        and has one more queue.
        """
        while True:
            track = self._client._audio_input_track
            if track is None:
                await asyncio.sleep(_RETRY_S)
                continue
            try:
                async with asyncio.timeout(READ_S):
                    frame = await track.recv()
            except TimeoutError:
                continue  # reading again keeps the receiver on
            except MediaStreamError:
                if self._client._audio_input_track is track:
                    self._client._audio_input_track = None  # a new connection brings a new one
                continue
            if not isinstance(frame, InputAudioRawFrame):
                continue  # aiortc decoded it before `AudioIn` took its buffer's place
            if not self._paused and self._next:
                # `push_frame` would also tell observers, and format a line for a log.
                await self._next.queue_frame(frame)


class AudioOut(MediaStreamTrack):
    """In the place of Pipecat's `RawAudioTrack`: a packet every 20 ms while there is something to hear.

    Speech after silence goes out when it comes. Silence is said ten times and then, as Opus with DTX
    does it, every 400 ms; time goes on in the packets' timestamps.

    Args:
        sample_rate: Of the sound, in Hz.
        auto_silence: Taken because Pipecat gives it; silence always goes out where speech does not.
    """

    kind = "audio"

    def __init__(self, sample_rate: int, auto_silence: bool = True) -> None:
        super().__init__()
        self._encoder = OpusEncoder(sample_rate)
        self._size = 2 * round(sample_rate * FRAME_S)
        self._pieces: deque[bytes] = deque()
        self._writers: list[asyncio.Future] = []
        self._came = asyncio.Event()
        self._held_until_s = -math.inf
        self._due_s: float | None = None
        self._samples = 0
        self._silent = 0
        self._last = b""

    def add_audio_bytes(self, audio_bytes: bytes) -> asyncio.Future:
        """Queue sound, in multiples of 20 ms; the future is done when there is room for more.

        Pipecat's own is done when all is sent, and its output then takes several rounds of the event
        loop to bring the next piece: where a round takes 10 ms, a sentence takes twice as long.
        """
        size = self._size
        if len(audio_bytes) % size:
            raise ValueError("Sound goes out in pieces of 20 ms.")
        self._pieces += [audio_bytes[at : at + size] for at in range(0, len(audio_bytes), size)]
        self._came.set()
        room = asyncio.get_running_loop().create_future()
        self._writers.append(room)
        self._tell_writers()
        return room

    def _tell_writers(self) -> None:
        if self._writers and len(self._pieces) <= ROOM:
            for room in self._writers:
                if not room.done():
                    room.set_result(True)
            self._writers.clear()

    def hold(self, seconds: float) -> None:
        """Send silence instead of speech for so long; 0 goes on at once."""
        self._held_until_s = asyncio.get_running_loop().time() + seconds
        self._came.set()

    def drop(self) -> None:
        """Forget what has not been sent, and hold nothing."""
        self._held_until_s = -math.inf
        self._pieces.clear()
        self._tell_writers()

    async def recv(self) -> Packet:
        """The next packet, when it is time for it."""
        loop = asyncio.get_running_loop()
        due_s = self._due_s or loop.time()
        await asyncio.sleep(due_s - loop.time())
        if self._silent >= SETTLED:
            await self._something(within_s=SILENCE_S - FRAME_S)
            gap_s = max(loop.time() - due_s, 0.0)
            self._samples += round(gap_s * SAMPLE_RATE)
            due_s += gap_s
        elif self._silent == 0:
            await self._something(within_s=LATE_S)
        packet = Packet(self._next())
        packet.pts, packet.time_base = self._samples, TIME_BASE
        self._samples += SAMPLES_PER_FRAME
        self._due_s = due_s + FRAME_S
        return packet

    async def _something(self, *, within_s: float) -> None:
        """Wait until there is something to send."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not self._is_ready and loop.time() < until_s:
            self._came.clear()
            held_s = self._held_until_s if self._pieces else math.inf
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(until_s, held_s)):
                    await self._came.wait()

    @property
    def _is_ready(self) -> bool:
        return bool(self._pieces) and asyncio.get_running_loop().time() >= self._held_until_s

    def _next(self) -> bytes:
        if self._is_ready:
            self._silent = 0
            self._last = self._encoder.encode(self._pieces.popleft())
            self._tell_writers()
            return self._last
        self._silent += 1
        if self._silent <= SETTLED:
            self._last = self._encoder.encode(bytes(self._size))
        return self._last


class HoldingOutput(SmallWebRTCOutputTransport):
    """An output that can be stopped within what it has, and handles frames at once."""

    async def queue_frame(
        self,
        frame: Frame,
        direction: FrameDirection = FrameDirection.DOWNSTREAM,
        callback: FrameCallback | None = None,
    ):
        """Handle a frame in the task of whoever pushes it, as a `PassingProcessor` does.

        What begins and ends the transport has a task of its own, as in Pipecat 1.14.0: who cancels
        the pipeline may be gone before a connection is closed.
        """
        queued: FrameQueue = self._FrameProcessor__process_queue  # pyright: ignore
        if not self._is_ready or isinstance(frame, _BY_ITSELF) or not queued.empty():
            await super().queue_frame(frame, direction, callback)
        elif not self._cancelling:
            await self._FrameProcessor__process_frame(frame, direction, callback)  # pyright: ignore

    @property
    def _is_ready(self) -> bool:
        return bool(self._media_senders)

    def hold(self, seconds: float) -> None:
        """Play nothing for so long; 0 goes on at once."""
        if isinstance(track := self._client._audio_output_track, AudioOut):
            track.hold(seconds)

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """When the bot is interrupted, also drop what the track has; Pipecat 1.14.0 plays it."""
        await super().process_frame(frame, direction)
        track = self._client._audio_output_track
        if isinstance(frame, InterruptionFrame) and isinstance(track, AudioOut):
            track.drop()


def use_opus() -> None:
    """Make aiortc speak Opus only, with FEC, and Pipecat send it; doing it twice is harmless.

    Each WebRTC endpoint has Opus (RFC 7874); and senders add FEC only where it is asked for.
    """
    OpusDecoder(IN_RATE_HZ)  # says now if it is missing
    (opus,) = (codec for codec in CODECS["audio"] if codec.mimeType == "audio/opus")
    opus.parameters = {"useinbandfec": 1}
    CODECS["audio"][:] = [opus]
    transport.RawAudioTrack = AudioOut  # pyright: ignore
    transport.SmallWebRTCInputTransport = DirectInput
    transport.SmallWebRTCOutputTransport = HoldingOutput

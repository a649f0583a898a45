"""What a caller sends: a microphone that says what it is told, a camera that shows what it is told."""

import asyncio
import fractions
import time
from collections import deque

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

MIC_RATE_HZ = 48_000
MIC_FRAME = MIC_RATE_HZ // 50  # 20 ms


class Microphone(MediaStreamTrack):
    """Sends 20 ms frames in real time: queued speech, or silence."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self._queue: deque[np.ndarray] = deque()
        self._sent = 0
        self._began: float | None = None

    def say(self, samples: np.ndarray) -> float:
        """Queue int16 mono samples at 48 kHz; the answer is their duration in seconds."""
        padded = np.pad(samples, (0, -len(samples) % MIC_FRAME))
        self._queue.extend(padded.reshape(-1, MIC_FRAME))
        return len(padded) / MIC_RATE_HZ

    async def recv(self) -> AudioFrame:
        now = time.monotonic()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._sent / MIC_RATE_HZ - now))
        if self._queue:
            samples = self._queue.popleft()
        else:
            samples = np.zeros(MIC_FRAME, np.int16)
        frame = AudioFrame.from_ndarray(samples[None, :], layout="mono")
        frame.sample_rate = MIC_RATE_HZ
        frame.pts, frame.time_base = self._sent, fractions.Fraction(1, MIC_RATE_HZ)
        self._sent += MIC_FRAME
        return frame


class Camera(MediaStreamTrack):
    """Sends a moving picture: a white square that wanders over a plain colour."""

    kind = "video"

    def __init__(self, *, color: tuple[int, int, int] = (200, 20, 20), fps: int = 15):
        super().__init__()
        self.color = color
        self._fps = fps
        self._sent = 0
        self._began: float | None = None

    async def recv(self) -> VideoFrame:
        now = time.monotonic()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._sent / self._fps - now))
        picture = np.full((240, 320, 3), self.color, np.uint8)
        x = (self._sent * 7) % 280
        picture[100:140, x : x + 40] = 255
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = self._sent * 90_000 // self._fps
        frame.time_base = fractions.Fraction(1, 90_000)
        self._sent += 1
        return frame


class Ear:
    """What a caller hears: the received audio with the time at which each 20 ms came."""

    def __init__(self):
        self.levels: list[tuple[float, float]] = []
        """Arrival (monotonic seconds) and level (RMS of full scale, 0 to 1) of each frame."""
        self._changed = asyncio.Event()

    async def listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().astype(np.float64) / 32768
            self.levels.append((time.monotonic(), float(np.sqrt(np.mean(samples**2)))))
            self._changed.set()

    def voice_s(self, *, since: float = 0.0, level: float = 0.01) -> float:
        """How many seconds of sound came since a time."""
        return sum(loud > level for at, loud in self.levels if at >= since) * 0.02

    async def hears_voice(
        self, *, seconds: float, since: float = 0.0, within_s: float = 15
    ) -> None:
        """Wait until so much sound has come since a time."""
        async with asyncio.timeout(within_s):
            while self.voice_s(since=since) < seconds:
                self._changed.clear()
                await self._changed.wait()

    async def hears_silence(self, *, seconds: float, within_s: float = 30) -> float:
        """Wait until it was silent for so long; the answer is when the silence began."""
        async with asyncio.timeout(within_s):
            while True:
                last = max((at for at, loud in self.levels if loud > 0.01), default=0.0)
                if self.levels and self.levels[-1][0] - last >= seconds:
                    return last
                self._changed.clear()
                await self._changed.wait()

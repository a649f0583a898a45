"""Which camera and screen frames the model gets to see: the one owner of the frame rate.

The Live API takes at most one frame a second, and each costs 258 tokens. Two owners of the rate
beat against each other (Pipecat's sampler at 1 fps before the service's own gate of one second
passes 0.61 to 0.65 fps), so the transports deliver more than is needed and this decides.
"""

import asyncio
import contextlib
import functools
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from pipecat.frames.frames import (
    Frame,
    InputImageRawFrame,
    InputTextRawFrame,
    MetricsFrame,
    UserImageRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame

from pipeline.frame_change import ChangeDetector, Glance
from pipeline.frame_metrics import FrameMetricsData
from pipeline.frame_schedule import FrameSchedule, Shown
from pipeline.frames import DecodedFrame, Video, VideoLimitsFrame
from pipeline.pictures import PICTURE_THREADS, Pixels
from pipeline.video_limits import VideoLimits
from processors.worker import WorkingProcessor

REPORT_S = 5.0
"""How long what was left out goes unreported while nothing is shown."""

R = TypeVar("R")


class FrameRateLimiter(WorkingProcessor):
    """Lets those camera and screen frames through that are worth their tokens, as JPEG.

    What goes on downstream is a `UserImageRawFrame` with `format="image/jpeg"`. Frames are looked
    at and encoded in threads, one at a time; of what comes meanwhile the latest of each source
    wins. `FrameSchedule` decides. Pictures that the user sent pass untouched; a frame that answers
    an image request is shown next, at the latest a second after the last one, and is the answer.

    What becomes of the frames goes out in a `MetricsFrame` with a `FrameMetricsData`.

    Args:
        limits: How much of each source is shown, until a `VideoLimitsFrame` says otherwise.
        pressure: How hard it is to get anything out, from 0 to 1; asked before each decision. What
            a `DecodedFrame` tells of the caller's line counts too, and the larger of the two.
        clock: Seconds, monotonic.
        threads: Where frames are looked at and encoded.
    """

    def __init__(
        self,
        *,
        limits: VideoLimits | None = None,
        pressure: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
        threads: Executor = PICTURE_THREADS,
    ):
        super().__init__()
        self._schedule: FrameSchedule[Video] = FrameSchedule(limits or VideoLimits())
        self._limits = limits or VideoLimits()
        self._pressure = pressure
        self._callers_pressure = 0.0
        self._clock = clock
        self._threads = threads
        self._detectors: dict[str, ChangeDetector] = {}
        self._latest: dict[str, InputImageRawFrame] = {}
        self._requested: dict[str, deque[UserImageRawFrame]] = {}
        self._reported_s: dict[str, float] = {}
        self._woken = asyncio.Event()

    def look(self, source: str | None = None):
        """Show the model the next frame at once, changed or not.

        Args:
            source: Of which source; None for all that there are.
        """
        self._schedule.look(source)
        self._woken.set()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Take camera and screen frames, and note who speaks; pass everything else on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputImageRawFrame) and not is_still(frame):
            return self._take(frame)
        match frame:
            case VADUserStartedSpeakingFrame():
                self._schedule.user_started()
                self._woken.set()
            case VADUserStoppedSpeakingFrame():
                self._schedule.user_stopped(self._clock())
            case VideoLimitsFrame():
                self._limits = frame.limits
                self._schedule.limit(frame.limits)
                self._woken.set()
            case RTVISendTextFrame() | InputTextRawFrame():
                self._schedule.user_typed(self._clock())
                self._woken.set()
        await self.push_frame(frame, direction)

    def _take(self, frame: InputImageRawFrame):
        source = _source(frame)
        if isinstance(frame, UserImageRawFrame) and frame.request:
            self._requested.setdefault(source, deque()).append(frame)
            self._schedule.look(source)
        if isinstance(frame, DecodedFrame):
            self._callers_pressure = frame.pressure
        self._latest[source] = frame
        self._woken.set()

    async def work(self):
        """Look at the frames that came, show those whose moment has come."""
        await self._wait()
        while self._latest:
            source, frame = self._latest.popitem()
            await self._look_at(source, frame)
        self._schedule.pressure = max(self._pressure(), self._callers_pressure)
        for shown in self._schedule.due(self._clock()):
            await self._show(shown)
        for source, reported_s in self._reported_s.items():
            if self._clock() - reported_s >= REPORT_S:
                await self._report(source)

    async def _wait(self):
        """Wait for a frame, or for one's moment."""
        self._woken.clear()
        if self._latest:
            return
        now_s = self._clock()
        due_s = self._schedule.next_due_s(now_s)
        if due_s is None:
            await self._woken.wait()
        elif due_s > now_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), due_s - now_s)

    async def _look_at(self, source: str, frame: InputImageRawFrame):
        pixels = frame.pixels if isinstance(frame, DecodedFrame) else _pixels(frame)
        detector = self._detectors.setdefault(source, ChangeDetector(source))
        now_s = self._clock()
        glance = await self._in_thread(lambda: _glance(detector, pixels, now_s))
        self._schedule.offer(source, pixels, glance, now_s=now_s)
        self._reported_s.setdefault(source, now_s)

    async def _show(self, shown: Shown[Video]):
        source, limits, ease = shown.source, self._limits.of(shown.source), shown.ease
        encode = functools.partial(
            shown.frame.encode,
            long_edge_px=round(limits.long_edge_px * ease.edge),
            quality=round(limits.jpeg_quality * ease.quality),
        )
        self._detectors[source].was_shown()
        picture = await self._in_thread(encode)
        size = (picture.width, picture.height)
        jpeg = UserImageRawFrame(image=picture.jpeg, size=size, format="image/jpeg")
        jpeg.transport_source = source
        if requested := self._requested.get(source):
            _answer(requested.popleft(), jpeg)
            if requested:
                self._schedule.look(source)
        await self.push_frame(jpeg)
        await self._report(source, jpeg_bytes=len(picture.jpeg))

    async def _report(self, source: str, *, jpeg_bytes: int = 0):
        self._reported_s[source] = self._clock()
        counts = self._schedule.take_counts(source)
        if counts and self.metrics_enabled:
            data = FrameMetricsData(
                processor=self.name,
                source=source,
                shown=dict(counts.shown),
                left_out=dict(counts.left_out),
                pressure=self._schedule.pressure,
                jpeg_bytes=jpeg_bytes,
            )
            await self.push_frame(MetricsFrame(data=[data]))

    async def _in_thread(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def is_still(frame: InputImageRawFrame) -> bool:
    """Whether it is a picture that somebody sent, not a frame of a running video."""
    return (
        isinstance(frame, UserImageRawFrame) and not frame.request and bool(frame.append_to_context)
    )


def _answer(asked: UserImageRawFrame, jpeg: UserImageRawFrame) -> None:
    """Make a picture the answer to an image request.

    A function's picture is seen as video, before its result; one with a question of its own is
    left to the `ImageInjector`, which makes it a turn.
    """
    jpeg.user_id, jpeg.request, jpeg.text = asked.user_id, asked.request, asked.text
    is_functions = asked.request is not None and asked.request.tool_call_id is not None
    jpeg.append_to_context = asked.append_to_context and not is_functions


def _glance(detector: ChangeDetector, pixels: Video, now_s: float) -> Glance:
    return detector.look(pixels.gist(), now_s=now_s)


def _pixels(frame: InputImageRawFrame) -> Pixels:
    source, mode = _source(frame), frame.format or "RGB"
    return Pixels(data=frame.image, size=frame.size, mode=mode, source=source)


def _source(frame: InputImageRawFrame) -> str:
    return frame.transport_source or "camera"

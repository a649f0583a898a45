"""Which camera and screen frames the model gets to see: the one owner of the frame rate.

The Live API takes at most one frame a second, and each costs 258 tokens. Two owners of the rate
beat against each other (Pipecat's sampler at 1 fps before the service's own gate of one second
passes 0.61 to 0.65 fps), so the transports deliver more than is needed and this decides.
"""

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipecat.frames.frames import Frame, InputImageRawFrame, UserImageRawFrame
from pipecat.processors.frame_processor import FrameDirection

from pipeline.pictures import PICTURE_THREADS, encode_frame
from processors.worker import WorkingProcessor

T = TypeVar("T")


@dataclass
class _Source(Generic[T]):
    """One source's next free slot, and the frame that waits for it."""

    next_slot_s: float = -math.inf
    waiting: T | None = None


class FrameSchedule(Generic[T]):
    """Decides which frame of each source is let through, and when. No clock, no I/O.

    The slots of a source are one period apart. A frame waits for its source's next slot, which is
    at once when the source has been quiet; a newer one takes its place: the latest frame wins. So
    a screen that changed once and then stood still is shown as it ended up, and the rate holds on
    average whatever the source's own rhythm.
    """

    def __init__(self, *, rate_fps: float):
        self._period_s = 1 / rate_fps
        self._sources: dict[str, _Source[T]] = {}

    def offer(self, source: str, frame: T) -> None:
        """Let a frame wait for the next slot of its source, instead of one that waits there."""
        self._sources.setdefault(source, _Source()).waiting = frame

    def next_due_s(self) -> float | None:
        """When `due` has something next (-inf: now); None while nothing waits."""
        return min(
            (state.next_slot_s for state in self._sources.values() if state.waiting is not None),
            default=None,
        )

    def due(self, *, now_s: float) -> list[T]:
        """The waiting frames whose slot has come; they are let through now."""
        frames: list[T] = []
        for state in self._sources.values():
            if state.waiting is None or now_s < state.next_slot_s:
                continue
            frames.append(state.waiting)
            state.waiting = None
            # Being called a little late does not push the following slots back, but a source that
            # paused does not catch up either.
            on_time = now_s - state.next_slot_s < self._period_s / 4
            state.next_slot_s = (state.next_slot_s if on_time else now_s) + self._period_s
        return frames


class FrameRateLimiter(WorkingProcessor):
    """Lets camera and screen frames through at the schedule's rate, as JPEG.

    What goes on downstream is an `InputImageRawFrame` with `format="image/jpeg"`. Frames are
    encoded in threads, one at a time; what comes meanwhile waits in the schedule, where the latest
    of each source wins. Pictures that the user sent, and answers to a request for an image, are
    never limited.

    Args:
        rate_fps: Frames a second for each source; the Live API takes at most 1.
        clock: Seconds, monotonic.
    """

    def __init__(self, *, rate_fps: float = 1.0, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self._schedule: FrameSchedule[InputImageRawFrame] = FrameSchedule(rate_fps=rate_fps)
        self._clock = clock
        self._offered = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Take camera and screen frames into the schedule; pass everything else on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputImageRawFrame) and not is_still(frame):
            self._schedule.offer(_source(frame), frame)
            self._offered.set()
        else:
            await self.push_frame(frame, direction)

    async def work(self):
        """Wait for the next slot, or for a frame that may have one sooner; let through what is due."""
        self._offered.clear()
        due_s = self._schedule.next_due_s()
        if due_s is None:
            await self._offered.wait()
        elif (wait_s := due_s - self._clock()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._offered.wait(), wait_s)
        for frame in self._schedule.due(now_s=self._clock()):
            await self._encode_and_push(frame)

    async def _encode_and_push(self, frame: InputImageRawFrame):
        source = _source(frame)
        encode = functools.partial(
            encode_frame,
            pixels=frame.image,
            size=frame.size,
            mode=frame.format or "RGB",
            source=source,
        )
        picture = await asyncio.get_running_loop().run_in_executor(PICTURE_THREADS, encode)
        size = (picture.width, picture.height)
        jpeg = InputImageRawFrame(image=picture.jpeg, size=size, format="image/jpeg")
        jpeg.transport_source, jpeg.pts = source, frame.pts
        await self.push_frame(jpeg)


def is_still(frame: InputImageRawFrame) -> bool:
    """Whether it is a picture that somebody sent or asked for, not a frame of a running video."""
    return isinstance(frame, UserImageRawFrame) and bool(frame.append_to_context or frame.request)


def _source(frame: InputImageRawFrame) -> str:
    return frame.transport_source or "camera"

"""Feeds the output just ahead of what is played, so that the bot can pause and what it said is known.

Pipecat 1.14.0's service pushes speech as it comes, several times faster than it is played, and the
output queues it: text goes by before its speech is played, and the output can only be emptied.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable

from loguru import logger
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    SystemFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipeline.frames import PlayedFrame
from pipeline.playout_buffer import PlayoutBuffer, PlayoutMeasures
from processors.worker import WorkingProcessor

_OF_THE_TURN = (LLMFullResponseStartFrame, LLMFullResponseEndFrame, TTSTextFrame)


class Playout(WorkingProcessor):
    """Lets the model's speech through while it is played, and holds it while the user is heard.

    Its place is between the service and the output. All that comes downstream and is no
    `SystemFrame` keeps its order; a `PlayedFrame` goes before each frame of the bot's turn. When
    the local VAD hears the user, nothing more is let through; an `InterruptionFrame` drops it,
    otherwise it goes on where it stopped.

    Args:
        output: The transport's output; what it pushes, it has played. If it has a method `hold`, it
            is told for how many seconds to play nothing of what it has; an interruption drops that.
        clock: Seconds, monotonic.
    """

    def __init__(self, *, output: FrameProcessor, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self._buffer = PlayoutBuffer()
        self._clock = clock
        self._changed = asyncio.Event()
        self._is_paused = self._is_ending = False
        self._hold = getattr(output, "hold", _nothing)
        output.add_event_handler("on_after_push_frame", self._on_pushed_by_output)

    @property
    def measures(self) -> PlayoutMeasures:
        """What became of the speech so far."""
        return self._buffer.measures

    def pause(self):
        """Nobody is on the line: keep what is said until `go_on`, or the end."""
        self._is_paused = not self._is_ending

    def go_on(self):
        """Somebody is there again: go on where it stopped."""
        self._is_paused = False
        self._changed.set()

    def voice_hinted(self):
        """What is heard of the user may be a voice: pause for a moment."""
        self._buffer.voice_hinted(self._clock())
        self._hold_output()

    def _hold_output(self):
        self._hold(max(self._buffer.held_until_s - self._clock(), 0.0))
        self._changed.set()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Take speech and what belongs to it; pass everything else on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, EndFrame):
            self._end()
        match frame:
            case InterruptionFrame() | CancelFrame():
                self._buffer.cut()
            case VADUserStartedSpeakingFrame():
                self._buffer.voice_began(self._clock())
                self._hold_output()
            case VADUserStoppedSpeakingFrame():
                self._buffer.voice_ended(self._clock())
                self._hold_output()
            case _ if direction is FrameDirection.DOWNSTREAM and not isinstance(frame, SystemFrame):
                self._buffer.put(frame, self._clock())
                return self._changed.set()
            case _:
                return await self.push_frame(frame, direction)
        self._changed.set()
        await self.push_frame(frame, direction)

    async def work(self):
        """Let through what is due, and wait for more."""
        self._changed.clear()
        if self._buffer.is_cut_by_voice(self._clock()):
            self._buffer.cut()
            # Not upstream: the model's turn is over, it may already be at the next.
            await self.push_frame(InterruptionFrame())
        while not self._is_paused and (frame := self._buffer.next(self._clock())) is not None:
            if isinstance(frame, _OF_THE_TURN):
                await self.push_frame(PlayedFrame(frame=frame))
            await self.push_frame(frame)
        now_s = self._clock()
        due_s = math.inf if self._is_paused else self._buffer.next_due_s(now_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due_s == math.inf else due_s - now_s):
                await self._changed.wait()

    def _end(self):
        """Wait for nobody any more: the end would have to wait behind what nobody hears."""
        self._is_ending = True
        if self._is_paused:
            self._buffer.cut()
            self.go_on()

    async def cleanup(self):
        """Log how the session's speech was played."""
        await super().cleanup()
        logger.info(f"{self}: {self.measures}")

    async def _on_pushed_by_output(self, output: FrameProcessor, frame: Frame):
        if isinstance(frame, TTSAudioRawFrame):
            seconds = len(frame.audio) / 2 / frame.num_channels / frame.sample_rate
            self._buffer.played(seconds, self._clock())
            self._changed.set()


def _nothing(seconds: float) -> None:
    """An output that can't be held plays on what it has."""

"""In the place of the playout where the bot is read and not heard: words go through as they come."""

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipeline.frames import PlayedFrame
from processors.passing import PassingProcessor

_OF_THE_TURN = (LLMFullResponseStartFrame, LLMFullResponseEndFrame, TTSTextFrame)


class Written(PassingProcessor):
    """Says of each frame of the bot's turn that it has come to its place, as the playout does.

    It also tells, in the output's stead, when the bot begins and ceases, which Pipecat 1.14.0 tells by
    the sound alone: it sends pages no words of a bot that is not at it, and the turn log measures
    the time to the first word by it.

    Args:
        output: The transport's output; what it pushes, it has sent.
    """

    def __init__(self, *, output: FrameProcessor):
        super().__init__()
        self._is_at_it = False
        output.add_event_handler("on_after_push_frame", self._on_pushed_by_output)

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Pass everything on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            await self._cease()
        elif direction is FrameDirection.DOWNSTREAM and isinstance(frame, _OF_THE_TURN):
            await self.push_frame(PlayedFrame(frame=frame))
            if isinstance(frame, TTSTextFrame) and not self._is_at_it:
                self._is_at_it = True
                await self.broadcast_frame(BotStartedSpeakingFrame)
        await self.push_frame(frame, direction)

    async def _on_pushed_by_output(self, output: FrameProcessor, frame: Frame):
        if isinstance(frame, LLMFullResponseEndFrame):
            await self._cease()

    async def _cease(self):
        if self._is_at_it:
            self._is_at_it = False
            await self.broadcast_frame(BotStoppedSpeakingFrame)

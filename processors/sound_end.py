"""Where the bot's sound leaves the line of processors: it has been played."""

from pipecat.frames.frames import Frame, OutputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection

from processors.passing import PassingProcessor


class SoundEnd(PassingProcessor):
    """Lets everything through but sound.

    Its place is after the transport's output: what comes behind it does nothing with sound, but has
    each of 50 frames a second wait in a queue for it (Pipecat 1.14.0).
    """

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Pass on what is no sound."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, OutputAudioRawFrame):
            await self.push_frame(frame, direction)

"""The user's sound leaves the line of processors here, for the two that it is meant for."""

from pipecat.audio.vad.vad_analyzer import VADAnalyzer
from pipecat.frames.frames import Frame, InputAudioRawFrame
from pipecat.processors.audio.vad_processor import VADProcessor
from pipecat.processors.frame_processor import FrameCallback, FrameDirection, FrameProcessor


class Ear(VADProcessor):
    """Gives the user's sound to the model's service at once, and listens for a voice in it.

    Its place is after the transport's input. In a chain as Pipecat's each of the 50 frames of sound
    a second waits in every processor's queue for a task of its own (Pipecat 1.14.0), 0.1 ms of a
    core each time, also in those that do nothing with it and behind the service.

    Args:
        vad_analyzer: What hears a voice.
        service: What gets the sound.
    """

    def __init__(self, *, vad_analyzer: VADAnalyzer, service: FrameProcessor):
        super().__init__(vad_analyzer=vad_analyzer, enable_direct_mode=True)
        self._service = service

    async def queue_frame(
        self,
        frame: Frame,
        direction: FrameDirection = FrameDirection.DOWNSTREAM,
        callback: FrameCallback | None = None,
    ):
        """Let the service have sound before anybody listens to it here."""
        if isinstance(frame, InputAudioRawFrame):
            await self._service.queue_frame(frame, direction)
        await super().queue_frame(frame, direction, callback)

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Listen to sound; everything else goes on down the line."""
        if isinstance(frame, InputAudioRawFrame):
            await self._vad_controller.process_frame(frame)
        else:
            await super().process_frame(frame, direction)

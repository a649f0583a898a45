"""The user's sound leaves the line of processors here, for the two that it is meant for."""

from pipecat.frames.frames import Frame, InputAudioRawFrame
from pipecat.processors.audio.vad_processor import VADProcessor
from pipecat.processors.frame_processor import FrameDirection

from pipeline.live_input import LiveInput
from pipeline.vad import SparingVADAnalyzer
from processors.playout import Playout
from processors.written import Written


class Ear(VADProcessor):
    """Gives the user's sound to the model's service at once, and then listens for a voice in it.

    Its place is after the transport's input. In a chain as Pipecat's each of the 50 frames of sound
    a second waits in every processor's queue for a task of its own (Pipecat 1.14.0), 0.1 ms of a
    core each time, also in those that do nothing with it and behind the service.

    Args:
        vad_analyzer: What hears a voice.
        service: What gets the sound.
        playout: What pauses for what may be a voice, before that is certain, if anything is heard.
    """

    def __init__(
        self,
        *,
        vad_analyzer: SparingVADAnalyzer,
        service: LiveInput,
        playout: Playout | Written,
    ):
        super().__init__(vad_analyzer=vad_analyzer, enable_direct_mode=True)
        self._analyzer = vad_analyzer
        self._service = service
        self._playout = playout

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Hear sound; everything else goes on down the line."""
        if not isinstance(frame, InputAudioRawFrame):
            return await super().process_frame(frame, direction)
        await self._service.hear(frame)
        await self._vad_controller.process_frame(frame)
        if self._analyzer.may_be_voice and isinstance(self._playout, Playout):
            self._playout.voice_hinted()

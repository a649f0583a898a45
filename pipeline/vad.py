"""Voice activity detection that asks its model only about what could be a voice.

Pipecat 1.14.0's analyzer has a thread ask the model about each 20 ms of sound, also where there is
none: 2 s of a core each minute. A voice has to be loud enough as well, and that is found out for a
quarter of the price.
"""

import asyncio
import functools
from collections import deque

from onnxruntime import InferenceSession
from pipecat.audio.vad import silero
from pipecat.audio.vad.silero import SileroOnnxModel, SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADState

BEFORE_S = 0.25
"""So much quiet sound is shown to the model before what may be a voice: the volume, of 400 ms and
smoothed, rises later than a voice does, and the model goes by what it heard before."""


class SharedModel(SileroOnnxModel):
    """The model with a state of its own, and weights that are loaded once.

    Pipecat 1.14.0 loads them for each session: 60 ms of its start, and 10 MB.
    """

    def __init__(self, path: str, force_onnx_cpu: bool = True):
        self.session = _weights(path, force_onnx_cpu)
        self.sample_rates = [8000, 16000]
        self.reset_states()


@functools.cache
def _weights(path: str, force_onnx_cpu: bool) -> InferenceSession:
    return SileroOnnxModel(path, force_onnx_cpu).session


silero.SileroOnnxModel = SharedModel


class SparingVADAnalyzer(SileroVADAnalyzer):
    """Silero, asked when it is loud enough or somebody is speaking; it decides as Pipecat's does."""

    def __init__(self) -> None:
        super().__init__()
        self._sure = 0
        self._gathered = b""
        self._volume = 0.0
        self._unheard: deque[bytes] = deque()

    def set_sample_rate(self, sample_rate: int):
        """Set the rate of the sound, 8000 or 16000 Hz."""
        super().set_sample_rate(sample_rate)
        windows = round(BEFORE_S * self.sample_rate / self.num_frames_required())
        self._unheard = deque(maxlen=windows + 1)

    @property
    def may_be_voice(self) -> bool:
        """Whether the model has been sure of a voice for two windows, 64 ms.

        That somebody speaks takes 200 ms, and a volume that rises slowly besides.
        """
        return self._sure >= 2

    def voice_confidence(self, buffer: bytes) -> float:
        """Ask the model how sure it is of a voice in a window: from 0 to 1."""
        confidence = super().voice_confidence(buffer)
        self._sure = self._sure + 1 if confidence >= self.params.confidence else 0
        return confidence

    async def analyze_audio(self, buffer: bytes) -> VADState:
        """Take sound; returns whether somebody is speaking by now."""
        self._gathered += buffer
        size = self._vad_frames_num_bytes
        while len(self._gathered) >= size:
            window, self._gathered = self._gathered[:size], self._gathered[size:]
            self._volume = self._prev_volume = super()._get_smoothed_volume(window)
            self._unheard.append(window)
            if self._vad_state is not VADState.QUIET or self._is_loud():
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._executor, self._ask_model)
        return self._vad_state

    def _is_loud(self) -> bool:
        """Whether it is loud enough for a voice, now or smoothed as the analyzer takes it."""
        return max(self._volume, self._volume_tracker.volume) >= self.params.min_volume

    def _ask_model(self):
        *before, window = self._unheard
        self._unheard.clear()
        for quiet in before:
            self.voice_confidence(quiet)
        self._run_analyzer(window)

    def _get_smoothed_volume(self, audio: bytes) -> float:
        return self._volume

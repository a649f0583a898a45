"""Voice activity detection that asks its model only about what could be a voice.

Pipecat 1.14.0's analyzer has a thread ask the model about each 20 ms of sound, also where there is
none: 2 s of a core each minute, and on a busy machine a thread waits for its turn for so long that
sound stands in line behind it. A voice has to be loud enough as well, and that is found out for a
quarter of the price. The model then takes 0.2 ms for a window of 32 ms: less than it takes to reach a
thread, so it is asked in place.
"""

import functools
from collections import deque

from onnxruntime import InferenceSession
from pipecat.audio.utils import exp_smoothing
from pipecat.audio.vad import silero
from pipecat.audio.vad.silero import SileroOnnxModel, SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADState
from pipecat.audio.volume import VOLUME_WINDOW_SECS

from pipeline.loudness import is_quiet

BEFORE_S = 0.25
"""So much quiet sound is shown to the model before what may be a voice: the volume, of 400 ms and
smoothed, rises later than a voice does, and the model goes by what it heard before."""
ROOM_VOLUME = 0.45
"""What a quiet room is taken for, -65 LUFS: where no sample of the last 400 ms is loud enough for a
voice, the volume is not measured."""


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
        self._quiet_bytes = 0
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
            self._unheard.append(window)
            if self._is_loud(window) or self._vad_state is not VADState.QUIET:
                self._ask_model()
        return self._vad_state

    def _is_loud(self, window: bytes) -> bool:
        """Whether it is loud enough for a voice, now or smoothed as the analyzer takes it."""
        self._volume_tracker.update(window, self.sample_rate)
        self._quiet_bytes = self._quiet_bytes + len(window) if is_quiet(window) else 0
        now = 0.0
        if self._quiet_bytes > VOLUME_WINDOW_SECS * self.sample_rate * 2:
            smoothed = ROOM_VOLUME
        else:
            now = self._volume_tracker.volume
            smoothed = exp_smoothing(now, self._volume, self._smoothing_factor)
        self._volume = self._prev_volume = smoothed
        return max(now, smoothed) >= self.params.min_volume

    def _ask_model(self):
        *before, window = self._unheard
        self._unheard.clear()
        for quiet in before:
            self.voice_confidence(quiet)
        self._run_analyzer(window)

    def _get_smoothed_volume(self, audio: bytes) -> float:
        return self._volume

"""Sound that can be told from other sound."""

import numpy as np
from av import AudioFrame
from pipecat.frames.frames import InputAudioRawFrame


def tone(seconds: float, rate_hz: int, *, pitch_hz: float = 440.0) -> np.ndarray:
    """A tone as int16 samples, at half of full scale."""
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (16_000 * np.sin(2 * np.pi * pitch_hz * at_s)).astype(np.int16)


def samples(frame: AudioFrame | InputAudioRawFrame) -> np.ndarray:
    """What is in a frame of a track, aiortc's or ours."""
    if isinstance(frame, InputAudioRawFrame):
        return np.frombuffer(frame.audio, np.int16)
    return frame.to_ndarray()


def level(samples: np.ndarray) -> float:
    """How loud samples are: the RMS."""
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))

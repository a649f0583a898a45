"""Sound that is too quiet to be a voice. Pure."""

import numpy as np

QUIET_PEAK = 80
"""A sample below this is quieter than -52 dBFS; a voice is above -50 for the local VAD."""


def is_quiet(pcm: bytes) -> bool:
    """Whether no sample is loud enough for a voice.

    Args:
        pcm: 16-bit little-endian samples.
    """
    samples = np.frombuffer(pcm, np.int16)
    return not len(samples) or max(int(samples.max()), -int(samples.min())) < QUIET_PEAK

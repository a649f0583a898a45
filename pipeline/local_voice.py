"""A voice of this machine's own, for what has to be said when the model can't speak.

It is the understudy's, espeak-ng, which is under the GPL: as a program of its own, so that nothing
of it is loaded here.
"""

import functools
import io
import subprocess
import sys
import wave

import numpy as np
import soxr

from pipeline.announcements import Words
from pipeline.settings import ROOT

_PROGRAM = ROOT / "understudy" / "espeak_ng.py"
_TIMEOUT_S = 5.0


class VoiceError(Exception):
    """Nothing can be said on this machine; the message is one sentence."""


@functools.lru_cache(maxsize=64)
def speech(words: Words, *, rate_hz: int) -> bytes:
    """Says something. Blocks for 60 ms when it is said for the first time: not for an event loop.

    Args:
        words: What to say, and in which voice.
        rate_hz: Samples a second.

    Returns:
        16-bit little-endian mono samples.

    Raises:
        VoiceError: There is no voice on this machine.
    """
    try:
        said = subprocess.run(
            [sys.executable, "-P", str(_PROGRAM), words.voice, words.text],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        why = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
        raise VoiceError(f"espeak-ng can't speak here: {why or error}") from error
    with wave.open(io.BytesIO(said)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        return soxr.resample(samples, sound.getframerate(), rate_hz).astype("<i2").tobytes()

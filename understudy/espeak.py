"""The voice: espeak-ng.

espeak-ng is under the GPL: nothing outside the understudy may import this.

Its state is global and not safe for threads: one lock guards all of it. A synthesis takes 7 ms
for 3.5 s of speech and releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import threading

import numpy as np
import soxr

from understudy.espeak_ng import Library, SpeechUnavailable
from understudy.spoken import Spoken
from understudy.wire import OUTPUT_RATE_HZ

_CACHED_CHARACTERS = 200
"""About 12 s of speech in English, 70 s in Chinese."""

_lock = threading.Lock()
_loaded: list[Library] = []
_spoken = Spoken()


def speak(text: str, *, voices: tuple[str, ...], pitch: int) -> bytes:
    """Turns text into speech. Blocks for about 2 ms per second of speech.

    Args:
        text: What to say.
        voices: espeak-ng voice names such as `en-us+m3`; the first that exists is used.
        pitch: 0 to 100, 50 is the voice's own.

    Returns:
        24 kHz 16-bit little-endian mono PCM.

    Raises:
        SpeechUnavailable: The library can't be used on this machine.
    """
    if len(text) <= _CACHED_CHARACTERS:
        key = (text, voices, pitch)
        if (pcm := _spoken.get(key)) is None:
            pcm = _speak(text, voices, pitch)
            _spoken.keep(key, pcm)
        return pcm
    return _speak(text, voices, pitch)


def _speak(text: str, voices: tuple[str, ...], pitch: int) -> bytes:
    with _lock:
        try:
            if not _loaded:
                _loaded.append(Library())
        except (OSError, RuntimeError) as error:
            raise SpeechUnavailable(f"espeak-ng could not be loaded: {error}") from error
        library = _loaded[0]
        library.choose(voices, pitch)
        spoken = np.frombuffer(library.speak(text), np.int16)
    return soxr.resample(spoken, library.rate_hz, OUTPUT_RATE_HZ).astype("<i2").tobytes()

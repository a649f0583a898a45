"""The voice: espeak-ng, driven through its C interface.

The library and its data come in the `espeakng-loader` package, so nothing has to be installed on
the machine. espeak-ng is under the GPL: nothing outside the understudy may import this.

Its state is global and not safe for threads: one lock guards all of it. A synthesis takes 7 ms
for 3.5 s of speech and releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import ctypes
import threading

import espeakng_loader
import numpy as np
import soxr

from understudy.spoken import Spoken
from understudy.wire import OUTPUT_RATE_HZ

_OUTPUT_SYNCHRONOUS = 2  # speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS, samples come in the callback
_INITIALIZE_DONT_EXIT = 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_OK = 0
_PARAMETERS = {"rate": 1, "pitch": 3}  # speak_lib.h: espeakRATE, espeakPITCH

WORDS_PER_MINUTE = 175
_CACHED_CHARACTERS = 200
"""About 12 s of speech in English, 70 s in Chinese."""

_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SpeechUnavailable(RuntimeError):
    """espeak-ng could not be loaded or refused to speak."""


class _Library:
    """The loaded and initialised library. Its methods need the module's lock."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate_hz = self._library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT
        )
        if self._rate_hz <= 0:
            raise SpeechUnavailable("espeak-ng found no voice data")
        self._samples = bytearray()
        self._callback = _SYNTH_CALLBACK(self._take)  # kept: C holds only the pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        return 0

    def choose(self, voices: tuple[str, ...], pitch: int) -> None:
        for voice in voices:
            if self._library.espeak_SetVoiceByName(voice.encode()) == _OK:
                break
        else:
            raise SpeechUnavailable(f"espeak-ng has none of the voices {', '.join(voices)}")
        self._library.espeak_SetParameter(_PARAMETERS["rate"], WORDS_PER_MINUTE, 0)
        self._library.espeak_SetParameter(_PARAMETERS["pitch"], pitch, 0)

    def speak(self, text: str) -> np.ndarray:
        self._samples.clear()
        encoded = text.replace("\0", " ").encode("utf-8", "replace")
        status = self._library.espeak_Synth(
            encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != _OK:
            raise SpeechUnavailable(f"espeak-ng could not speak (status {status})")
        spoken = np.frombuffer(bytes(self._samples), np.int16)
        return soxr.resample(spoken, self._rate_hz, OUTPUT_RATE_HZ)


_lock = threading.Lock()
_loaded: list[_Library] = []
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
                _loaded.append(_Library())
        except (OSError, RuntimeError) as error:
            raise SpeechUnavailable(f"espeak-ng could not be loaded: {error}") from error
        library = _loaded[0]
        library.choose(voices, pitch)
        return library.speak(text).astype("<i2").tobytes()

"""The espeak-ng library through its C interface; as a program, it says one sentence.

    python -P understudy/espeak_ng.py VOICE TEXT > sentence.wav

The library and its data come in the `espeakng-loader` package, so nothing has to be installed on
the machine. espeak-ng is under the GPL: nothing outside the understudy may import this. Whoever
else needs its voice runs the program, which takes 50 ms because it imports nothing else.
"""

from __future__ import annotations

import ctypes
import io
import sys
import wave

import espeakng_loader

_OUTPUT_SYNCHRONOUS = 2  # speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS, samples come in the callback
_INITIALIZE_DONT_EXIT = 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_OK = 0
_PARAMETERS = {"rate": 1, "pitch": 3}  # speak_lib.h: espeakRATE, espeakPITCH

WORDS_PER_MINUTE = 175
OWN_PITCH = 50
"""The pitch of a voice as it is."""

_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SpeechUnavailable(RuntimeError):
    """espeak-ng could not be loaded or refused to speak."""


class Library:
    """The loaded and initialised library. Its state is global and not safe for threads.

    Attributes:
        rate_hz: Samples a second of what it speaks.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate_hz: int = self._library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT
        )
        if self.rate_hz <= 0:
            raise SpeechUnavailable("espeak-ng found no voice data")
        self._samples = bytearray()
        self._callback = _SYNTH_CALLBACK(self._take)  # kept: C holds only the pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        return 0

    def choose(self, voices: tuple[str, ...], pitch: int) -> None:
        """Takes the first of the voices that exists, at a pitch from 0 to 100."""
        for voice in voices:
            if self._library.espeak_SetVoiceByName(voice.encode()) == _OK:
                break
        else:
            raise SpeechUnavailable(f"espeak-ng has none of the voices {', '.join(voices)}")
        self._library.espeak_SetParameter(_PARAMETERS["rate"], WORDS_PER_MINUTE, 0)
        self._library.espeak_SetParameter(_PARAMETERS["pitch"], pitch, 0)

    def speak(self, text: str) -> bytes:
        """Returns the text as 16-bit native-endian mono samples."""
        self._samples.clear()
        encoded = text.replace("\0", " ").encode("utf-8", "replace")
        status = self._library.espeak_Synth(
            encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != _OK:
            raise SpeechUnavailable(f"espeak-ng could not speak (status {status})")
        return bytes(self._samples)


def main(voice: str, text: str) -> None:
    """Writes the text, spoken, to standard output as a WAV file."""
    library = Library()
    library.choose((voice,), OWN_PITCH)
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, library.rate_hz, 0, "NONE", ""))
        sound.writeframes(library.speak(text))
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Opus at the rates of this side, and with concealment: libopus itself.

PyAV 18's wrapper decodes to 48 kHz stereo, encodes from it, and can neither conceal a lost packet
nor read the copy of it that the next packet may carry (in-band FEC). The library that PyAV brings
along is loaded here a second time. A frame of 20 ms takes it 30 us to decode and 70 us to encode,
less than handing it to a thread and back (measured on one core of two).
"""

import ctypes
import functools
from ctypes.util import find_library
from pathlib import Path

import av

FRAME_S = 0.02
"""What one packet carries here; others may carry up to 120 ms."""
BITRATE_BPS = 48_000
"""For one voice of 24 kHz; no difference to the original can be heard."""
COMPLEXITY = 5
"""Of 10; more takes twice as long, for what cannot be heard at this bitrate."""

_LOW_DELAY = 2051
_SET_BITRATE, _SET_COMPLEXITY = 4002, 4010
_LONGEST_S = 0.12
_LARGEST_BYTES = 1275


class OpusDecoder:
    """Decodes the packets of one voice, as one channel.

    Args:
        rate_hz: Of the samples to come out: 8, 12, 16, 24 or 48 kHz.
    """

    def __init__(self, rate_hz: int) -> None:
        self._opus = _library()
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        if self._opus.opus_decoder_init(self._state, rate_hz, 1):
            raise ValueError(f"Opus has no rate of {rate_hz} Hz.")
        self._most = int(rate_hz * _LONGEST_S)
        self._pcm = ctypes.create_string_buffer(2 * self._most)
        self._samples = int(rate_hz * FRAME_S)

    def decode(self, payload: bytes) -> bytes:
        """The 16-bit samples of a packet; of one that is broken, what might have been in it."""
        if not payload:
            return self.conceal()
        samples = self._decode(payload, self._most)
        if samples < 0:
            return self.conceal()
        self._samples = samples
        return self._out(samples)

    def conceal(self, following: bytes | None = None) -> bytes:
        """In place of a lost packet, as long as the one before.

        Args:
            following: The packet right after it, which may carry a copy.
        """
        samples = self._decode(following or None, self._samples, fec=following is not None)
        if samples < 0:
            samples = self._decode(None, self._samples)
        return self._out(samples)

    def _decode(self, payload: bytes | None, samples: int, *, fec: bool = False) -> int:
        size = len(payload or b"")
        return self._opus.opus_decode(self._state, payload, size, self._pcm, samples, fec)

    def _out(self, samples: int) -> bytes:
        return ctypes.string_at(self._pcm, 2 * samples)


class OpusEncoder:
    """Encodes one voice, by the MDCT alone (CELT, as `OPUS_APPLICATION_RESTRICTED_LOWDELAY`).

    At this bitrate libopus would choose its other codec for a voice as well, which takes three times
    as long, is 4 ms later, and is further from the original (a signal-to-noise ratio of 10 dB, not 18).

    Args:
        rate_hz: Of the samples to go in: 8, 12, 16, 24 or 48 kHz.
    """

    def __init__(self, rate_hz: int) -> None:
        self._opus = _library()
        self._state = ctypes.create_string_buffer(self._opus.opus_encoder_get_size(1))
        if self._opus.opus_encoder_init(self._state, rate_hz, 1, _LOW_DELAY):
            raise ValueError(f"Opus has no rate of {rate_hz} Hz.")
        for setting, value in ((_SET_BITRATE, BITRATE_BPS), (_SET_COMPLEXITY, COMPLEXITY)):
            self._opus.opus_encoder_ctl(self._state, setting, ctypes.c_int(value))
        self._payload = ctypes.create_string_buffer(_LARGEST_BYTES)

    def encode(self, pcm: bytes) -> bytes:
        """The packet of `FRAME_S` of 16-bit samples."""
        size = self._opus.opus_encode(
            self._state, pcm, len(pcm) // 2, self._payload, _LARGEST_BYTES
        )
        if size < 0:
            raise ValueError(f"Opus takes {FRAME_S} s of sound at once, not {len(pcm)} bytes.")
        return ctypes.string_at(self._payload, size)


@functools.cache
def _library() -> ctypes.PyDLL:
    """The library in PyAV's wheel, or the system's where PyAV was built from source."""
    wheel = Path(av.__file__).parent
    brought = [*wheel.with_name("av.libs").glob("*opus*"), *wheel.glob(".dylibs/*opus*")]
    path = str(brought[0]) if brought else find_library("opus")
    if path is None:
        raise RuntimeError("There is no libopus: install PyAV from its wheel, or libopus.")
    # A `CDLL` would let go of the interpreter for each call and then stand in line for it.
    opus = ctypes.PyDLL(path)
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    opus.opus_decode.argtypes = [pointer, ctypes.c_char_p, number, pointer, number, number]
    opus.opus_encode.argtypes = [pointer, ctypes.c_char_p, number, pointer, number]
    opus.opus_encoder_ctl.argtypes = [pointer, number]
    return opus

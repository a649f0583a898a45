"""What callers send, made ready beforehand: a spoken question and a moving picture.

Encoding takes more than sending: eight callers who encode would be measured themselves.
"""

from __future__ import annotations

import fractions
import io
from dataclasses import dataclass

import av
import av.video.frame
import numpy as np
import soxr
from aiortc.codecs.opus import OpusEncoder
from av import AudioFrame, VideoFrame
from PIL import Image

from bench.media.loudness import LOUD
from tests.support.speech import speech

QUESTION = "Tell me what you see."
PACKET_S = 0.02
OPUS_RATE_HZ = 48_000
MODEL_RATE_HZ = 16_000
_LOOKAHEAD = 312
"""Samples at 48 kHz by which Opus is late (RFC 7845, pre-skip of libopus)."""
_BEFORE_END = 480
"""The last sample is in the middle of its packet: what a resampler shifts does not move it out."""

WIDTH, HEIGHT, FPS = 640, 480, 15
KEYFRAME_EVERY = 30
_VIDEO_S = 8
_VIDEO_BIT_RATE = 500_000


@dataclass(frozen=True)
class Spoken:
    """A question in pieces of 20 ms.

    Attributes:
        pieces: The last of them holds the last loud sample, the first the first one.
        silence: What is sent otherwise.
    """

    pieces: tuple[bytes, ...]
    silence: bytes

    @property
    def seconds(self) -> float:
        """How long it takes to say."""
        return len(self.pieces) * PACKET_S


def question_opus() -> Spoken:
    """The question as Opus packets of 20 ms."""
    size = round(OPUS_RATE_HZ * PACKET_S)
    samples = _aligned(_cut(speech(QUESTION)), size, before_end=_BEFORE_END + _LOOKAHEAD)
    quiet = np.zeros(25 * size, np.int16)
    encoder = OpusEncoder()
    packets: list[bytes] = []
    for number, piece in enumerate(np.concatenate((quiet, samples, quiet)).reshape(-1, size)):
        frame = AudioFrame.from_ndarray(piece[None, :], layout="mono")
        frame.sample_rate = OPUS_RATE_HZ
        frame.pts, frame.time_base = number * size, fractions.Fraction(1, OPUS_RATE_HZ)
        packets += encoder.encode(frame)[0]
    return Spoken(tuple(packets[25 : 25 + len(samples) // size]), packets[24])


def question_pcm() -> Spoken:
    """The question as 20 ms of 16 kHz PCM each."""
    size = round(MODEL_RATE_HZ * PACKET_S)
    samples = soxr.resample(_cut(speech(QUESTION)), OPUS_RATE_HZ, MODEL_RATE_HZ)
    samples = _aligned(_cut(samples), size, before_end=_BEFORE_END // 3)
    pieces = tuple(piece.tobytes() for piece in samples.reshape(-1, size))
    return Spoken(pieces, bytes(2 * size))


def _cut(samples: np.ndarray) -> np.ndarray:
    """Speech from its first to its last sample well above loud; at the end, steeply."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 4 * LOUD * 32768)
    return samples[loud[0] : loud[-1] + 1]


def _aligned(samples: np.ndarray, size: int, *, before_end: int) -> np.ndarray:
    """Speech in whole pieces that ends so many samples before its last piece does.

    What is over, less than a piece, is cut off at the front.
    """
    return np.pad(samples[(len(samples) + before_end) % size :], (0, before_end))


def camera_vp8() -> tuple[bytes, ...]:
    """Eight seconds of 640x480 at 15 fps as VP8, to be repeated; every 30th is a keyframe."""
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.bit_rate = _VIDEO_BIT_RATE
    codec.time_base = fractions.Fraction(1, FPS)
    codec.gop_size = KEYFRAME_EVERY
    codec.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    packets: list[bytes] = []
    for number in range(_VIDEO_S * FPS):
        frame = VideoFrame.from_ndarray(picture(number), format="rgb24")
        frame.pts, frame.time_base = number, codec.time_base
        if number % KEYFRAME_EVERY == 0:
            frame.pict_type = av.video.frame.PictureType.I
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(packets)


def camera_jpeg() -> tuple[bytes, ...]:
    """The same picture once a second, as JPEG."""
    pictures: list[bytes] = []
    for number in range(0, _VIDEO_S * FPS, FPS):
        with io.BytesIO() as file:
            Image.fromarray(picture(number)).save(file, "JPEG", quality=75)
            pictures.append(file.getvalue())
    return tuple(pictures)


def picture(number: int) -> np.ndarray:
    """A head that sways and speaks before a wall, with a camera's noise; RGB."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    phase = 2 * np.pi * number / (_VIDEO_S * FPS)
    center_x, center_y = WIDTH / 2 + 60 * np.sin(phase), HEIGHT / 2 + 15 * np.sin(2 * phase)
    head = ((x - center_x) / 110) ** 2 + ((y - center_y) / 150) ** 2 < 1
    opening = 8 + 8 * np.sin(24 * phase)
    mouth = ((x - center_x) / 40) ** 2 + ((y - center_y - 70) / opening) ** 2 < 1
    wall = 90 + 60 * x / WIDTH + 20 * np.sin(y / 20)
    shade = np.stack((wall, wall * 0.9, wall * 0.8), axis=-1)
    shade[head] = (205, 160, 135)
    shade[mouth] = (90, 25, 30)
    noise = np.random.default_rng(number).normal(0, 3, (HEIGHT, WIDTH, 1))
    return np.clip(shade + noise, 0, 255).astype(np.uint8)

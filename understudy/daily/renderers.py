"""What a client's application gets to hear and see of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from understudy.daily.wire import Media

_MAX_HELD_S = 1.0
"""Sound that waits longer because the thread stood still is lost."""


@dataclass(frozen=True, kw_only=True)
class AudioData:
    """As daily-python's."""

    bits_per_sample: int
    sample_rate: int
    num_channels: int
    num_audio_frames: int
    audio_frames: bytes


@dataclass(frozen=True, kw_only=True)
class VideoFrame:
    """As daily-python's."""

    buffer: bytes
    width: int
    height: int
    timestamp_us: int
    color_format: str


class AudioRenderer:
    """Takes sound as it comes and gives it out in even pieces, with silence where there is none.

    Args:
        callback: Whom it is for.
        sample_rate: In Hz, of what is given out.
        interval_s: How long a piece is.
    """

    def __init__(
        self, callback: Callable[..., Any], *, sample_rate: int, interval_s: float
    ) -> None:
        self.callback = callback
        self._rate_hz = sample_rate
        self._samples = round(sample_rate * interval_s)
        self._held = np.zeros(0, np.int16)
        self._stream: tuple[int, soxr.ResampleStream] | None = None
        self._is_flowing = False
        silence = np.zeros(self._samples, np.int16)
        self._silence = self._data(silence)

    def take(self, media: Media) -> None:
        """Takes sound of the participant's."""
        samples = np.frombuffer(media.payload, np.int16)
        if media.first != self._rate_hz:
            if self._stream is None or self._stream[0] != media.first:
                stream = soxr.ResampleStream(
                    media.first, self._rate_hz, 1, dtype="int16", quality="QQ"
                )
                self._stream = media.first, stream
            samples = self._stream[1].resample_chunk(samples)
        self._held = np.concatenate((self._held, samples))[-round(self._rate_hz * _MAX_HELD_S) :]

    def next(self) -> AudioData:
        """Gives out the next piece.

        Sound that begins waits for one piece more, so that a late one leaves no gap.
        """
        needed = self._samples if self._is_flowing else 2 * self._samples
        if len(self._held) < needed:
            return self._run_dry() if self._held.size or self._stream else self._silence
        self._is_flowing = True
        piece, self._held = self._held[: self._samples], self._held[self._samples :]
        return self._data(piece)

    def _run_dry(self) -> AudioData:
        if not self._is_flowing:
            if not self._held.size:
                return self._silence
            self._is_flowing = True  # it has waited for one piece: what is there is all
            return self._silence
        if self._stream is not None:
            rest = self._stream[1].resample_chunk(np.zeros(0, np.int16), last=True)
            self._held = np.concatenate((self._held, rest))
            self._stream = None
        piece, self._held = self._held[: self._samples], self._held[self._samples :]
        self._is_flowing = bool(self._held.size)
        missing = self._samples - len(piece)
        return self._data(np.concatenate((piece, np.zeros(missing, np.int16))))

    def _data(self, samples: np.ndarray) -> AudioData:
        return AudioData(
            bits_per_sample=16,
            sample_rate=self._rate_hz,
            num_channels=1,
            num_audio_frames=len(samples),
            audio_frames=samples.tobytes(),
        )


def video_frame(media: Media, *, color_format: str, timestamp_us: int) -> VideoFrame:
    """A picture as an application asked for it.

    Args:
        media: The picture, RGB.
        color_format: `RGB`, `RGBA`, `BGR` or `BGRA`.
        timestamp_us: Of the picture.
    """
    pixels = media.payload
    if color_format != "RGB":
        rgb = np.frombuffer(pixels, np.uint8).reshape(-1, 3)
        opaque = np.full((len(rgb), 1), 255, np.uint8)
        rgba = np.concatenate((rgb, opaque), axis=1)
        pixels = np.ascontiguousarray(rgba[:, ["RGBA".index(c) for c in color_format]]).tobytes()
    return VideoFrame(
        buffer=pixels,
        width=media.first,
        height=media.second,
        timestamp_us=timestamp_us,
        color_format=color_format,
    )

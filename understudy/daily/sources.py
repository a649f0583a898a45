"""Stand-ins for daily-python's custom sources and tracks: what a bot says and shows."""

from __future__ import annotations

import threading
import uuid
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from understudy.daily.engine import engine
from understudy.daily.wire import PICTURE, PIECE_S, SOUND, Media

_ON_TIME_S = 0.03
"""What is written so soon after the last was played follows it without a gap: a busy event loop's
delay is no silence."""


class Sink(Protocol):
    """Where a track leads; it is called on the engine's thread."""

    def __call__(self, media: Media) -> None:
        """Takes a piece of sound or a picture."""
        ...


class CustomAudioSource:
    """Plays what is written, in real time, whether or not anybody listens."""

    def __init__(self, sample_rate: int, channels: int, auto_silence: bool = True) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self.sinks: dict[str, Sink] = {}
        self._engine = engine()
        self._free_at_s = 0.0

    def write_frames(self, frame: bytes, completion: Callable[[int], Any] | None = None) -> int:
        """Plays samples.

        Args:
            frame: Interleaved int16 samples.
            completion: Is told how many were played, when they were; without it, this blocks.

        Returns:
            How many samples of each channel were played; with a completion: 0.
        """
        if completion is not None:
            self._engine.soon(self._write, bytes(frame), completion)
            return 0
        played = threading.Event()
        self._engine.soon(self._write, bytes(frame), lambda count: played.set())
        played.wait()
        return len(frame) // (2 * self.channels)

    def _write(self, frame: bytes, completion: Callable[[int], Any]) -> None:
        loop = self._engine.loop
        now_s = loop.time()
        begins_s = self._free_at_s if now_s < self._free_at_s + _ON_TIME_S else now_s
        piece = 2 * self.channels * round(self.sample_rate * PIECE_S)
        for number, at in enumerate(range(0, len(frame), piece)):
            loop.call_at(begins_s + number * PIECE_S, self._play, frame[at : at + piece])
        count = len(frame) // (2 * self.channels)
        self._free_at_s = begins_s + count / self.sample_rate
        loop.call_at(self._free_at_s, self._engine.completions.call, completion, count)

    def _play(self, piece: bytes) -> None:
        if not self.sinks or piece.count(0) == len(piece):
            return  # silence is what a room hears without it
        samples = piece
        if self.channels > 1:
            samples = np.frombuffer(piece, np.int16)[:: self.channels].tobytes()
        for source, sink in list(self.sinks.items()):
            sink(Media(SOUND, source.partition("/")[2], self.sample_rate, 1, samples))


class CustomVideoSource:
    """Shows what is written."""

    def __init__(self, width: int, height: int, color_format: str = "RGBA") -> None:
        self.width = width
        self.height = height
        self.color_format = color_format
        self.sinks: dict[str, Sink] = {}
        self._engine = engine()

    def write_frame(self, frame: bytes) -> None:
        """Shows a picture, as long as the source is wide and high."""
        self._engine.soon(self._show, bytes(frame))

    def _show(self, frame: bytes) -> None:
        channels = len(self.color_format)
        pixels = np.frombuffer(frame, np.uint8).reshape(-1, channels)
        order = [self.color_format.index(colour) for colour in "RGB"]
        shown = np.ascontiguousarray(pixels[:, order]).tobytes()
        for source, sink in list(self.sinks.items()):
            sink(Media(PICTURE, source.partition("/")[2], self.width, self.height, shown))


class CustomAudioTrack:
    """Leads a source into a call."""

    def __init__(self, audio_source: CustomAudioSource) -> None:
        self.id = str(uuid.uuid4())
        self.source = audio_source
        _tracks[self.id] = self


class CustomVideoTrack:
    """Leads a source into a call."""

    def __init__(self, video_source: CustomVideoSource) -> None:
        self.id = str(uuid.uuid4())
        self.source = video_source
        _tracks[self.id] = self


Track = CustomAudioTrack | CustomVideoTrack

_tracks: weakref.WeakValueDictionary[str, Track] = weakref.WeakValueDictionary()


def track(id: object) -> Track | None:
    """The track of an id, as the settings of a call name it."""
    return _tracks.get(str(id))

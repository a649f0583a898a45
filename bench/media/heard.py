"""What a caller hears, as it is played: which piece when, and where in it speech is. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from bench.media.loudness import loud_span

Row = tuple[float, float, float | None, float | None]
"""Played from (monotonic seconds), for how long, first and last loud sample within (seconds)."""

_MEMORY_S = 0.2


@dataclass
class Heard:
    """What was played so far.

    Attributes:
        rows: One for each piece.
    """

    rows: list[Row] = field(default_factory=list)
    _free_s: float = 0.0
    _offsets: deque[tuple[float, float]] = field(default_factory=deque)

    def play(self, samples: np.ndarray, *, rate_hz: int, at_s: float, media_s: float) -> None:
        """A piece of a stream that keeps time itself.

        It is played as it comes, but never before its place behind those that came just before:
        as from the smallest jitter buffer that would have done for them.

        Args:
            samples: int16, mono.
            rate_hz: Of the samples.
            at_s: When it came.
            media_s: Its place in the stream.
        """
        offsets = self._offsets
        offset_s = at_s - media_s
        while offsets and (
            at_s - offsets[0][0] > _MEMORY_S or abs(offset_s - offsets[0][1]) > _MEMORY_S
        ):
            offsets.popleft()
        offsets.append((at_s, offset_s))
        begins_s = media_s + max(offset_s for _, offset_s in offsets)
        self._add(samples, rate_hz=rate_hz, at_s=begins_s)

    def queue(self, samples: np.ndarray, *, rate_hz: int, at_s: float) -> None:
        """A piece that is played when those before it have been."""
        begins_s = max(at_s, self._free_s)
        self._free_s = begins_s + len(samples) / rate_hz
        self._add(samples, rate_hz=rate_hz, at_s=begins_s)

    def flush(self, at_s: float) -> None:
        """What is not played yet never will be."""
        kept: list[Row] = []
        for begins_s, seconds, first_s, last_s in self.rows:
            if begins_s >= at_s:
                continue
            rest_s = min(seconds, at_s - begins_s)
            if first_s is None or last_s is None or first_s >= rest_s:
                kept.append((begins_s, rest_s, None, None))
            else:
                kept.append((begins_s, rest_s, first_s, min(last_s, rest_s)))
        self.rows = kept
        self._free_s = min(self._free_s, at_s)

    def is_loud_since(self, since_s: float, now_s: float) -> bool:
        """Whether speech was heard from a time until now."""
        for begins_s, _, first_s, last_s in reversed(self.rows):
            if first_s is None or last_s is None:
                if begins_s < since_s - 1:
                    return False
            elif begins_s + first_s <= now_s:
                return begins_s + last_s > since_s
        return False

    def _add(self, samples: np.ndarray, *, rate_hz: int, at_s: float) -> None:
        first_s, last_s = loud_span(samples, rate_hz=rate_hz)
        self.rows.append((at_s, len(samples) / rate_hz, first_s, last_s))

"""The sound of several people becomes one stream, as the model takes it. Pure.

Time comes with each piece. One person's sound goes through as it comes. Of several each has a
queue, and once every 20 ms of time a piece of each goes out, added up: never more than there is
time for, whatever comes late and then all at once.
"""

import numpy as np

from pipeline.loudness import is_quiet

PIECE_S = 0.02
AHEAD = 2
"""So many pieces of a voice are there before it begins: those after them come a little late at times."""
MOST = 10
"""So many pieces of a voice wait at most; of what comes in a heap the oldest is left out."""
RELAXED = 3
"""Where more wait than this, those without a voice are left out."""
RESTS_AFTER_S = 0.06
"""A voice of which nothing has come for so long has ended: what is left of it goes out."""
GONE_AFTER_S = 1.0
"""Who has sent nothing for so long is not waited for."""


class Mixer:
    """Adds voices up.

    Args:
        rate_hz: Of all sound, 16-bit samples of one channel.

    Attributes:
        left_out_s: How much sound has been left out of what was too late.
    """

    def __init__(self, *, rate_hz: int = 16_000):
        self._piece_bytes = round(PIECE_S * rate_hz) * 2
        self._voices: dict[str, _Voice] = {}
        self._next_s: float | None = None
        self.left_out_s = 0.0

    def add(self, who: str, pcm: bytes, now_s: float) -> bytes:
        """Take sound; returns what goes out now, of all: nothing, or pieces of 20 ms.

        Args:
            who: Whose it is.
            pcm: 16-bit samples.
            now_s: The time, monotonic.
        """
        for gone in [id for id, v in self._voices.items() if now_s - v.heard_s > GONE_AFTER_S]:
            del self._voices[gone]
        voice = self._voices.setdefault(who, _Voice(self._piece_bytes))
        voice.heard_s = now_s
        if len(self._voices) == 1:
            self._next_s = None
            return voice.all(pcm)
        self.left_out_s += voice.add(pcm) * PIECE_S
        return self._due(now_s)

    @property
    def is_mixing(self) -> bool:
        """Whether there is more than one voice."""
        return self._next_s is not None

    def _due(self, now_s: float) -> bytes:
        if self._next_s is None or now_s - self._next_s > MOST * PIECE_S:
            # Where nothing has come of anybody, nothing is to be made up for.
            self._next_s = now_s + PIECE_S
        out = bytearray()
        while self._next_s <= now_s:
            self._next_s += PIECE_S
            out += self._mixed(now_s)
        return bytes(out)

    def _mixed(self, now_s: float) -> bytes:
        pieces = [piece for v in self._voices.values() if (piece := v.next(now_s)) is not None]
        self.left_out_s += sum(v.relax() for v in self._voices.values()) * PIECE_S
        if len(pieces) < 2:
            return pieces[0] if pieces else b""
        total = np.zeros(self._piece_bytes // 2, np.int32)
        for piece in pieces:
            total += np.frombuffer(piece, np.int16)
        return np.clip(total, -32768, 32767).astype(np.int16).tobytes()


class _Voice:
    """What has come of one person and has not gone out."""

    def __init__(self, piece_bytes: int):
        self._size = piece_bytes
        self._pcm = bytearray()
        self._is_running = False
        self.heard_s = 0.0

    def all(self, pcm: bytes) -> bytes:
        if not self._pcm:
            return pcm
        waited = bytes(self._pcm)
        self._pcm.clear()
        self._is_running = False
        return waited + pcm

    def add(self, pcm: bytes) -> int:
        """Returns how many pieces gave way."""
        self._pcm += pcm
        pieces = max(len(self._pcm) // self._size - MOST, 0)
        del self._pcm[: pieces * self._size]
        return pieces

    def next(self, now_s: float) -> bytes | None:
        has_ended = now_s - self.heard_s > RESTS_AFTER_S
        enough = self._size if self._is_running else AHEAD * self._size
        if not self._pcm or len(self._pcm) < enough and not has_ended:
            self._is_running = False
            return None
        self._is_running = True
        piece = bytes(self._pcm[: self._size])
        del self._pcm[: self._size]
        return piece.ljust(self._size, b"\0")

    def relax(self) -> int:
        """Catch up where nobody hears it; returns how many pieces were left out."""
        if len(self._pcm) <= RELAXED * self._size:
            return 0
        if not is_quiet(bytes(self._pcm[: self._size])):
            return 0
        del self._pcm[: self._size]
        return 1

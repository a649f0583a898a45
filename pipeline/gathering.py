"""Quiet sound goes to the model in larger messages, where nobody waits for it. Pure.

Each message costs 0.5 ms of a core on the way to the socket, whatever its length, and most sound is
silence. What can be a voice goes at once; and so does the silence after it, by which the model
tells that somebody has finished.
"""

import math

from pipeline.loudness import is_quiet

QUIET_AFTER_S = 2.0
"""How long it has been quiet before messages become larger: by then the model has answered."""
MESSAGE_S = 0.1


class Gathering:
    """Holds back quiet sound until there is a message full of it."""

    def __init__(self) -> None:
        self._pcm = b""
        self._rate_hz = 0
        self._loud_s = -math.inf

    def add(self, pcm: bytes, rate_hz: int, now_s: float) -> list[tuple[bytes, int]]:
        """Take sound.

        Args:
            pcm: 16-bit little-endian mono samples.
            rate_hz: Samples a second.
            now_s: The time.

        Returns:
            What is to go to the model now, with its rate.
        """
        out = self.rest() if rate_hz != self._rate_hz else []
        if not self._rate_hz or not is_quiet(pcm):
            self._loud_s = now_s
        self._pcm, self._rate_hz = self._pcm + pcm, rate_hz
        is_full = len(self._pcm) >= MESSAGE_S * rate_hz * 2
        if is_full or now_s < self._loud_s + QUIET_AFTER_S:
            out += self.rest()
        return out

    def rest(self) -> list[tuple[bytes, int]]:
        """What is still held back, with its rate: at most one message."""
        pcm, self._pcm = self._pcm, b""
        return [(pcm, self._rate_hz)] if pcm else []

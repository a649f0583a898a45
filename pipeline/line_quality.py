"""How good the caller's line is, by what both of its ends count. Pure.

Cumulative counters go in, with the time; how much less video the line needs comes out. What is lost
counts in each direction, and the worse one; a round trip by how much longer it takes than it did,
for a queue makes it so and a distance does not.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_S = 5.0
"""For how long what was lost counts."""
FEWEST = 20
"""Of fewer packets no fraction is told."""
LOSS = (0.01, 0.10)
RTT_RISE_S = (0.1, 0.5)
JITTER_S = (0.03, 0.12)
"""Where pressure begins, and where it is full. One packet in a hundred is what FEC is for."""
HIGHEST = 0.99
"""Less than 1, at which nothing at all would be shown."""
HELD_S = 6.0
EASED_A_S = 0.08
"""Pressure comes at once, stays for a while and goes by so much a second. A line that is good again
only because less is sent over it would be bad again at once, and so to and fro."""
RTT_FORGOTTEN = 0.001
"""In seconds a second: how fast the shortest round trip is forgotten, for a line may change."""


@dataclass(frozen=True)
class Count:
    """What a stream's receiver has counted since it began.

    Parameters:
        expected: How many packets were sent.
        lost: How many of them did not come.
    """

    expected: int
    lost: int


class LineQuality:
    """Judges a line.

    Attributes:
        loss: Which part of the packets was lost lately, in the worse direction.
        pressure: How hard it is to get anything over the line, from 0 to `HIGHEST`.
    """

    def __init__(self) -> None:
        self.loss = 0.0
        self.pressure = 0.0
        self._received, self._sent = _Losses(), _Losses()
        self._shortest_rtt_s: float | None = None
        self._now_s: float | None = None
        self._held_until_s = 0.0

    def measured(
        self,
        *,
        received: Mapping[int, Count],
        sent: Mapping[int, Count],
        rtt_s: float | None,
        jitter_s: float,
        now_s: float,
    ) -> None:
        """Takes what was counted.

        Args:
            received: By us, of each stream of the caller's, by its SSRC.
            sent: By the caller, of each stream of ours.
            rtt_s: The round trip; None when it is not known yet.
            jitter_s: Of the caller's sound.
            now_s: The time.
        """
        elapsed_s = 0.0 if self._now_s is None else now_s - self._now_s
        self._now_s = now_s
        self.loss = max(self._received.after(received, now_s), self._sent.after(sent, now_s))
        pressure = max(
            _between(self.loss, LOSS),
            _between(self._rise_s(rtt_s, elapsed_s), RTT_RISE_S),
            _between(jitter_s, JITTER_S),
        )
        pressure = min(pressure, HIGHEST)
        if pressure >= self.pressure:
            self.pressure, self._held_until_s = pressure, now_s + HELD_S
        elif now_s >= self._held_until_s:
            self.pressure = max(pressure, self.pressure - EASED_A_S * elapsed_s)

    def _rise_s(self, rtt_s: float | None, elapsed_s: float) -> float:
        if rtt_s is None:
            return 0.0
        shortest_s = self._shortest_rtt_s
        if shortest_s is None:
            shortest_s = rtt_s
        self._shortest_rtt_s = min(rtt_s, shortest_s + RTT_FORGOTTEN * elapsed_s)
        return rtt_s - self._shortest_rtt_s


class _Losses:
    """What was lost in one direction, over a window."""

    def __init__(self) -> None:
        self._last: Mapping[int, Count] = {}
        self._window: deque[tuple[float, int, int]] = deque()

    def after(self, counts: Mapping[int, Count], now_s: float) -> float:
        """Returns which part was lost lately."""
        expected = lost = 0
        for ssrc, count in counts.items():
            last = self._last.get(ssrc)
            # A stream that is new, or has begun to count anew, says nothing yet.
            if last and count.expected >= last.expected:
                expected += count.expected - last.expected
                lost += count.lost - last.lost
        self._last = dict(counts)
        self._window.append((now_s, expected, lost))
        while self._window[0][0] <= now_s - WINDOW_S:
            self._window.popleft()
        expected = sum(entry[1] for entry in self._window)
        lost = sum(entry[2] for entry in self._window)
        return max(lost, 0) / expected if expected >= FEWEST else 0.0


def _between(value: float, bounds: tuple[float, float]) -> float:
    least, most = bounds
    return min(max((value - least) / (most - least), 0.0), 1.0)

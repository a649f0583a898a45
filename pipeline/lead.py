"""How much speech the output has that it has still to play. Pure.

The clock knows when that is over if the output never stops for a moment; the output itself says
what it has played, if it does. It is always behind the clock: a busy event loop makes it play a
little silence between two pieces (10 ms in most cases; 200 to 400 ms in 30 s on a busy machine).
"""

import math

PIECE_S = 0.02
"""What the outputs write at once (see `transports`): so they never keep a rest."""
AHEAD_S = 0.06
"""How much speech the output has at most; it plays that much on when speech is held."""
SILENT_S = 0.5
"""An output that has not said for so long that it played something does not say so at all."""
_PIECES = round(AHEAD_S / PIECE_S)


class Lead:
    """Follows what the output is given, piece by piece, and what it plays.

    Attributes:
        end_s: When the output has played everything, by the clock.
    """

    def __init__(self) -> None:
        self.end_s = -math.inf
        self._unplayed_s = 0.0
        self._told_s: float | None = None

    def gave(self, now_s: float) -> None:
        """The output was given a piece."""
        if self._told_s is not None and now_s >= self._told_s + SILENT_S:
            self._told_s, self._unplayed_s = None, 0.0
        elif self._told_s is not None and self._unplayed_s == 0.0:
            self._told_s = now_s
        self._unplayed_s += PIECE_S
        self.end_s = max(self.end_s, now_s) + PIECE_S

    def played(self, seconds: float, now_s: float) -> None:
        """The output says that it has played so much."""
        self._told_s = now_s
        self._unplayed_s = max(0.0, self._unplayed_s - seconds)

    def dropped(self) -> None:
        """The output has thrown away what it had."""
        self.end_s, self._unplayed_s = -math.inf, 0.0

    def due_s(self, early_s: float) -> float:
        """When the next piece is to be given: so long before the end, if there is room for it."""
        due_s = self.end_s - early_s
        if self._told_s is not None and round(self._unplayed_s / PIECE_S) >= _PIECES:
            due_s = max(due_s, self._told_s + SILENT_S)
        return due_s

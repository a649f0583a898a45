"""How late speech arrives for playing, and so how long it should be gathered before. Pure."""

MAX_DELAY_S = 0.3
"""The longest that speech is gathered so that it does not break off."""
HOPELESS_S = 0.6
"""Speech that came this late breaks off however long it was gathered."""
_LEAST_S = 0.02


class Arrival:
    """Follows stretches of speech as they arrive.

    What the model sends in bursts is never late and never waits. Where a stretch came late for
    playing without a break, the next one is gathered for as long before it begins; when stretches
    come in time again, half as long each time, and soon not at all.

    Attributes:
        delay_s: For how long the next stretch is gathered before it begins.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self._began_s: float | None = None
        self._came_s = 0.0
        self._late_s = 0.0
        self._breaks = 0

    def came(self, duration_s: float, now_s: float) -> None:
        """Some speech of a stretch has arrived."""
        if self._began_s is None:
            self._began_s = now_s
        self._late_s = max(self._late_s, now_s - self._began_s - self._came_s)
        self._came_s += duration_s

    def broke(self) -> float:
        """The stretch broke off; returns for how long it is gathered before it goes on.

        Once may be chance. After that it comes too slowly: a few longer breaks are easier to
        listen to than one after each piece.
        """
        self._breaks += 1
        return MAX_DELAY_S if self._breaks > 1 else 0.0

    def ended(self) -> None:
        """The stretch is complete."""
        if self._began_s is None:
            return
        late_s = 0.0 if self._late_s > HOPELESS_S else min(self._late_s, MAX_DELAY_S)
        delay_s = max(late_s, self.delay_s / 2)
        self.delay_s = delay_s if delay_s >= _LEAST_S else 0.0
        self._began_s, self._came_s, self._late_s, self._breaks = None, 0.0, 0.0, 0

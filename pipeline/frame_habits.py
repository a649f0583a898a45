"""Which places of a screen do what they always do: a cursor that blinks, a clock that ticks. Pure.

What such a place shows differs from what the model was shown, each time again, and is no news. A
place is a tile of the small picture. It blinks when it shows again what it showed a moment ago, and
ticks when it changes once a second. As soon as it does something else, or stops, it counts again: a
letter typed at a cursor is no return, and a clock that has stopped has become a number.
"""

import numpy as np

TILE_PX = 8
RETURNS_S = 1.5
"""What was there so shortly ago and is there again has only blinked. A page that is turned back so
fast is shown when it has stood for as long."""
TICK_S = (0.7, 1.3)
"""Between two ticks, told by looks that are 0.2 s apart."""
STOPPED_S = 1.5
"""After the last tick."""
SHARE = 0.03
"""Of all places; where more of them have habits it is the picture that moves."""


class Habits:
    """Learns the habits of the places of one picture.

    Args:
        gist: The first small picture.
    """

    def __init__(self, gist: np.ndarray):
        tiles = [side // TILE_PX for side in gist.shape]
        self._before = gist.copy()
        self._before_s = np.full(tiles, -np.inf)
        self._ticked_s = np.full(tiles, -np.inf)
        self._gap_s = np.full(tiles, np.inf)
        self._until_s = np.full(tiles, -np.inf)
        self._broken = np.zeros(tiles, bool)

    def after(
        self,
        last: np.ndarray,
        *,
        changed: np.ndarray,
        stirred: np.ndarray,
        is_as_before: np.ndarray,
        now_s: float,
        last_s: float,
    ) -> np.ndarray:
        """Takes a look; returns which places do what they always do.

        Args:
            last: The small picture of the look before.
            changed: Which places differ from it.
            stirred: Which differ from it at all: one second may look much like the next.
            is_as_before: Which are as they were before they last changed, see `before`.
            now_s: The time.
            last_s: That of the look before.
        """
        if stirred.any():
            gap_s = now_s - self._ticked_s
            in_time = stirred & _is_tick(gap_s)
            blinks = changed & is_as_before & (now_s - self._before_s <= RETURNS_S)
            ticks = in_time & _is_tick(self._gap_s)
            # The tens of its seconds may be in the next place.
            beside = _widened(ticks) & (changed | (self._until_s >= now_s))
            as_always = blinks | ticks | beside
            self._broken |= changed & ~as_always & (self._until_s >= now_s)
            self._until_s[changed] = -np.inf
            self._until_s[blinks] = now_s + RETURNS_S
            self._until_s[ticks | beside] = now_s + STOPPED_S
            pixels = changed.repeat(TILE_PX, axis=0).repeat(TILE_PX, axis=1)
            self._before[pixels] = last[pixels]
            self._before_s[changed] = last_s
            self._gap_s[changed | in_time] = gap_s[changed | in_time]
            self._ticked_s[changed | in_time] = now_s
        habits = self._until_s >= now_s
        return habits & (habits.mean() <= SHARE)

    @property
    def is_broken(self) -> bool:
        """Whether a place has done something else since `was_shown`, though it may go on as always."""
        return bool(self._broken.any())

    def was_shown(self) -> None:
        """Takes note that the model was shown what there is."""
        self._broken[:] = False

    @property
    def before(self) -> np.ndarray:
        """What each place showed before it last changed."""
        return self._before


def _is_tick(gap_s: np.ndarray) -> np.ndarray:
    shortest_s, longest_s = TICK_S
    return (gap_s >= shortest_s) & (gap_s <= longest_s)


def _widened(places: np.ndarray) -> np.ndarray:
    """Returns the places with their eight neighbours."""
    wide = np.pad(places, 1)
    for axis in (0, 1):
        wide = wide | np.roll(wide, 1, axis) | np.roll(wide, -1, axis)
    return wide[1:-1, 1:-1]

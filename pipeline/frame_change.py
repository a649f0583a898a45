"""Whether a frame shows anything that the model has not been shown. Pure.

Frames are compared as small grey pictures, tile by tile: a word on a screen or a finger is nothing
in the mean of a whole picture, and much in a tile of its own. What a tile does all the time (a mouth
that speaks, a film in a window, a noisy sensor) is learned and counts for less: for news it must do
something that it does not usually do. A tile that has been quiet has only to change. On a screen, what
blinks or ticks counts for nothing (see `frame_habits`).
"""

import math
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from pipeline.frame_habits import TILE_PX, Habits

GIST_PX = {"screenVideo": 384}
DEFAULT_GIST_PX = 160
"""The long edge of the small grey picture: a word of 12 px type on a screen of 1920 px is ten pixels
of it, a raised hand in a camera's picture several tiles."""

LEAST = 4.0
"""In grey levels of 256, root mean square over a tile: below it is noise of sensors and codecs."""
FAINT = 1.0
"""What is at all, on a screen; enough for the tick of a clock, whose digits are much alike."""
LEARNED_S = 2.0
FORGOTTEN_S = 5.0
"""How long it takes to learn a tile's habit, and to forget it."""
USUAL_TIMES = 5.0
"""How far beyond its usual step a tile must go to show something new. What jumps to and fro goes one
or two usual steps; a page that turns every two seconds takes its usual step, which counts the nine
looks in ten at which nothing happens, by more than five."""
LARGE_SHARE = 0.3
_LARGEST_SHIFT = 12.0
"""What a camera's exposure adds to all of a picture is no change; more than this is a lamp."""
_LONGEST_STEP_S = 1.0
_NEIGHBOURS = np.ones((3, 3), np.uint8)


class Change(IntEnum):
    """How a frame differs from the last one that was shown, the more the higher.

    `STILL`: not at all. `SMALL`, `LARGE`: what moves all the time has moved on, a part or most of
    the picture. `NEW`: something happened.
    """

    STILL = 0
    SMALL = 1
    LARGE = 2
    NEW = 3


@dataclass(frozen=True)
class Glance:
    """What a look at a frame tells.

    Parameters:
        change: Since the last frame that was shown.
        stirs: Whether anything differs from the frame before.
    """

    change: Change
    stirs: bool


class ChangeDetector:
    """Compares the frames of one source with what the model was shown of it.

    Args:
        source: `camera`, `screenVideo` or a transport's own name. On a screen every pixel has its
            place; before a camera, heads sway and hands shake: what has moved by less than one
            pixel of the small picture has not moved.
    """

    def __init__(self, source: str):
        self._sways = source != "screenVideo"
        self._shown: _Picture | None = None
        self._last: _Picture | None = None
        self._last_s = 0.0
        self._usual = np.zeros(0)
        self._habits = Habits(np.zeros((0, 0)))

    def look(self, gist: np.ndarray, *, now_s: float) -> Glance:
        """Compares a frame.

        Args:
            gist: The frame, small: grey levels of 0 to 255, both sides multiples of `TILE_PX`.
            now_s: The time.
        """
        picture, last = _Picture(gist.astype(np.float32), sways=self._sways), self._last
        if last is None or last.gist.shape != gist.shape:
            self._shown = None
            self._usual = np.zeros([side // TILE_PX for side in gist.shape], np.float32)
            self._habits = Habits(picture.gist)
            self._last, self._last_s = picture, now_s
            return Glance(Change.NEW, stirs=True)
        step = last.difference(picture.gist)
        counts = ~self._do_as_always(picture.gist, last.gist, step, now_s)
        shown = self._shown
        change = Change.NEW if not shown else self._change(shown.difference(picture.gist) * counts)
        self._learn(step, now_s)
        self._last, self._last_s = picture, now_s
        return Glance(change, stirs=bool((counts & (step > LEAST)).any()))

    def was_shown(self) -> None:
        """Takes note that the model was shown the frame that was looked at last."""
        self._shown = self._last
        self._habits.was_shown()

    def _do_as_always(
        self, gist: np.ndarray, last: np.ndarray, step: np.ndarray, now_s: float
    ) -> np.ndarray:
        """Returns which tiles blink or tick; before a camera, none."""
        if self._sways:
            return np.zeros(step.shape, bool)
        habits = self._habits
        is_as_before = _Picture(habits.before, sways=False).difference(gist) <= LEAST
        return habits.after(
            last,
            changed=step > LEAST,
            stirred=step > FAINT,
            is_as_before=is_as_before,
            now_s=now_s,
            last_s=self._last_s,
        )

    def _change(self, distance: np.ndarray) -> Change:
        differs = distance > LEAST
        if self._habits.is_broken or (differs & (distance > USUAL_TIMES * self._usual)).any():
            return Change.NEW
        if not differs.any():
            return Change.STILL
        return Change.LARGE if differs.mean() > LARGE_SHARE else Change.SMALL

    def _learn(self, step: np.ndarray, now_s: float) -> None:
        after_s = min(now_s - self._last_s, _LONGEST_STEP_S)
        learned, forgotten = (1 - math.exp(-after_s / s) for s in (LEARNED_S, FORGOTTEN_S))
        more = step - self._usual
        self._usual += np.where(more > 0, learned, forgotten) * more


def gist_size(width: int, height: int, *, source: str) -> tuple[int, int]:
    """Returns how small a frame is to be made, in pixels, for a look at it."""
    factor = GIST_PX.get(source, DEFAULT_GIST_PX) / max(width, height)
    wide, high = (max(round(side * factor / TILE_PX), 1) * TILE_PX for side in (width, height))
    return wide, high


class _Picture:
    """A small picture that others are compared with.

    OpenCV does in one call what takes NumPy sixteen; each call lets go of the interpreter and then
    stands in line for it.

    Args:
        gist: Grey levels.
        sways: Whether what has moved by a pixel has not moved.
    """

    def __init__(self, gist: np.ndarray, *, sways: bool):
        self.gist = gist
        self._least = cv2.erode(gist, _NEIGHBOURS) if sways else gist
        self._greatest = cv2.dilate(gist, _NEIGHBOURS) if sways else gist

    def difference(self, gist: np.ndarray) -> np.ndarray:
        """Returns how far the tiles differ, less what all of the picture has in common.

        That is the root mean square over each tile.
        """
        shift = _median(gist[::4, ::4] - self.gist[::4, ::4])
        gist = gist - min(max(shift, -_LARGEST_SHIFT), _LARGEST_SHIFT)
        beyond = gist - np.minimum(np.maximum(gist, self._least), self._greatest)
        rows, columns = (side // TILE_PX for side in gist.shape)
        return np.sqrt(cv2.resize(beyond * beyond, (columns, rows), interpolation=cv2.INTER_AREA))


def _median(values: np.ndarray) -> float:
    middle = values.size // 2
    return float(np.partition(values, middle, axis=None)[middle])

"""Which frame of each source the model is shown, and when. Pure.

Frames with what a look at them told go in, with the time; frames that are to be shown come out. The
latest frame of a source waits for its moment, and a newer one takes its place. How soon the moment
comes is decided by what has changed, whether the user speaks, and how hard it is to get anything
out. So a screen that changed once and then stood still is shown as it ended up, and one that does
not change costs next to nothing.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from pipeline.frame_change import Change, Glance
from pipeline.video_limits import SourceLimits, VideoLimits

T = TypeVar("T")

SETTLED_S = 1.3
"""What has moved and then stood for so long is news: it is how things are now. A clock that ticks
every second never stands."""
STALE_S = 2.0
"""An unchanged frame is not shown again when it is older: the camera may be off by then."""


class Reason(StrEnum):
    """Why a frame is shown.

    It is the first, or was asked for; there is something new; what moves all the time has moved on;
    or nothing has changed for long.
    """

    FIRST = "first"
    ASKED = "asked"
    NEW = "new"
    MOVING = "moving"
    UNCHANGED = "unchanged"


class LeftOut(StrEnum):
    """Why a frame is not shown.

    Nothing had changed; a later one came before its moment; or it would have been shown if the link
    were faster.
    """

    UNCHANGED = "unchanged"
    LATER = "later"
    SLOW_LINK = "slow_link"


@dataclass(frozen=True, kw_only=True)
class Ease:
    """What is done for a link that is slow.

    Parameters:
        rate: What the rates are multiplied with.
        edge: What the long edge is multiplied with.
        quality: What the JPEG quality is multiplied with.
        bitrate: What the caller's own bit rate is multiplied with.
    """

    rate: float = 1.0
    edge: float = 1.0
    quality: float = 1.0
    bitrate: float = 1.0


_EASES = (
    (0.75, Ease(rate=0.25, edge=0.5, quality=0.7, bitrate=0.2)),
    (0.5, Ease(rate=0.5, edge=0.75, quality=0.85, bitrate=0.4)),
    (0.25, Ease(rate=0.5, bitrate=0.7)),
    (0.0, Ease()),
)
"""By the least pressure: first fewer frames, of which the next is whole; then smaller ones."""


def ease_of(pressure: float) -> Ease:
    """What is done under a pressure, from 0 to 1."""
    return next(ease for least, ease in _EASES if pressure >= least)


@dataclass(frozen=True)
class Shown(Generic[T]):
    """A frame that is to be shown now.

    Parameters:
        source: Whose it is.
        frame: The frame.
        reason: Why.
        ease: What the link needs of it.
    """

    source: str
    frame: T
    reason: Reason
    ease: Ease


@dataclass
class Counts:
    """What became of a source's frames, by reason."""

    shown: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.shown or self.left_out)


@dataclass
class _Source(Generic[T]):
    """One source: the frame that waits, what is new in it, and when the last one was shown."""

    limits: SourceLimits
    frame: T | None = None
    change: Change = Change.STILL
    offered_s: float = 0.0
    stirred_s: float = -math.inf
    shown_s: float = -math.inf
    is_asked: bool = False
    counts: Counts = field(default_factory=Counts)


class FrameSchedule(Generic[T]):
    """Decides which frame of each source is shown, and when. No clock, no I/O.

    Args:
        limits: The rates.

    Attributes:
        pressure: How hard it is to get anything out, from 0 to 1; at 1 nothing goes out, and
            frames wait.
    """

    def __init__(self, limits: VideoLimits):
        self.pressure = 0.0
        self._limits = limits
        self._sources: dict[str, _Source[T]] = {}
        self._is_speaking = False
        self._heeds_until_s = -math.inf

    # --- what happens ---------------------------------------------------------------------------

    def limit(self, limits: VideoLimits) -> None:
        """Other rates hold from now on, for what waits too."""
        self._limits = limits
        for source, state in self._sources.items():
            state.limits = limits.of(source)

    def user_started(self) -> None:
        """The user began to speak."""
        self._is_speaking = True

    def user_stopped(self, now_s: float) -> None:
        """The user fell silent."""
        self._is_speaking = False
        self.user_typed(now_s)

    def user_typed(self, now_s: float) -> None:
        """The user has typed something, which is as good as having said it."""
        self._heeds_until_s = now_s + self._limits.just_spoken_s

    def look(self, source: str | None = None) -> None:
        """Somebody wants to see: the next frame is shown at once, changed or not.

        Args:
            source: Of which source; None for all that there are.
        """
        if source is not None:
            self._of(source).is_asked = True
        else:
            for state in self._sources.values():
                state.is_asked = True

    def offer(self, source: str, frame: T, glance: Glance, *, now_s: float) -> None:
        """Let a frame wait for its moment, instead of one that waits there."""
        state = self._of(source)
        change = glance.change
        if state.frame is not None:
            state.counts.left_out[self._why_not(state, now_s)] += 1
            # What was new stays so until it is shown, also when it goes on moving; but what came
            # and went again is gone.
            change = max(change, state.change) if change else change
        state.frame, state.change, state.offered_s = frame, change, now_s
        if glance.stirs:
            state.stirred_s = now_s

    # --- what is to be done ---------------------------------------------------------------------

    def next_due_s(self, now_s: float) -> float | None:
        """When `due` has something next (-inf: now); None if only a new frame can change that."""
        if self.pressure >= 1:
            return None
        return min((due_s for _, _, due_s in self._waiting(now_s)), default=None)

    def due(self, now_s: float) -> list[Shown[T]]:
        """The frames whose moment has come; they are shown now."""
        if self.pressure >= 1:
            return []
        shown: list[Shown[T]] = []
        for source, state, due_s in list(self._waiting(now_s)):
            if due_s > now_s or state.frame is None:
                continue
            reason = _reason(state)
            state.counts.shown[reason] += 1
            shown.append(Shown(source, state.frame, reason, ease_of(self.pressure)))
            # Being called a little late does not push what follows back, but a source that paused
            # does not catch up either.
            is_late = now_s - due_s > 0.25 / state.limits.max_fps
            state.shown_s = now_s if is_late else due_s
            state.frame, state.is_asked = None, False
        return shown

    def take_counts(self, source: str) -> Counts:
        """What became of a source's frames since the last call."""
        state = self._of(source)
        counts, state.counts = state.counts, Counts()
        return counts

    # --- when -----------------------------------------------------------------------------------

    def _of(self, source: str) -> _Source[T]:
        return self._sources.setdefault(source, _Source(self._limits.of(source)))

    def _waiting(self, now_s: float) -> Iterator[tuple[str, _Source[T], float]]:
        for source, state in self._sources.items():
            if state.frame is None:
                continue
            due_s = self._due_s(state, now_s, ease_of(self.pressure))
            is_stale = state.change is Change.STILL and state.offered_s + STALE_S < max(
                now_s, due_s
            )
            if not is_stale:
                yield source, state, due_s

    def _due_s(self, state: _Source[T], now_s: float, ease: Ease) -> float:
        limits, shown_s = state.limits, state.shown_s
        if state.is_asked:
            return shown_s + 1 / limits.max_fps
        soonest_s = shown_s + 1 / (limits.max_fps * ease.rate)
        if state.change is Change.NEW:
            return soonest_s
        if state.change is Change.STILL:
            return max(soonest_s, shown_s + limits.at_least_every_s)
        moment_s = shown_s + 1 / (self._moving_fps(state, now_s) * ease.rate)
        return min(moment_s, max(soonest_s, state.stirred_s + SETTLED_S))

    def _moving_fps(self, state: _Source[T], now_s: float) -> float:
        """Of what moves all the time: by how much of the picture moves, and who is listening."""
        rates = (state.limits.silent_fps, state.limits.speaking_fps, state.limits.max_fps)
        is_heeded = self._is_speaking or now_s < self._heeds_until_s
        return rates[(state.change is Change.LARGE) + is_heeded]

    def _why_not(self, state: _Source[T], now_s: float) -> LeftOut:
        if state.change is Change.STILL and not state.is_asked:
            return LeftOut.UNCHANGED
        is_due = self._due_s(state, now_s, Ease()) <= now_s
        return LeftOut.SLOW_LINK if is_due and self.pressure else LeftOut.LATER


def _reason(state: _Source) -> Reason:
    if state.shown_s == -math.inf:
        return Reason.FIRST
    if state.is_asked:
        return Reason.ASKED
    match state.change:
        case Change.NEW:
            return Reason.NEW
        case Change.STILL:
            return Reason.UNCHANGED
        case _:
            return Reason.MOVING

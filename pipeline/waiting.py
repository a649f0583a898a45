"""What has to wait while there is no link to the model: in order, once, and not without end. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_AUDIO_S = 10.0
MAX_ITEMS = 20
JOINED_S = 0.5
"""Audio that waits goes out in messages of up to so much: 20, not 500, for ten seconds."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Audio:
    """Something said.

    Parameters:
        pcm: 16-bit little-endian mono samples.
        rate_hz: Samples a second.
    """

    pcm: bytes
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """How long it takes to say."""
        return len(self.pcm) / 2 / self.rate_hz


@dataclass
class Lost:
    """What had to give way.

    Parameters:
        audio_s: Seconds of audio.
        items: How many other things.
    """

    audio_s: float = 0.0
    items: int = 0

    def __bool__(self) -> bool:
        return self.items > 0 or self.audio_s > 0


class Waiting(Generic[Item]):
    """Keeps audio and other things in the order in which they came.

    Args:
        max_audio_s: How much audio waits; the oldest gives way.
        max_items: How many other things wait; the oldest gives way.
    """

    def __init__(self, *, max_audio_s: float = MAX_AUDIO_S, max_items: int = MAX_ITEMS):
        self._max_audio_s = max_audio_s
        self._max_items = max_items
        self._first: deque[Audio | Item] = deque()
        self._entries: deque[Audio | Item] = deque()
        self._lost = Lost()

    def __bool__(self) -> bool:
        return bool(self._first or self._entries)

    @property
    def audio_s(self) -> float:
        """How much audio waits, in seconds."""
        return sum(entry.duration_s for entry in self._entries if isinstance(entry, Audio))

    def add(self, entry: Audio | Item) -> None:
        """Puts something at the end."""
        last = self._entries[-1] if self._entries else None
        if isinstance(entry, Audio) and isinstance(last, Audio) and _can_join(last, entry):
            entry = Audio(last.pcm + entry.pcm, entry.rate_hz)
            self._entries.pop()
        self._entries.append(entry)
        self._make_room()

    def put_first(self, entries: Iterable[Audio | Item]) -> None:
        """Puts things before all that waits. They have their own bounds, and give way to nothing."""
        self._first.extendleft(reversed(list(entries)))

    def gave_up(self, audio_s: float) -> None:
        """Takes note that so many seconds of audio could not be kept elsewhere."""
        self._lost.audio_s += audio_s

    def first(self) -> Audio | Item | None:
        """Returns what is to go out next."""
        return next(iter(self._first or self._entries), None)

    def take(self) -> Audio | Item:
        """Returns what is to go out next, which waits no longer."""
        return (self._first or self._entries).popleft()

    @property
    def has_lost(self) -> bool:
        """Whether something had to give way since the last call of `take_lost`."""
        return bool(self._lost)

    def take_lost(self) -> Lost:
        """Returns what had to give way since the last call."""
        lost, self._lost = self._lost, Lost()
        return lost

    def _make_room(self) -> None:
        audio = [entry for entry in self._entries if isinstance(entry, Audio)]
        excess_s = sum(piece.duration_s for piece in audio) - self._max_audio_s
        for piece in audio:
            if excess_s <= 0:
                break
            excess_s -= piece.duration_s
            self._lost.audio_s += piece.duration_s
            self._entries.remove(piece)
        if len(self._entries) - len(audio) > self._max_items:
            oldest = next(entry for entry in self._entries if not isinstance(entry, Audio))
            self._lost.items += 1
            self._entries.remove(oldest)


def _can_join(first: Audio, second: Audio) -> bool:
    same_rate = first.rate_hz == second.rate_hz
    return same_rate and first.duration_s + second.duration_s <= JOINED_S

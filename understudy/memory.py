"""What a session knows, and the store from which a resumed session gets it back. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.context import Context
from understudy.facts import Heard, Seen

HANDLE_TTL_S = 7200.0
"""Vendor documentation: a resumption handle is good for two hours."""
MAX_HANDLES = 10_000
"""A handle takes 5 KB at most."""
_MAX_GATHERED = 64
"""Content that waits for an answer; a client that never asks for one must not fill the memory."""
MAX_KEPT_TEXT = 20_000
"""Of a text that waits for its answer so many characters are kept; a message may have 8 million."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives a connection. Immutable, so that a handle keeps its own moment.

    Attributes:
        turns: Answers given.
        context: What is in the context window; what is not is forgotten.
        age_s: How long the session has lasted, on all its connections.
        saw_video: Whether there was video in it.
    """

    turns: int = 0
    context: Context = field(default_factory=Context)
    age_s: float = 0.0
    saw_video: bool = False

    @property
    def heard(self) -> Heard | None:
        """The last thing the user said aloud."""
        heard = (turn.heard for turn in reversed(self.context.turns))
        return next(filter(None, heard), None)

    @property
    def latest(self) -> Mapping[str, Seen]:
        """The latest picture of each source."""
        return dict(item for turn in self.context.turns for item in turn.seen.items())

    @property
    def told(self) -> tuple[str, ...]:
        """What the user asked to be remembered, oldest first."""
        return tuple(text for turn in self.context.turns for text in turn.told)


@dataclass(slots=True)
class Gathered:
    """What has come in since the last answer and belongs into the next.

    Attributes:
        frames: How many realtime pictures per source.
        latest: The latest of each.
        stills: Pictures inside clientContent turns, in order.
        texts: What the user wrote in clientContent turns.
        turns: How many turns of clientContent, by anyone.
    """

    frames: Counter[str] = field(default_factory=Counter)
    latest: dict[str, Seen] = field(default_factory=dict)
    stills: deque[Seen] = field(default_factory=lambda: deque(maxlen=_MAX_GATHERED))
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=_MAX_GATHERED))
    turns: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    memory: Memory
    until_s: float
    owner: object


class ResumptionStore:
    """Session resumption handles and what they bring back.

    Args:
        ttl_s: How long a handle is good for.
        max_handles: The oldest go first beyond this many.
    """

    def __init__(self, *, ttl_s: float = HANDLE_TTL_S, max_handles: int = MAX_HANDLES) -> None:
        self._ttl_s = ttl_s
        self._max_handles = max_handles
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._poisoned: set[str] = set()
        self._connected: set[object] = set()

    def save(self, handle: str, memory: Memory, now_s: float, *, owner: object = None) -> None:
        """Keeps a session's memory under a new handle.

        Args:
            handle: What brings it back.
            memory: What it brings back.
            now_s: The time.
            owner: Stands for the connection that was given the handle; see `is_in_use`.
        """
        self._kept[handle] = _Kept(memory, now_s + self._ttl_s, owner)
        while len(self._kept) > self._max_handles or self._oldest_is_stale(now_s):
            handle, _ = self._kept.popitem(last=False)
            self._poisoned.discard(handle)

    def connect(self, owner: object) -> None:
        """Takes note of a connection."""
        self._connected.add(owner)

    def disconnect(self, owner: object) -> None:
        """Takes note of its end."""
        self._connected.discard(owner)

    def is_in_use(self, handle: str) -> bool:
        """Whether the connection that was given the handle is still there."""
        kept = self._kept.get(handle)
        return kept is not None and kept.owner in self._connected

    def poison(self, handle: str) -> None:
        """Makes a handle one that is refused, as after a session that ended badly."""
        if handle in self._kept:
            self._poisoned.add(handle)

    def is_poisoned(self, handle: str) -> bool:
        """Whether a handle was poisoned."""
        return handle in self._poisoned

    def load(self, handle: str, now_s: float) -> Memory | None:
        """Returns what was kept, or None when the handle is unknown or too old."""
        kept = self._kept.get(handle)
        return kept.memory if kept is not None and kept.until_s > now_s else None

    def _oldest_is_stale(self, now_s: float) -> bool:
        return next(iter(self._kept.values())).until_s <= now_s

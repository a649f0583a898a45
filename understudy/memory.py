"""What a session knows, and the store from which a resumed session gets it back. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.facts import Heard, Seen
from understudy.usage import Usage

_MAX_GATHERED = 64
"""Content that waits for an answer; a client that never asks for one must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives a connection. Immutable, so that a handle keeps its own moment.

    Attributes:
        turns: Answers given.
        heard: The last thing the user said aloud.
        latest: The latest picture of each source.
        usage: Tokens so far.
        told: What the user asked to be remembered, oldest first.
    """

    turns: int = 0
    heard: Heard | None = None
    latest: Mapping[str, Seen] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    told: tuple[str, ...] = ()


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


class ResumptionStore:
    """Session resumption handles and what they bring back.

    Args:
        ttl_s: How long a handle is good for; two hours by vendor documentation.
        max_handles: The oldest go first beyond this many.
    """

    def __init__(self, *, ttl_s: float = 7200.0, max_handles: int = 10_000) -> None:
        self._ttl_s = ttl_s
        self._max_handles = max_handles
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def save(self, handle: str, memory: Memory, now_s: float) -> None:
        """Keeps a session's memory under a new handle."""
        self._kept[handle] = _Kept(memory, now_s + self._ttl_s)
        while len(self._kept) > self._max_handles or self._oldest_is_stale(now_s):
            self._kept.popitem(last=False)

    def load(self, handle: str, now_s: float) -> Memory | None:
        """Returns what was kept, or None when the handle is unknown or too old."""
        kept = self._kept.get(handle)
        return kept.memory if kept is not None and kept.until_s > now_s else None

    def _oldest_is_stale(self, now_s: float) -> bool:
        return next(iter(self._kept.values())).until_s <= now_s

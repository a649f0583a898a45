"""What was said last, to be said again without synthesis. Pure, and safe for threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

MAX_BYTES = 16_000_000
"""Five and a half minutes of speech."""
MAX_ENTRIES = 64
"""Speech may be empty, and what was to be said is kept too."""


class Spoken:
    """Keeps speech; what has not been asked for the longest goes first.

    Args:
        max_bytes: Of speech altogether.
        max_entries: How many.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> bytes | None:
        """Returns what was kept under a key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, pcm: bytes) -> None:
        """Keeps speech under a key."""
        with self._lock:
            self._bytes += len(pcm) - len(self._kept.pop(key, b""))
            self._kept[key] = pcm
            while self._bytes > self._max_bytes or len(self._kept) > self._max_entries:
                self._bytes -= len(self._kept.popitem(last=False)[1])

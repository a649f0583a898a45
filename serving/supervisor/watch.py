"""Whether a session's process is well. Pure: beats and times in, verdicts out.

Times are of a monotonic clock, which does not move when somebody sets the clock.
"""

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """What is wrong with a process."""

    SLOW = "slow"
    """Its event loop has not come round for a while."""
    HUNG = "hung"
    """Its event loop has not come round for so long that nobody is on the line any more."""
    MEMORY = "memory"
    """It holds more memory than a session may."""
    TIME = "time"
    """It has run for longer than any session may, and has not ended itself."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a session's process may use.

    Parameters:
        memory_bytes: Memory of its own, beyond what it began with.
        run_s: Seconds from its call's begin.
        hung_s: Seconds without a beat after which it is killed.
        slow_s: Seconds without a beat after which that is told.
        files: Open files, sockets among them.
    """

    memory_bytes: int = 400 * 2**20
    run_s: float = 4 * 3600
    hung_s: float = 3.0
    slow_s: float = 1.0
    files: int = 512


class Watch:
    """Watches one process.

    Args:
        bounds: What it may use.
        now_s: The time.
    """

    def __init__(self, bounds: Bounds, *, now_s: float):
        self._bounds = bounds
        self._beat_s = now_s
        self._began_s: float | None = None
        self._memory_at_first: int | None = None
        self._memory = 0
        self._is_told = False

    def beat(self, *, now_s: float) -> None:
        """The process's event loop came round."""
        self._beat_s = now_s
        self._is_told = False

    def began(self, *, now_s: float) -> None:
        """Its call begins."""
        self._began_s = now_s

    def measured(self, memory_bytes: int) -> None:
        """It holds so much memory now, what it shares with its parent included."""
        if self._memory_at_first is None:
            self._memory_at_first = memory_bytes
        self._memory = memory_bytes - self._memory_at_first

    def pardon(self, late_s: float) -> None:
        """The watcher itself was late: what was not heard meanwhile counts for nothing."""
        self._beat_s += late_s

    @property
    def memory_bytes(self) -> int:
        """What it holds beyond what it began with."""
        return self._memory

    def silent_s(self, now_s: float) -> float:
        """Seconds since the last beat."""
        return now_s - self._beat_s

    def trouble(self, *, now_s: float) -> Trouble | None:
        """What is wrong; slowness is told once until the next beat, the rest each time."""
        bounds, silent_s = self._bounds, self.silent_s(now_s)
        if silent_s > bounds.hung_s:
            return Trouble.HUNG
        if self._memory > bounds.memory_bytes:
            return Trouble.MEMORY
        if self._began_s is not None and now_s - self._began_s > bounds.run_s:
            return Trouble.TIME
        if silent_s > bounds.slow_s and not self._is_told:
            self._is_told = True
            return Trouble.SLOW
        return None

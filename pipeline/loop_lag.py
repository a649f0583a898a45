"""How late the event loop is, and where it stands when something blocks it."""

import asyncio
import contextlib
import faulthandler
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TICK_S = 0.05
"""A session's sound goes out every 20 ms: a loop that is late by so much is heard."""
MAX_SAMPLES = 64
"""How many ticks one report holds, 3 s of them; of more, the latest count."""

_ARM_S = 0.5
MAX_DUMP_BYTES = 256 * 1024
"""A file of stacks does not grow beyond this, and one stack."""


class LoopLag:
    """By how much the loop's ticks came late."""

    def __init__(self):
        self._samples_s: deque[float] = deque(maxlen=MAX_SAMPLES)
        self._max_s = 0.0

    def ticked(self, late_s: float):
        """Take by how much one tick was late."""
        late_s = max(late_s, 0.0)
        self._samples_s.append(late_s)
        self._max_s = max(self._max_s, late_s)

    def report(self) -> dict[str, Any]:
        """`loop_lag_s`, the lags of the ticks since the last report, and `loop_lag_max_s`."""
        report = {
            "loop_lag_s": [round(late_s, 4) for late_s in self._samples_s],
            "loop_lag_max_s": round(self._max_s, 4),
        }
        self._samples_s.clear()
        self._max_s = 0.0
        return report


@contextlib.contextmanager
def watch_loop(*, stacks: Path | None = None, blocked_s: float = 1.0) -> Iterator[LoopLag]:
    """Measure the lag of the running loop, until the context is left.

    Args:
        stacks: The file to which the stacks of all threads are written while the loop is blocked,
            by a thread that does not need the interpreter. Of one blockage there is one stack.
            Not for two loops of a process at a time: `faulthandler` has one timer.
        blocked_s: How long the loop stands still before that, in seconds; the time may be up to
            half a second longer.
    """
    lag = LoopLag()
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(stacks.open("ab", buffering=0)) if stacks else None
        if file:
            stack.callback(faulthandler.cancel_dump_traceback_later)
        due_s = armed_s = loop.time()
        handle: asyncio.TimerHandle | None = None

        def tick():
            nonlocal due_s, armed_s, handle
            now_s = loop.time()
            lag.ticked(now_s - due_s)
            if file and now_s >= armed_s:
                armed_s = now_s + _ARM_S
                _arm(file.fileno(), blocked_s)
            due_s = loop.time() + TICK_S
            handle = loop.call_at(due_s, tick)

        tick()
        stack.callback(lambda: handle and handle.cancel())
        yield lag


def _arm(fd: int, blocked_s: float):
    if os.fstat(fd).st_size < MAX_DUMP_BYTES:
        faulthandler.dump_traceback_later(blocked_s + _ARM_S, file=fd)
    else:
        faulthandler.cancel_dump_traceback_later()

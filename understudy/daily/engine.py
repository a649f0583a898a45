"""The threads of the stand-in for daily-python: one that moves bytes, and those that call back.

daily-python calls from native threads of its own, and Pipecat blocks them until its event loop has
taken what came: so nothing is called back on the thread that moves bytes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

_logger = logging.getLogger(__name__)
_MAX_WAITING = 500
"""Pieces of sound and pictures that wait to be called back: 10 s of one voice; then some are lost."""


class Caller:
    """A thread that calls back, one after the other.

    Args:
        name: The thread's.
    """

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[..., Any] | None, *args: Any) -> None:
        """Calls soon."""
        if function is not None:
            self._waiting.put((function, args))

    def call_unless_late(self, function: Callable[..., Any], *args: Any) -> None:
        """Calls soon, unless too much waits already."""
        if self._waiting.qsize() < _MAX_WAITING:
            self._waiting.put((function, args))

    def close(self) -> None:
        """Ends when all calls are made."""
        self._waiting.put(None)

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            function, args = waiting
            try:
                function(*args)
            except Exception:
                _logger.exception("a callback failed")


class Engine:
    """The thread that moves bytes, with an event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.completions = Caller("daily-completions")
        threading.Thread(target=self._run, name="daily-engine", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Runs something on the thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Calls something on the thread."""
        self.loop.call_soon_threadsafe(function, *args)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


_lock = threading.Lock()
_engines: dict[int, Engine] = {}


def engine() -> Engine:
    """This process's; threads don't survive a fork, so a child has another."""
    with _lock:
        if (mine := _engines.get(os.getpid())) is None:
            mine = _engines[os.getpid()] = Engine()
        return mine

"""Says sound at the pace of speech."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import numpy as np

from understudy.daily.wire import PIECE_S


class Mouth:
    """Hands on a piece every 20 ms while there is something to say.

    Args:
        send: Takes a piece of int16 samples.
        rate_hz: Their rate.
    """

    def __init__(self, send: Callable[[np.ndarray], Awaitable[None]], *, rate_hz: int) -> None:
        self._send = send
        self._piece = round(rate_hz * PIECE_S)
        self._pieces: deque[np.ndarray] = deque()
        self._begun = asyncio.Event()
        self._silent = asyncio.Event()
        self._silent.set()
        self._task = asyncio.create_task(self._speak(), name="daily-mouth")

    def say(self, samples: np.ndarray) -> None:
        """Adds to what is being said; returns at once."""
        samples = np.ascontiguousarray(samples, np.int16)
        missing = -len(samples) % self._piece
        padded = np.concatenate((samples, np.zeros(missing, np.int16)))
        self._pieces.extend(padded.reshape(-1, self._piece))
        if self._pieces:
            self._silent.clear()
            self._begun.set()

    def stop(self) -> None:
        """Says nothing more of it."""
        self._pieces.clear()

    async def silent(self) -> None:
        """Waits until all is said."""
        await self._silent.wait()

    async def close(self) -> None:
        """Ends for good."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._begun.wait()
            next_s = loop.time()
            while self._pieces:
                await self._send(self._pieces.popleft())
                next_s += PIECE_S
                await asyncio.sleep(next_s - loop.time())
            self._begun.clear()
            self._silent.set()

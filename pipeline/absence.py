"""Waits for a page that is not on the line for the moment, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from processors.playout import Playout

RENEWED_S = 20.0
"""How long a connection that the page renews may take to come about, as the first one may."""


class Absence:
    """The time between a page's going away and its being back, if it comes back.

    Meanwhile the model's link stays, and what the bot says waits in the playout: whoever comes back
    hears the rest of it.

    Args:
        wait_s: How long who left without a word is waited for; 0: not at all.
        playout: Pauses meanwhile; None where the bot is read: words are not held back.
        on_over: Called when nobody has come back in time.
        name: Of the session, for the log.

    Attributes:
        has_been: Whether somebody was away, and has come back.
    """

    def __init__(
        self,
        *,
        wait_s: float,
        playout: Playout | None,
        on_over: Callable[[], Awaitable[None]],
        name: str,
    ):
        self._wait_s = wait_s
        self._playout = playout
        self._on_over = on_over
        self._name = name
        self._waiting: asyncio.Task[None] | None = None
        self._is_over = False
        self.has_been = False

    def left(self) -> bool:
        """Their connection is closed; returns whether they are waited for."""
        if self._waiting is None and self._wait_s > 0:
            self._begin(self._wait_s)
        return self._waiting is not None

    def renewed(self) -> None:
        """They have offered another connection, which has yet to come about."""
        self._begin(RENEWED_S)

    def back(self) -> None:
        """They have a connection."""
        if self._waiting and not self._is_over:
            logger.info(f"Session {self._name}: the caller is back")
            self._waiting.cancel()
            self._waiting, self.has_been = None, True
            if self._playout:
                self._playout.go_on()

    async def close(self) -> None:
        """Wait no longer."""
        if self._waiting:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)

    def _begin(self, within_s: float) -> None:
        if self._is_over:
            return  # who comes too late must not stop what ends the session
        logger.info(f"Session {self._name}: the caller is away, and waited for {within_s:g} s")
        if self._playout:
            self._playout.pause()
        if self._waiting:
            self._waiting.cancel()
        self._waiting = asyncio.create_task(self._wait(within_s))

    async def _wait(self, within_s: float) -> None:
        await asyncio.sleep(within_s)
        self._is_over = True
        await self._on_over()

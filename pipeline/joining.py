"""Whether the bot is in its Daily room: told in words when it can't get in, or is put out of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pipecat.transports.base_transport import BaseTransport

from pipeline.endings import Ended

JOIN_S = 10.0
"""How long joining may take; daily-python tries for 19 s to reach what can't be reached."""
MAX_REASON_CHARACTERS = 200


class Joining:
    """Ends a session whose room can't be joined, or is gone.

    Pipecat 1.14.0 goes on without a room in both cases, until the session has been idle for long.

    Args:
        transport: Pipecat's `DailyTransport`.
        end: Ends the session at once: why, for the log, and in a sentence.
    """

    def __init__(self, transport: BaseTransport, *, end: Callable[[Ended, str], Awaitable[None]]):
        self._end = end
        self._is_joined = asyncio.Event()
        self._is_leaving = False

        @transport.event_handler("on_joined")
        async def on_joined(transport: Any, data: Any):
            self._is_joined.set()

        @transport.event_handler("on_error")
        async def on_error(transport: Any, error: str):
            if not self._is_joined.is_set():
                await self._fail(f"The Daily room can't be joined: {_reason(error)}")

        @transport.event_handler("on_before_leave")
        async def on_before_leave(transport: Any):
            self._is_leaving = True

        @transport.event_handler("on_call_state_updated")
        async def on_call_state_updated(transport: Any, state: str):
            if state == "left" and self._is_joined.is_set() and not self._is_leaving:
                await self._end(Ended.CLOSING, "The Daily room was closed.")

    async def watch(self) -> None:
        """End the session if it takes too long."""
        try:
            async with asyncio.timeout(JOIN_S):
                await self._is_joined.wait()
        except TimeoutError:
            await self._fail(f"The Daily room could not be joined within {JOIN_S:g} seconds.")

    async def _fail(self, why: str) -> None:
        await self._end(Ended.FAILURE, why)


def _reason(error: str) -> str:
    """What Pipecat's `Error joining URL: reason` says went wrong; the URL may be all it takes to join."""
    text = "".join(c if c.isprintable() else " " for c in error.rpartition(": ")[2])
    return text.strip()[:MAX_REASON_CHARACTERS]

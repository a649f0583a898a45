"""`asyncio.wait_for` as Python 3.12 has it, for Python 3.11.

Pipecat 1.14.0 puts `wait_for2` in its place there, for the sake of what is cancelled at the moment it
is done. That starts a task and a timer for each call, and comes back three rounds of the event loop
later, even from a queue that holds something: an output that waits twice for each 20 ms of speech
falls behind real time when a round takes 4 ms. What 3.12 does is right in that respect too: there is
no second task that could be done when the first is cancelled.
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
    """Wait for something, in the task that asks.

    Args:
        awaitable: What is waited for; it is cancelled when the time is over.
        timeout: Seconds; None: for ever.

    Raises:
        TimeoutError: The time is over.
    """
    if timeout is not None and timeout <= 0:
        awaitable = asyncio.ensure_future(awaitable)
        if awaitable.done():
            return awaitable.result()
    async with asyncio.timeout(timeout):
        return await awaitable


def use_light_wait_for() -> None:
    """Make it `asyncio.wait_for` where Pipecat has replaced that; doing it twice is harmless."""
    if sys.version_info < (3, 12):
        asyncio.wait_for = wait_for  # pyright: ignore

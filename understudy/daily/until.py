"""Waiting for something to become so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_EVERY_S = 0.01


async def until(condition: Callable[[], Any], *, within_s: float) -> None:
    """Waits until something is so, whoever made it so.

    Args:
        condition: What is to be so.
        within_s: At most so long.

    Raises:
        TimeoutError: It did not become so.
    """
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - it may be about anything, also another process
            await asyncio.sleep(_EVERY_S)

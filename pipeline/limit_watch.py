"""Holds a session to its limits: wakes when one may be due, warns, and has the session end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from loguru import logger

from pipeline.audience import Audience
from pipeline.endings import AT_LIMIT, Ending, warning
from pipeline.limits import Due, Limits
from pipeline.live_usage import LiveUsage
from processors.turn_logger import TurnLogger


@dataclass(frozen=True, kw_only=True)
class SessionUsage:
    """What a session has taken so far.

    Parameters:
        elapsed_s: How long it has lasted, in seconds.
        tokens: By the kinds of `pipeline.costs.Tokens`; what there is none of is left out.
        cost_usd: In US dollars; None when a price that it takes is not known.
        seconds_left: Until its time is over; None when that is unlimited.
    """

    elapsed_s: float
    tokens: dict[str, int]
    cost_usd: float | None
    seconds_left: float | None


class LimitWatch:
    """Measures a session by the event loop's clock, which nobody sets.

    A budget whose prices are not all known is held to by those that are: it may end a session too
    late, never too early.

    Args:
        limits: What decides.
        service: What counts.
        audience: Who is warned.
        turns: The log, which has the warnings too.
        end: Ends the session.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        service: LiveUsage,
        audience: Audience,
        turns: TurnLogger,
        end: Callable[[Ending], Awaitable[None]],
    ):
        self._limits = limits
        self._spending = service.spending
        self._audience = audience
        self._turns = turns
        self._end = end
        self._counted = asyncio.Event()
        self._began_s: float | None = None
        self._has_told_unpriced = False

        @service.event_handler("on_counted")
        async def on_counted(service: LiveUsage):
            self._counted.set()

    async def run(self) -> None:
        """Watch from now on, when the session begins."""
        self._began_s = asyncio.get_running_loop().time()
        while True:
            self._counted.clear()
            self._look_at_prices()
            spent = self._spending
            for due in self._limits.check(
                elapsed_s=self.elapsed_s,
                tokens=spent.tokens.total,
                cost_usd=spent.at_least_usd,
            ):
                if due.is_over:
                    await self._end(AT_LIMIT[due.limit])
                else:
                    await self._warn(due)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.wait_s(self.elapsed_s)):
                    await self._counted.wait()

    @property
    def elapsed_s(self) -> float:
        """How long the session has lasted, in seconds; 0 before it began."""
        if self._began_s is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._began_s

    @property
    def usage(self) -> SessionUsage:
        """What it has taken so far."""
        elapsed_s = self.elapsed_s
        return SessionUsage(
            elapsed_s=elapsed_s,
            tokens=self._spending.tokens.as_record(),
            cost_usd=self._spending.cost_usd,
            seconds_left=self._limits.seconds_left(elapsed_s),
        )

    async def _warn(self, due: Due) -> None:
        text, left = warning(due), round(due.left, 3)
        logger.info(f"The session is warned: {text}")
        self._turns.note("limit", limit=due.limit, left=left)
        await self._audience.warn({"type": "limit", "limit": due.limit, "left": left, "text": text})

    def _look_at_prices(self) -> None:
        """Say once that a budget can't be held to altogether."""
        if self._limits.cost_limit_usd is None or self._has_told_unpriced:
            return
        if kinds := self._spending.unpriced:
            self._has_told_unpriced = True
            logger.warning(f"The budget counts too little: no price for {', '.join(kinds)}")
            self._turns.note("unpriced", kinds=kinds)

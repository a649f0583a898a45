"""How a session ends: with a goodbye, at once, or cut short; and why, which is what came first."""

import asyncio

from loguru import logger
from pipecat.frames.frames import CancelFrame, EndFrame, InterruptionFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker

from pipeline.announcements import Announcement
from pipeline.audience import Audience
from pipeline.endings import Ended, Ending
from pipeline.live_service import LiveService

LAST_WORDS_S = 10.0
"""How long the bot may finish what it is saying when the session ends; then it is cut short."""
GOODBYE_S = 10.0
"""How long the goodbye may take after that; then the line is closed whatever hangs."""


class HangingUp:
    """Ends one session, once.

    Args:
        worker: The session's.
        pipeline: What it runs.
        service: The model's.
        audience: Who is told.
        name: Of the session, for the log.
        is_phone: Whether the caller is on the telephone, and sees nothing.

    Attributes:
        why: The `reason` and the `text` of the end; empty before.
    """

    def __init__(
        self,
        *,
        worker: PipelineWorker,
        pipeline: Pipeline,
        service: LiveService,
        audience: Audience,
        name: str,
        is_phone: bool,
    ):
        self._worker = worker
        self._pipeline = pipeline
        self._service = service
        self._audience = audience
        self._name = name
        self._is_phone = is_phone
        self._ending: asyncio.Task[None] | None = None
        self.why: dict[str, str] = {}

    def because(self, reason: Ended, text: str) -> None:
        """Note why it ends, for the log; what came first is why."""
        if not self.why:
            logger.info(f"Session {self._name} ends ({reason}): {text}")
            self.why = {"reason": reason, "text": text}

    async def end(
        self,
        why: str,
        goodbye: Announcement | None,
        *,
        reason: Ended,
        last_words_s: float | None = None,
    ) -> None:
        """See `Session.end`."""
        if self._ending is None:
            if last_words_s is None:
                last_words_s = LAST_WORDS_S
            self._ending = asyncio.create_task(self._see_to_the_end(last_words_s))
            self.because(reason, why)
            await self._audience.say_goodbye(why, goodbye)
            await self._worker.queue_frame(EndFrame(reason=why))

    async def end_as(self, ending: Ending) -> None:
        """End so."""
        await self.end(ending.text, ending.goodbye, reason=ending.reason)

    async def hang_up(self, why: str, *, reason: Ended) -> None:
        """See `Session.hang_up`."""
        if self._is_phone and self._audience.is_connected:
            goodbye = Announcement.BROKEN if reason is Ended.FAILURE else Announcement.ENDING
            return await self.end(why, goodbye, reason=reason, last_words_s=0)
        self.because(reason, why)
        await self._audience.tell({"type": "ended", "text": why})
        await self._worker.cancel(reason=why)

    async def leave(self, reason: Ended, why: str) -> None:
        """End at once what nobody is there to hear the end of."""
        self.because(reason, why)
        await self._worker.cancel(reason=why)

    async def break_off(self, ending: Ending) -> None:
        """End what can't go on: at once for who can read why, for others once they have heard it."""
        if self._audience.has_page:
            await self.hang_up(ending.text, reason=ending.reason)
        else:
            await self.end_as(ending)

    async def close(self) -> None:
        """Stop what is still under way."""
        if self._ending:
            self._ending.cancel()
            await asyncio.gather(self._ending, return_exceptions=True)

    async def _see_to_the_end(self, last_words_s: float) -> None:
        """Cut short what takes too long to end."""
        try:
            async with asyncio.timeout(last_words_s):
                await self._audience.wait_for_goodbye()
        except TimeoutError:
            await self._service.queue_frame(InterruptionFrame())
        await asyncio.sleep(GOODBYE_S)
        logger.error(f"Session {self._name} hangs at its end and is cut off")
        # Pipecat 1.14.0's worker would wait for the EndFrame first, for ever.
        await self._pipeline.queue_frame(CancelFrame(reason="it hangs"))

"""One session from its first greeting to its last word, whatever it came in by."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    BotSpeakingFrame,
    EndFrame,
    InputTextRawFrame,
    LLMRunFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
)
from pipecat.pipeline.worker import PipelineParams, PipelineWorker, ProcessorUnusablePolicy
from pipecat.processors.aggregators.llm_response_universal import (
    AssistantTurnStoppedMessage,
    LLMAssistantAggregator,
)
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.runner.types import DailyRunnerArguments, RunnerArguments
from pipecat.transports.base_transport import BaseTransport
from pipecat.workers.runner import WorkerRunner

from journal.journal_file import JournalFile
from pipeline.announcements import FAILURES, Announcement
from pipeline.build import Conversation
from pipeline.frames import PictureTurnFrame
from pipeline.link import LinkState
from pipeline.live_news import LinkNews
from pipeline.live_service import LiveService
from pipeline.observing import use_sparing_observers
from pipeline.persona import Persona
from pipeline.settings import Settings
from processors.turn_logger import TurnLogger

PAGE_READY_S = 2.0
"""How long the greeting waits for a client that connected to say that it is ready to hear it.

Pages say so; phones and plain clients never do, and some mobile clients forget to."""

TELL_S = 5.0
"""How long bad news waits for somebody to be there, so that a session can't end unheard."""

SIGNS_OF_LIFE = (
    BotSpeakingFrame,
    InputTextRawFrame,
    PictureTurnFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
)
"""Frames that keep a session from being ended for idleness."""


class Session:
    """Runs one conversation and tells the page, or a caller without one, what becomes of it.

    The page is told by RTVI server messages: `session` once (who answers, and for how long),
    `link` whenever the connection to the model changes, `picture` for each picture that was sent,
    `ended` before the bot hangs up. Who has no page hears an announcement instead when the model
    has been out of reach for a while, and before the bot hangs up.
    """

    def __init__(
        self,
        *,
        transport: BaseTransport,
        conversation: Conversation,
        args: RunnerArguments,
        persona: Persona,
        settings: Settings,
    ):
        self._transport = transport
        self._service = conversation.service
        self._assistant = conversation.assistant
        self._announcer = conversation.announcer
        self._args = args
        self._persona = persona
        self._settings = settings
        self._id = args.session_id or "session"
        self._connected = asyncio.Event()
        self._ready = asyncio.Event()
        self._is_met = asyncio.Event()
        self._turns = TurnLogger(session_id=self._id, file=JournalFile(self._turn_log_path()))
        use_sparing_observers()
        self._worker = PipelineWorker(
            conversation.pipeline,
            params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
            observers=[self._turns],
            processor_unusable_policy=ProcessorUnusablePolicy.END,
            idle_timeout_secs=args.pipeline_idle_timeout_secs,
            idle_timeout_frames=SIGNS_OF_LIFE,
            cancel_on_idle_timeout=False,
        )
        self._listen()

    async def run(self) -> None:
        """Serve until somebody hangs up, the time is over, or the model can't be reached."""
        runner = WorkerRunner(
            handle_sigint=self._args.handle_sigint, handle_sigterm=self._args.handle_sigterm
        )
        await runner.add_workers(self._worker)
        lifetime = asyncio.create_task(self._lead())
        try:
            await runner.run()
        finally:
            lifetime.cancel()
            await asyncio.gather(lifetime, return_exceptions=True)
            await self._turns.close()

    async def end(self, why: str, goodbye: Announcement) -> None:
        """Tell the user why, and end once everything that is on its way has been heard."""
        logger.info(f"Session {self._id} ends: {why}")
        self._say_at_the_end(goodbye)
        await self._tell({"type": "ended", "text": why})
        await self._worker.queue_frame(EndFrame(reason=why))

    async def hang_up(self, why: str) -> None:
        """Tell the page why, and end at once."""
        logger.info(f"Session {self._id} is ended: {why}")
        await self._tell({"type": "ended", "text": why})
        await self._worker.cancel(reason=why)

    # --- what happens in it ---------------------------------------------------------------------

    async def _lead(self) -> None:
        try:
            await self._lifetime()
        except Exception:
            logger.exception(f"Session {self._id} could not be led")
            await self.hang_up("Something went wrong here; please connect again.")

    async def _lifetime(self) -> None:
        """Greet, wait for the time limit if there is one, and end."""
        await self._connected.wait()
        try:
            await asyncio.wait_for(self._ready.wait(), PAGE_READY_S)
        except TimeoutError:
            logger.debug(f"Session {self._id}: the client does not say that it is ready")
        self._is_met.set()
        await self._tell(self._description())
        await self._tell_link(self._service.link_news)
        # Also for a persona that lets the user begin: without it the service sends no audio.
        await self._worker.queue_frame(LLMRunFrame())
        if not self._has_page:
            await self._announcer.prepare(Announcement.RECONNECTING)
        if self._persona.time_limit_s is not None:
            await asyncio.sleep(self._persona.time_limit_s)
            await self.end("The time of this session is over.", Announcement.TIME_IS_OVER)

    def _listen(self) -> None:
        transport, worker = self._transport, self._worker

        @transport.event_handler("on_client_connected")
        async def on_client_connected(transport: BaseTransport, client: Any):
            logger.info(f"Session {self._id}: {self._persona.name} is connected")
            self._connected.set()

        @transport.event_handler("on_client_disconnected")
        async def on_client_disconnected(transport: BaseTransport, client: Any):
            logger.info(f"Session {self._id}: the client hung up")
            await worker.cancel(reason="the client hung up")

        @self._assistant.event_handler("on_assistant_turn_stopped")
        async def on_assistant_turn_stopped(
            assistant: LLMAssistantAggregator, message: AssistantTurnStoppedMessage
        ):
            self._turns.bot_was_heard(message.content)

        if isinstance(self._args, DailyRunnerArguments):

            @transport.event_handler("on_error")
            async def on_error(transport: BaseTransport, error: str):
                # Pipecat 1.14.0 goes on without a room when joining fails.
                if not self._connected.is_set():
                    logger.error(f"Session {self._id}: the Daily room can't be joined: {error}")
                    await worker.cancel(reason="the Daily room can't be joined")

        @worker.rtvi.event_handler("on_client_ready")
        async def on_client_ready(rtvi: RTVIProcessor):
            self._ready.set()

        @worker.event_handler("on_idle_timeout")
        async def on_idle_timeout(worker: PipelineWorker):
            await self.end("Nobody has spoken for a while.", Announcement.NOBODY_SPEAKS)

        @self._service.event_handler("on_link_changed")
        async def on_link_changed(service: LiveService, link: LinkNews):
            if link.state is LinkState.FAILED:
                logger.error(f"Session {self._id}: {link.text}")
                await self._wait_for_listener()
                if link.verdict is not None:
                    self._say_at_the_end(FAILURES[link.verdict])
                await self._tell_link(link)
                await self._tell({"type": "ended", "text": link.text})
            elif self._connected.is_set():
                await self._announce_link(link)
                await self._tell_link(link)

    async def _wait_for_listener(self) -> None:
        """Wait until somebody is there, and it is known whether they have a page."""
        try:
            await asyncio.wait_for(self._connected.wait(), TELL_S)
            await self._is_met.wait()
        except TimeoutError:
            logger.warning(f"Session {self._id}: nobody could be told")

    # --- what a caller without a page is told ---------------------------------------------------

    @property
    def _has_page(self) -> bool:
        return self._ready.is_set()

    async def _announce_link(self, link: LinkNews) -> None:
        if link.state is LinkState.DEGRADED and not self._has_page:
            await self._announcer.announce(Announcement.RECONNECTING)
        elif link.state is LinkState.READY:
            await self._announcer.withdraw()

    def _say_at_the_end(self, goodbye: Announcement) -> None:
        if not self._has_page:
            self._announcer.say_at_the_end(goodbye)

    # --- what the page is told ------------------------------------------------------------------

    def _description(self) -> dict[str, Any]:
        return {
            "type": "session",
            "persona": self._persona.name,
            "title": self._persona.title,
            "model": self._settings.model,
            "offline": self._settings.offline,
            "time_limit_s": self._persona.time_limit_s,
        }

    async def _tell_link(self, link: LinkNews) -> None:
        news = {"state": link.state, "text": link.text, "notice": link.is_notice}
        await self._tell({"type": "link", **news})

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._worker.rtvi.send_server_message(message)

    def _turn_log_path(self):
        # The identifier comes from outside; it must not choose the folder.
        name = re.sub(r"[^A-Za-z0-9-]", "_", self._id)[:64]
        begun = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return self._settings.turn_log_dir / f"{begun}-{name}.jsonl"

"""One session from its first greeting to its last word, whatever it came in by."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    CancelFrame,
    ErrorFrame,
    Frame,
    LLMRunFrame,
)
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import (
    AssistantTurnStoppedMessage,
    LLMAssistantAggregator,
)
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.runner.types import (
    DailyRunnerArguments,
    RunnerArguments,
    SmallWebRTCRunnerArguments,
)
from pipecat.transports.base_transport import BaseTransport
from pipecat.workers.runner import WorkerRunner

from journal.journal_file import JournalFile
from pipeline.absence import Absence
from pipeline.announcements import Announcement
from pipeline.audience import Audience
from pipeline.build import Conversation
from pipeline.choices import Answers
from pipeline.endings import BROKEN, IDLE, UNWRITTEN, Ended
from pipeline.file_name import turn_log_name
from pipeline.hanging_up import LAST_WORDS_S, HangingUp
from pipeline.joining import Joining
from pipeline.limit_watch import LimitWatch, SessionUsage
from pipeline.limits import limits_of
from pipeline.link import LinkState
from pipeline.live_news import LinkNews
from pipeline.live_service import LiveService
from pipeline.network_stats import NetworkReports, NetworkStats
from pipeline.page_news import PageNews
from pipeline.persona import Persona
from pipeline.phone.telephone import Telephone
from pipeline.session_worker import session_worker
from pipeline.settings import Settings
from pipeline.vitals import Vitals
from processors.turn_logger import TurnLogger

RAISED = "Error processing frame"
"""How Pipecat 1.14.0's error begins when a processor has raised an exception."""


class Session:
    """Runs one conversation, holds it to its limits, and tells the user what becomes of it.

    What a page is told, by RTVI messages, is in `docs/page-protocol.md`; what goes on all the time
    is told by `PageNews`. `Audience` says what is told aloud, and to whom.

    Attributes:
        vitals: What is counted, for the server that watches the session.
    """

    def __init__(
        self,
        *,
        transport: BaseTransport,
        conversation: Conversation,
        args: RunnerArguments,
        persona: Persona,
        settings: Settings,
        telephone: Telephone | None = None,
    ):
        self._telephone = telephone
        self._transport = transport
        self._service = conversation.service
        self._assistant = conversation.assistant
        self._answers = conversation.answers
        self._room = conversation.room
        self._context = conversation.context
        self._args = args
        self._persona = persona
        self._settings = settings
        self._id = args.session_id or "session"
        self._breaking: asyncio.Task | None = None
        self._absence = Absence(
            wait_s=self._room.grace_s if self._room else settings.resume_s,
            playout=conversation.playout,
            on_over=self.caller_left,
            name=self._id,
        )
        self.vitals = Vitals(first_sound_at_s=lambda: self._service.first_sound_at_s)
        log = settings.turn_log_dir / turn_log_name(self._id, begun=datetime.now(UTC))
        self._turns = TurnLogger(
            session_id=self._id,
            file=JournalFile(log, on_unwritable=self._unwritable()),
            on_turn=self.vitals.turn_ended,
        )
        self._worker = session_worker(
            conversation.pipeline,
            name=self._id,
            idle_limit_s=persona.idle_limit_s,
            observers=[self._turns, self.vitals, *([telephone.signs] if telephone else [])],
        )
        self._audience = Audience(
            announcer=conversation.announcer,
            rtvi=self._worker.rtvi,
            name=self._id,
            can_have_page=telephone is None,
        )
        self._hanging_up = HangingUp(
            worker=self._worker,
            pipeline=conversation.pipeline,
            service=self._service,
            audience=self._audience,
            name=self._id,
            is_phone=telephone is not None,
        )
        longest_s = [settings.max_session_s, settings.max_call_s if telephone else None]
        self._limits = limits_of(persona, max_session_s=min(filter(None, longest_s), default=None))
        self._watch = LimitWatch(
            limits=self._limits,
            service=self._service,
            audience=self._audience,
            turns=self._turns,
            end=self._hanging_up.end_as,
        )
        self._news = PageNews(rtvi=self._worker.rtvi, usage=lambda: self.usage)
        self._worker.add_observer(self._news)
        NetworkReports(rtvi=self._worker.rtvi, take=self._line_is, name=self._id)
        self._joining = (
            Joining(transport, end=self._hanging_up.leave)
            if isinstance(args, DailyRunnerArguments)
            else None
        )
        if telephone:
            telephone.serve(self)
        self._listen()
        if self._room:
            self._room.serve(
                tell=self._audience.tell,
                welcome=self._welcome,
                line_is=self._line_is,
                emptied=self._emptied,
            )

    @property
    def usage(self) -> SessionUsage:
        """What the session has taken so far, and how long it may still last."""
        return self._watch.usage

    async def run(self) -> None:
        """Serve until somebody hangs up, a limit is reached, or the model can't be reached."""
        runner = WorkerRunner(
            handle_sigint=self._args.handle_sigint, handle_sigterm=self._args.handle_sigterm
        )
        await runner.add_workers(self._worker)
        lifetime = asyncio.create_task(self._lead(self._lifetime()))
        waiting = asyncio.create_task(self._lead(self._wait_for_caller()))
        room = asyncio.create_task(self._room.run()) if self._room else None
        try:
            await runner.run()
        finally:
            tasks = [task for task in (lifetime, waiting, room, self._breaking) if task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._hanging_up.close()
            await self._absence.close()
            if self._telephone:
                await self._telephone.close()
            self._hanging_up.because(Ended.FAILURE, "It ended by itself.")
            used = self.usage
            await self._turns.close(
                **self._hanging_up.why,
                model=self._settings.model,
                seconds=round(used.elapsed_s, 1),
                tokens=used.tokens,
                cost_usd=used.cost_usd,
            )

    async def end(
        self,
        why: str,
        goodbye: Announcement | None,
        *,
        reason: Ended = Ended.CLOSING,
        last_words_s: float | None = None,
    ) -> None:
        """Tell the user why, and end once what the bot is saying and a goodbye have been heard.

        Args:
            why: A sentence, to read.
            goodbye: The same to hear; None: nothing is said any more.
            reason: The same for the log.
            last_words_s: How long the bot may finish what it is saying, if not `LAST_WORDS_S`.
        """
        await self._hanging_up.end(why, goodbye, reason=reason, last_words_s=last_words_s)

    async def hang_up(self, why: str, *, reason: Ended = Ended.CLOSING) -> None:
        """Tell the page why, and end at once; the arguments are those of `end`.

        Who is on the telephone hears a short goodbye, for they see nothing.
        """
        await self._hanging_up.hang_up(why, reason=reason)

    # --- for its telephone, see `pipeline.phone.host` ------------------------------------------------

    @property
    def line_ready(self) -> asyncio.Future[str] | None:
        """Holds the room's SIP address once it can be called; None where nobody telephones."""
        return self._telephone.line_ready if self._telephone else None

    @property
    def how_it_ended(self) -> dict[str, str]:
        """Its `reason` and `text` once it ends; empty before."""
        return dict(self._hanging_up.why)

    @property
    def is_busy(self) -> bool:
        """Whether the model is at work or out of reach."""
        return self._service.is_busy

    def arrived(self) -> None:
        """Somebody is on the line: greet them."""
        if not self._audience.is_connected:
            logger.info(f"Session {self._id}: {self._persona.name} is connected")
        self._audience.connected()
        self._absence.back()
        if self._telephone:
            self._telephone.connected()

    async def heard(self) -> None:
        """Wait until the caller has heard what the bot has said so far."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._worker.flush_pipeline(timeout=LAST_WORDS_S)

    async def end_turn(self) -> None:
        """End the model's turn, which waits for what it will not get."""
        await self._service.end_turn()

    async def say(self, announcement: Announcement) -> None:
        """Say something by the local voice, when the bot is silent."""
        await self._audience.say(announcement)

    def note(self, event: str, **what: Any) -> None:
        """Write a line into the turn log."""
        self._turns.note(event, **what)

    async def leave(self, why: str, *, reason: Ended) -> None:
        """End at once: nobody is on the line."""
        await self._hanging_up.leave(reason, why)

    # --- its life ---------------------------------------------------------------------------------

    async def _lead(self, part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except Exception:
            logger.exception(f"Session {self._id} could not be led")
            why = "Something went wrong here; please connect again."
            await self.hang_up(why, reason=Ended.FAILURE)

    async def _lifetime(self) -> None:
        """Greet, and hold the session to its limits."""
        await self._audience.meet()
        await self._audience.tell(self._description())
        await self._audience.tell_link(self._service.link_news)
        if self._room:
            self._room.introduce(self._context)
        # Also for a persona that lets the user begin: without it the service sends no audio.
        await self._worker.queue_frame(LLMRunFrame())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._audience.prepare())
            group.create_task(self._watch.run())
            group.create_task(self._news.run())
            if self._telephone:
                group.create_task(self._telephone.watch())

    async def _wait_for_caller(self) -> None:
        """End what nobody comes to."""
        async with asyncio.TaskGroup() as group:
            if self._joining:
                group.create_task(self._joining.watch())
            if self._telephone:
                group.create_task(self._telephone.begin())

    @property
    def _may_come_back(self) -> bool:
        """Whether a page is left without a goodbye of either side."""
        over_webrtc = isinstance(self._args, SmallWebRTCRunnerArguments)
        return over_webrtc and self._audience.has_page and not self._hanging_up.why

    async def caller_left(self) -> None:
        """End at once, for they have hung up."""
        why = self._telephone.hang_up if self._telephone else (Ended.USER, "The client hung up.")
        await self._hanging_up.leave(*why)

    async def _emptied(self) -> None:
        """Nobody is in the room: somebody may come back."""
        if self._hanging_up.why or not self._absence.left():
            await self.caller_left()

    async def _welcome(self) -> None:
        await self._audience.tell(self._description())
        await self._audience.tell_link(self._service.link_news)

    def _unwritable(self) -> Callable[[], None]:
        """What the thread calls that writes the turn log, when it can't."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            self._breaking = asyncio.create_task(self._hanging_up.break_off(UNWRITTEN))

        def tell() -> None:
            loop.call_soon_threadsafe(end)

        return tell

    def _line_is(self, stats: NetworkStats) -> None:
        self.vitals.line_is(stats)
        self._turns.line_is(stats)

    # --- what happens in it -----------------------------------------------------------------------

    def _listen(self) -> None:
        transport, worker = self._transport, self._worker

        @transport.event_handler("on_client_connected")
        async def on_client_connected(transport: BaseTransport, client: Any):
            if self._room and not self._room.joined(client):
                return
            if self._telephone is None or self._telephone.is_answered_by_coming:
                self.arrived()

        @transport.event_handler("on_client_disconnected")
        async def on_client_disconnected(transport: BaseTransport, client: Any):
            if self._room:
                if self._room.left(client):
                    await self._emptied()
            elif not (self._may_come_back and self._absence.left()):
                await self.caller_left()

        if isinstance(self._args, SmallWebRTCRunnerArguments):
            self._listen_to_page(self._args.webrtc_connection)

        @self._assistant.event_handler("on_assistant_turn_stopped")
        async def on_assistant_turn_stopped(
            assistant: LLMAssistantAggregator, message: AssistantTurnStoppedMessage
        ):
            self._turns.bot_was_heard(message.content)
            if self._room and self._answers is Answers.TEXT:
                await self._room.write(message.content)
            if message.interrupted and not self._hanging_up.why:
                await self._audience.tell({"type": "interrupted", "heard": message.content})

        @worker.event_handler("on_idle_timeout")
        async def on_idle_timeout(worker: PipelineWorker):
            await self._hanging_up.end_as(IDLE)

        @worker.event_handler("on_pipeline_error")
        async def on_pipeline_error(worker: PipelineWorker, frame: ErrorFrame):
            # What a processor raises on a frame Pipecat 1.14.0 logs, and goes on without the frame;
            # nobody knows then what else is missing.
            if frame.error.startswith(RAISED):
                await self._hanging_up.break_off(BROKEN)

        @worker.event_handler("on_pipeline_finished")
        async def on_pipeline_finished(worker: PipelineWorker, frame: Frame):
            if isinstance(frame, CancelFrame):
                self._hanging_up.because(Ended.CLOSING, "The server ended it.")

        @self._service.event_handler("on_link_changed")
        async def on_link_changed(service: LiveService, link: LinkNews):
            if link.state is LinkState.FAILED:
                logger.error(f"Session {self._id}: {link.text}")
                self._hanging_up.because(Ended.FAILURE, link.text)
                await self._audience.tell_failure(link)
            elif self._audience.is_connected:
                await self._audience.announce_link(link)
                await self._audience.tell_link(link)

    def _listen_to_page(self, connection: Any) -> None:
        @connection.event_handler("disconnected")
        async def on_renewed(connection: Any):
            # Pipecat 1.14.0 calls it so when another takes its place, and at no other time.
            self._absence.renewed()

        @self._transport.event_handler("on_app_message")
        async def on_app_message(transport: BaseTransport, message: dict[str, Any], sender: str):
            # Pipecat 1.14.0 lets the bot finish what it is saying, to nobody.
            if message.get("type") == "disconnect-bot":
                await self.caller_left()

        @self._worker.rtvi.event_handler("on_client_ready")
        async def on_client_ready(rtvi: RTVIProcessor):
            if self._absence.has_been:
                await self._audience.tell(self._description() | {"resumed": True})
                await self._audience.tell_link(self._service.link_news)

    def _description(self) -> dict[str, Any]:
        return {
            "type": "session",
            "persona": self._persona.name,
            "title": self._persona.title,
            "model": self._settings.model,
            "offline": self._settings.offline,
            "voice": self._persona.voice,
            "language": self._settings.language,
            "answers": self._answers,
            "time_limit_s": self._limits.time_limit_s,
        }

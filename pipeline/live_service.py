"""Pipecat's Gemini Live service over a link that no fault of the model's service makes mute.

What the link decides is in `link`; here it is carried out, by one task for as long as the session
lasts. Each override names what Pipecat 1.14.0 does instead; the tests show that it still does, so
that ours can go when upstream mends it.
"""

import asyncio
import contextlib
from typing import Any

from google.genai.errors import APIError
from google.genai.live import AsyncSession
from google.genai.types import (
    LiveServerContent,
    LiveServerMessage,
    LiveServerSessionResumptionUpdate,
    SessionResumptionConfig,
)
from loguru import logger
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipeline.link import Attempt, Link, LinkState
from pipeline.live_client import http_options
from pipeline.live_news import LiveNews
from pipeline.patience import Silence
from pipeline.recap import RecapAdapter
from pipeline.refusals import Refusal, Verdict, explain

EXPECTED = (APIError, ConnectionClosed, InvalidStatus, OSError, TimeoutError)
"""What ends a connection; anything else is a fault of ours, and logged as one."""

_WATCH_S = 0.1
_SLOW = "The model has not answered yet."
_ASK_AGAIN = "The model does not answer that. Please ask again."
_NOTHING_TO_SAY = "The model had nothing to say to that."
_NO_ANSWER = Refusal(sentence="Gemini does not answer.", verdict=Verdict.UNREACHABLE)
_UNFIT = Refusal(
    sentence="The settings that were asked for make no sense.", verdict=Verdict.UNACCEPTABLE
)
_PONG_S = 0.5


class LiveService(LiveNews):
    """Gemini Live over a connection that ends in words, not in silence.

    Args:
        connect_timeout_s: How long reaching the model may take at first, all attempts together.
        has_own_key: Whether the key is the caller's own, for what they are told of it.
        **kwargs: As for `GeminiLiveLLMService`.
    """

    adapter_class = RecapAdapter

    def __init__(self, *, connect_timeout_s: float, has_own_key: bool = False, **kwargs: Any):
        super().__init__(
            link=Link(first_budget_s=connect_timeout_s),
            http_options=http_options(connect_timeout_s=connect_timeout_s),
            **kwargs,
        )
        self._has_own_key = has_own_key
        self._is_leaving = False
        self._is_opened = False
        self._is_slow = False
        self._given_up: Refusal | None = None

    # --- the connection -------------------------------------------------------------------------

    async def _keep_link(self):
        """Keep a connection up until the link gives up.

        Pipecat 1.14.0 enters `live.connect()` outside any `try`: when the first connection or a
        redial fails, the exception is logged, nobody is told, and the bot stays mute: so it is
        when a handle is refused. A setup that is never answered is waited for without end, and a
        goAway is not heeded. Three drops are the end, within a second for want of pauses, and the
        service counts as usable after it.
        """
        watch = asyncio.create_task(self._watch_link())
        try:
            self._state_since_s = self._state_since_s or _now()
            attempt: Attempt | None = self._link.begin(_now())
            while attempt:
                await self._tell_link()
                await asyncio.sleep(attempt.at_s - _now())
                attempt = await self._converse(attempt)
                if self._disconnecting:
                    return
                await self._leave_session()
        finally:
            watch.cancel()
        assert self._link.refusal is not None
        await self._fail(self._link.refusal)

    async def _converse(self, attempt: Attempt) -> Attempt | None:
        """Connect, and serve the connection until it ends; returns what the link decides then."""
        model = str(self._settings.model)
        self._session_resumption_handle = attempt.handle
        self._link.setting_up()
        try:
            config = await self._next_config()
            if config is None:
                return await self._plan_after(_UNFIT)
            config.session_resumption = SessionResumptionConfig(handle=attempt.handle)
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout_at(attempt.until_s):
                    connecting = self._client.aio.live.connect(model=model, config=config)
                    session = await stack.enter_async_context(connecting)
                await self._handle_session_ready(session)
                while True:
                    # `receive` ends after each turn of the model.
                    async for message in session.receive():
                        await self._handle_server_message(message)
        except Exception as error:
            if self._disconnecting:
                return None
            if self._is_leaving:
                self._is_leaving = False
                return self._link.left(_now())
            level = "DEBUG" if isinstance(error, EXPECTED) else "ERROR"
            logger.opt(exception=error).log(level, f"{self}: the connection ended")
            refusal = self._given_up or explain(
                error,
                model=model,
                in_session=self._link.is_up,
                has_own_key=self._has_own_key,
            )
            self._given_up = None
            return await self._plan_after(refusal)

    async def _plan_after(self, refusal: Refusal) -> Attempt | None:
        """Return what the link decides; other settings that were refused are taken back."""
        logger.warning(f"{self}: {refusal.sentence}")
        if not self._link.is_change_refused(refusal):
            return self._link.ended(refusal, _now())
        self._take_back()
        await self._notify(f"{refusal.sentence} The settings stay as they were.")
        return self._link.left(_now())

    async def _reconnect(self):
        """Move to a new connection, set up anew, between two turns.

        Pipecat 1.14.0 cancels the task that calls it, and forgets which calls were answered.
        """
        self._link.change_wanted()
        await self._tell_link()

    async def _handle_session_ready(self, session: AsyncSession):
        """Take the session, tell it what it does not know, then what has waited for it.

        Pipecat 1.14.0 relies on the handle alone, which does not know of the exchange that the
        connection has cut: the question is never answered.
        """
        self._link.opened(_now())
        await self._setup_accepted()
        self._repeat()
        self._patience.asked_again(_now())
        if self._exchange.is_open and not self._user_is_speaking:
            self._patience.expects(_now())
        await super()._handle_session_ready(session)
        await self._tell_link()
        await self._send_waiting()
        if self._waiting.has_lost:
            await self._tell_link()  # something has had to give way meanwhile

    async def _create_initial_response(self, for_reconnect: bool = False):
        """Send the context, then what has waited for it.

        A connection that broke before the opening was over is no reconnection: the model has yet
        to begin. Pipecat 1.14.0 takes it for one, and a 3.x model then waits for the user.
        """
        await super()._create_initial_response(for_reconnect and self._is_opened)
        if self._session and not self._is_opened:
            if self._inference_on_context_initialization:
                self._patience.expects(_now())
            else:
                self._is_opened = True
        await self._send_waiting()

    async def _leave_session(self):
        """Forget a connection that ended, and end the turn that it cut.

        Pipecat 1.14.0 leaves the turn open: the next answer is taken for its continuation, and a
        hang-up waits 30 s for its end.
        """
        self._session = None
        self._ready_for_realtime_input = False
        self._forget_turn()
        self._calls.connection_lost()
        self._discard_deferred_turn()
        await self._end_response()

    async def _disconnect(self):
        """Say goodbye first; Pipecat 1.14.0 has every session end with 1011, an internal error."""
        self._disconnecting = True
        if self._session:
            with contextlib.suppress(*EXPECTED):
                await self._session.close()
        await super()._disconnect()

    async def cleanup(self):
        """Close the client too; Pipecat 1.14.0 leaves that to the garbage collector."""
        await super().cleanup()
        await self._client.aio.aclose()

    # --- what the link is told ------------------------------------------------------------------

    async def _handle_server_message(self, message: LiveServerMessage):
        """Heed a goAway, which Pipecat 1.14.0 does not."""
        if message.go_away:
            self._link.told_to_go(_seconds(message.go_away.time_left), _now())
            await self._tell_link()
        await super()._handle_server_message(message)
        if self._is_slow:
            self._is_slow = False
            await self._tell_link()

    def _handle_msg_resumption_update(self, message: LiveServerMessage):
        """Take a handle, once it brings back more than an empty conversation.

        Pipecat 1.14.0 takes any: when the opening is cut, a session is resumed that knows nothing.
        """
        update: LiveServerSessionResumptionUpdate | None = message.session_resumption_update
        if update and update.resumable and update.new_handle and self._is_opened:
            self._link.remember(update.new_handle)

    async def _turn_ended(self, content: LiveServerContent):
        """Tell the user when the model has passed over what they asked."""
        if self._exchange.is_passed_over:
            await self._notify(_NOTHING_TO_SAY)
        await super()._turn_ended(content)

    async def _settle(self):
        """Note that the conversation has begun."""
        await super()._settle()
        self._is_opened = True

    async def end_turn(self):
        """End a turn of the model's that waits for the result of a function and gets none."""
        await self._end_response()

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way or to be expected, or nothing can be asked just now."""
        is_up = self._link.state in (LinkState.READY, LinkState.DRAINING)
        return self._is_busy or not is_up

    @property
    def _is_busy(self) -> bool:
        """Whether leaving the connection now would cut something."""
        return self._bot_is_responding or self._exchange.is_open or self._calls.is_any_awaited

    async def _watch_link(self):
        """Leave when the link says so; tell when a gap or a silence becomes long."""
        while True:
            await asyncio.sleep(_WATCH_S)
            now_s = _now()
            if self._link.tick(now_s):
                await self._tell_link()
            session = self._session
            if session is None:
                continue
            silence = self._patience.check(now_s)
            if silence is Silence.SLOW:
                await self._ask_for_patience(session)
            elif silence is Silence.DEAD:
                self._given_up = _NO_ANSWER
                await self._close(session)
            elif silence is Silence.HOPELESS:
                await self._notify(_ASK_AGAIN)
                await self._settle()
            elif self._link.should_leave(now_s, is_busy=self._is_busy):
                self._is_leaving = True
                await self._close(session)

    async def _close(self, session: AsyncSession):
        with contextlib.suppress(*EXPECTED):
            await session.close()

    async def _ask_for_patience(self, session: AsyncSession):
        """Tell the user that they are not forgotten, unless they have only coughed."""
        is_doubtful = self._exchange.is_open and not self._exchange.is_transcribed
        if is_doubtful and await _is_alive(session):
            self._exchange.was_noise()
            if not self._exchange.is_open:
                self._patience.settled()
                return
        self._is_slow = True
        await self._notify(_SLOW)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _is_alive(session: AsyncSession) -> bool:
    """Ask the other side for a sign of life."""
    try:
        async with asyncio.timeout(_PONG_S):
            await (await session._ws.ping())  # pyright: ignore - the SDK's own type is narrower
    except EXPECTED:
        return False
    return True


def _seconds(duration: str | None) -> float:
    """Read a proto Duration such as `50s`; without one there is no time left."""
    return float((duration or "0").rstrip("s"))

"""Pipecat's Gemini Live service, with what it lacks: a link that says when it fails, and pictures.

Each override names what Pipecat 1.14.0 does instead; `tests/test_live_service.py` shows that it
still does, so that ours can go when upstream mends it.
"""

import asyncio
import contextlib
import functools
import os
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import certifi
from google.genai.errors import APIError
from google.genai.live import AsyncSession
from google.genai.types import (
    Blob,
    Content,
    HttpOptions,
    LiveConnectConfig,
    LiveServerMessage,
    Part,
    SessionResumptionConfig,
)
from loguru import logger
from pipecat.frames.frames import (
    Frame,
    InputImageRawFrame,
    LLMFullResponseEndFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipeline.frames import ModelSawFrame, ModelToldFrame, PictureTurnFrame
from pipeline.refusals import Refusal, explain

STABLE_S = 10.0
MAX_DROPS = 3
"""How often in a row a connection may drop within `STABLE_S` of its start; once more ends it.

Pipecat 1.14.0 gives up at the third (`MAX_CONSECUTIVE_FAILURES`)."""

EXPECTED = (APIError, ConnectionClosed, InvalidStatus, OSError, TimeoutError)
"""What ends a connection; anything else is a fault of ours, and logged as one."""

MAX_HELD = 20
"""How many typed messages and pictures wait while there is no connection; older ones give way."""

Send = Callable[[AsyncSession], Awaitable[None]]
"""Sends one thing over a session.

Raises:
    ConnectionClosed: When the session's connection is closed; it is sent again over the next.
"""


@dataclass(frozen=True, kw_only=True)
class LinkState:
    """Where the connection to the model stands.

    Parameters:
        state: `connecting` until the model can be spoken with (again), `ready`, or `failed` for
            good.
        text: One sentence for the user.
    """

    state: Literal["connecting", "ready", "failed"]
    text: str


@functools.cache
def shared_ssl_context() -> ssl.SSLContext:
    """The TLS settings of every connection to the model, made once.

    A `genai.Client` makes four of its own otherwise, which blocks the event loop for 310 ms
    (measured); with this one it takes 2 ms. The authorities are those of `SSL_CERT_FILE`, or else
    certifi's, as in the SDK.
    """
    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())


def http_options(*, connect_timeout_s: float) -> HttpOptions:
    """How the SDK connects.

    Pings time out after 60 s instead of 20, because the service's pongs were seen to take 8 to
    30 s, which made clients close healthy connections. A goodbye that a dead line does not answer
    is waited for 1 s instead of 10.
    """
    context = shared_ssl_context()
    return HttpOptions(
        client_args={"verify": context},
        async_client_args={
            "ssl": context,
            "verify": context,
            "open_timeout": connect_timeout_s,
            "ping_timeout": 60,
            "close_timeout": 1,
        },
    )


class LiveService(GeminiLiveLLMService):
    """Gemini Live over a connection that ends in words, not in silence.

    Event handlers available:

    - on_link_changed(service, state: LinkState): The connection's state changed. It is waited
      for, so that the user can be told of a failure before the pipeline ends.

    Args:
        connect_timeout_s: How long reaching the model may take, all attempts together.
        **kwargs: As for `GeminiLiveLLMService`.
    """

    def __init__(self, *, connect_timeout_s: float, **kwargs: Any):
        super().__init__(http_options=http_options(connect_timeout_s=connect_timeout_s), **kwargs)
        self._connect_timeout_s = connect_timeout_s
        self._held: deque[Send] = deque()
        self._sending = asyncio.Lock()
        self._is_cut = False
        self._is_generating = False
        self.link_state = LinkState(state="connecting", text="Connecting to the model.")
        self._register_event_handler("on_link_changed", sync=True)

    # --- the connection -------------------------------------------------------------------------

    async def _connection_task_handler(self, config: LiveConnectConfig):
        """Keep a connection up until the model's service refuses for good.

        Pipecat 1.14.0 enters `live.connect()` outside any `try`: when the first connection or a
        redial fails, the exception is logged, nobody is told, and the bot stays mute. A setup
        that is never answered is waited for without end.
        """
        loop, drops = asyncio.get_running_loop(), 0
        while True:
            connected_at: float | None = None
            try:
                async with contextlib.AsyncExitStack() as stack:
                    session = await self._reach(stack, config)
                    connected_at = loop.time()
                    await self._handle_session_ready(session)
                    await self._set_link(LinkState(state="ready", text="The model is listening."))
                    while True:
                        # `receive` ends after each turn of the model.
                        async for message in session.receive():
                            await self._handle_server_message(message)
            except Exception as error:
                expected = isinstance(error, EXPECTED)
                level = "DEBUG" if expected else "ERROR"
                logger.opt(exception=error).log(level, f"{self}: the connection ended")
                model = str(self._settings.model)
                refusal = explain(error, model=model, in_session=connected_at is not None)
            await self._leave_session()
            if connected_at is None or refusal.permanent:
                return await self._fail(refusal)
            drops = 1 if loop.time() - connected_at >= STABLE_S else drops + 1
            if drops > MAX_DROPS:
                return await self._fail(refusal)
            logger.warning(f"{self}: {refusal.sentence} Connecting again.")
            await self._set_link(LinkState(state="connecting", text="Connecting again."))
            handle = self._session_resumption_handle
            config.session_resumption = SessionResumptionConfig(handle=handle)

    async def _reach(
        self, stack: contextlib.AsyncExitStack, config: LiveConnectConfig
    ) -> AsyncSession:
        """Connect, with as many attempts as the time allows.

        Raises:
            Exception: Of the last attempt, when the refusal is permanent or the time is up.
        """
        model = str(self._settings.model)
        loop = asyncio.get_running_loop()
        deadline, pause_s = loop.time() + self._connect_timeout_s, 0.25
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    connecting = self._client.aio.live.connect(model=model, config=config)
                    return await stack.enter_async_context(connecting)
            except Exception as error:
                refusal = explain(error, model=model)
                if refusal.permanent or loop.time() + pause_s >= deadline:
                    raise
                logger.warning(f"{self}: {refusal.sentence} Trying again.")
                if isinstance(error, APIError):
                    # Refused after the upgrade, perhaps for its handle; without one, the context
                    # is sent again.
                    self._session_resumption_handle = None
                    config.session_resumption = SessionResumptionConfig()
            await asyncio.sleep(pause_s)
            pause_s *= 2

    async def _leave_session(self):
        """Forget a connection that ended, and end the turn that it cut.

        Pipecat 1.14.0 leaves the turn open: the next answer is taken for its continuation, and a
        hang-up waits 30 s for its end.
        """
        self._session = None
        self._ready_for_realtime_input = False
        if self._bot_is_responding:
            await self._set_bot_is_responding(False)
            await self.push_frame(TTSStoppedFrame())
            await self.push_frame(LLMFullResponseEndFrame())

    async def cleanup(self):
        """Close the client too; Pipecat 1.14.0 leaves that to the garbage collector."""
        await super().cleanup()
        await self._client.aio.aclose()

    async def _fail(self, refusal: Refusal):
        await self._set_link(LinkState(state="failed", text=refusal.sentence))
        await self.push_error(refusal.sentence, force_treat_as_permanent=True)

    async def _set_link(self, link: LinkState):
        self.link_state = link
        await self._call_event_handler("on_link_changed", link)

    async def _handle_send_error(self, error: Exception):
        """Leave a closed connection to the one who receives from it.

        Pipecat 1.14.0 pushes an error for each message that can't be sent: 50 a second.
        """
        if isinstance(error, ConnectionClosed):
            logger.debug(f"{self}: not sent, the connection is closed")
        else:
            await super()._handle_send_error(error)

    # --- what the user sends --------------------------------------------------------------------

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Send a picture's turn to the model; everything else is the framework's."""
        await super().process_frame(frame, direction)
        if isinstance(frame, PictureTurnFrame):
            await self._send_or_hold(functools.partial(self._send_picture_turn, frame))

    async def _send_user_text(self, text: str):
        """Send typed text; Pipecat 1.14.0 drops it while there is no connection."""
        await self._send_or_hold(functools.partial(self._send_text, text))

    async def _send_text(self, text: str, session: AsyncSession):
        await session.send_realtime_input(text=text)
        await self.push_frame(ModelToldFrame(text=text))

    async def _send_user_video(self, frame: InputImageRawFrame):
        """Send a frame that the limiter has let through; one that can't go now is stale later.

        Pipecat 1.14.0 limits a second time, to one frame a second of all sources together, and
        encodes on the event loop.
        """
        if frame.format != "image/jpeg" or not self._session or not self._ready_for_realtime_input:
            return
        try:
            await self._session.send_realtime_input(
                video=Blob(data=frame.image, mime_type="image/jpeg")
            )
        except ConnectionClosed as error:
            return await self._handle_send_error(error)
        width, height = frame.size
        source = frame.transport_source or "camera"
        await self.push_frame(ModelSawFrame(source=source, width=width, height=height))

    async def _send_picture_turn(self, frame: PictureTurnFrame, session: AsyncSession):
        """Send a still and its caption so that the model sees both in one turn.

        A typed turn does not see an image that was sent just before as real-time video (seen of
        2.5, 3.1 and 3.8), so both belong in one content turn. Only 3.1 refuses content after its
        first turn, with 1007: there the still goes as video and the caption as text after it.
        """
        still = Blob(data=frame.picture.jpeg, mime_type="image/jpeg")
        if "gemini-3.1-" in str(self._settings.model):
            await session.send_realtime_input(video=still)
            await session.send_realtime_input(text=frame.caption)
        else:
            turn = Content(role="user", parts=[Part(inline_data=still), Part(text=frame.caption)])
            await session.send_client_content(turns=turn, turn_complete=True)
        width, height = frame.picture.width, frame.picture.height
        saw = ModelSawFrame(source="upload", width=width, height=height)
        saw.filename, saw.caption = frame.filename, frame.caption
        await self.push_frame(saw)
        message = picture_message("seen", frame.filename, "The model has seen it.")
        await self.push_frame(RTVIServerMessageFrame(message))

    async def _send_or_hold(self, send: Send):
        """Send what the user meant to be answered, now or when there is a connection again."""
        if len(self._held) >= MAX_HELD:
            self._held.popleft()
            await self.push_error(f"The oldest of {MAX_HELD} messages that waited is lost.")
        self._held.append(send)
        await self._send_held()

    async def _send_held(self):
        async with self._sending:
            while self._held and self._session and self._ready_for_realtime_input:
                send = self._held.popleft()
                try:
                    await send(self._session)
                except ConnectionClosed as error:
                    self._held.appendleft(send)
                    return await self._handle_send_error(error)

    async def _create_initial_response(self, for_reconnect: bool = False):
        """Send the context, then what has waited for it."""
        await super()._create_initial_response(for_reconnect)
        await self._send_held()

    async def _handle_session_ready(self, session: AsyncSession):
        """Take the session, then send what has waited for it."""
        await super()._handle_session_ready(session)
        await self._send_held()

    # --- what the model sends -------------------------------------------------------------------

    async def _handle_interruption(self):
        """Note that the answer is cut here, before the model knows.

        Typing and sending a picture interrupt the bot locally, and the model hears of it only by
        what is typed: with Pipecat 1.14.0 the rest of the answer that is under way begins to play
        again meanwhile, as a turn of its own.
        """
        self._is_cut = self._bot_is_responding and self._is_generating
        await super()._handle_interruption()

    async def _handle_server_message(self, message: LiveServerMessage):
        """Drop the rest of a cut answer; settle the user's words and the tokens in good time.

        Pipecat 1.14.0 keeps the user's transcript until a full stop or for 0.5 s, so that a quick
        answer comes first; and it reads usage only where a turn completes, after it has closed
        the turn.
        """
        content = message.server_content
        if content:
            speaks = bool(content.model_turn or content.output_transcription)
            ends = bool(content.interrupted or content.generation_complete or content.turn_complete)
            self._is_generating = not ends and (speaks or self._is_generating)
            self._is_cut = self._is_cut and not ends
            if self._is_cut and speaks:
                return
            if speaks and not self._bot_is_responding:
                await self._flush_user_transcription()
        await super()._handle_msg_usage_metadata(message)
        await super()._handle_server_message(message)

    async def _handle_msg_usage_metadata(self, message: LiveServerMessage):
        """Nothing more: `_handle_server_message` has read it."""

    async def _flush_user_transcription(self):
        if text := self._user_transcription_buffer.strip():
            self._user_transcription_buffer = ""
            if self._transcription_timeout_task:
                await self.cancel_task(self._transcription_timeout_task)
                self._transcription_timeout_task = None
            await self._push_user_transcription(text)


def picture_message(state: Literal["seen", "refused"], name: str, text: str) -> dict[str, str]:
    """What the page is told of a picture that was sent, as RTVI server message."""
    return {"type": "picture", "state": state, "name": name, "text": text}

"""What the user says, shows and types: held while there is no connection, sent in order and once.

Each override names what Pipecat 1.14.0 does instead; the tests show that it still does.
"""

import asyncio
import base64
import json
import time
from functools import partial
from typing import Any

from google.genai.live import AsyncSession
from google.genai.types import Blob, Content, ContentDict, Part
from loguru import logger
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InputImageRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from websockets.exceptions import ConnectionClosed

from pipeline.exchange import Continue, Recall
from pipeline.frames import ModelSawFrame, ModelToldFrame, PictureTurnFrame
from pipeline.gathering import Gathering
from pipeline.live_tools import LiveTools
from pipeline.outgoing import Outgoing
from pipeline.waiting import Audio, Waiting

SOUND_AFTER_TURN_S = 0.6
"""How long sound waits after a content turn: the service closes with 1007 when the two cross."""
BACKLOG_S = 2.5
BACKLOG_BYTES = 64 * 1024
"""How much sound, or how many bytes, wait when the line is as slow as can be."""
STREAM_ENDS_S = 1.0
"""A microphone that has sent nothing for so long is off, and the model is told. Its own activity
detection counts samples: without any it never hears that somebody has finished."""


class LiveInput(LiveTools):
    """Gemini Live that gets everything that is meant for it.

    Args:
        **kwargs: As for `GeminiLiveLLMService`.

    Attributes:
        first_sound_at_s: When the first sound went to the model, as `time.monotonic` has it, which
            is the same for all processes of a machine; None when none has.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._waiting: Waiting[Outgoing] = Waiting()
        self._gathering = Gathering()
        self._sending = asyncio.Lock()
        self._sound_from_s = 0.0
        self._last_sound_s: float | None = None
        self.first_sound_at_s: float | None = None
        self._stream_end: asyncio.TimerHandle | None = None
        self._owes_stream_end = False

    # --- what comes in --------------------------------------------------------------------------

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Send a picture's turn to the model; everything else is the framework's.

        Pipecat 1.14.0 has no frame for a still with its caption, and takes what is uploaded for
        raw pixels.
        """
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._patience.settled()
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            # Not at the end of the turn, 0.6 s later: that long the user has waited by then.
            self._patience.asked(asyncio.get_running_loop().time())
        elif isinstance(frame, PictureTurnFrame):
            await self._send_or_hold(self._picture_turn(frame))

    async def hear(self, frame: InputAudioRawFrame):
        """Take sound that has not come down the line of processors."""
        await self._send_user_audio(frame)

    async def _handle_user_started_speaking(self, frame: Frame):
        """Keep what is asked; with Pipecat 1.14.0 it is lost with the connection."""
        self._exchange.user_began()
        await super()._handle_user_started_speaking(frame)

    async def _send_user_audio(self, frame: InputAudioRawFrame):
        """Send sound; Pipecat 1.14.0 drops it while there is no connection."""
        if not self._audio_input_paused:
            self._last_sound_s = asyncio.get_running_loop().time()
            self._owes_stream_end = False
            if self._stream_end is None:
                self._expect_sound(STREAM_ENDS_S)
            for pcm, rate_hz in self._gathering.add(
                frame.audio, frame.sample_rate, self._last_sound_s
            ):
                await self._send_or_hold(Audio(pcm, rate_hz))

    async def _send_user_text(self, text: str):
        """Send typed text; Pipecat 1.14.0 drops it while there is no connection."""
        told = partial(self.push_frame, ModelToldFrame(text=text))
        await self._send_or_hold(Outgoing(_text(text), then=told, words=text))

    async def _send_user_video(self, frame: InputImageRawFrame):
        """Send a frame that the limiter has let through; one that can't go now is stale later.

        Pipecat 1.14.0 limits a second time, to one frame a second of all sources together, and
        encodes on the event loop.
        """
        session = self._open_session
        if frame.format != "image/jpeg" or session is None:
            return
        try:
            await session.send_realtime_input(video=Blob(data=frame.image, mime_type="image/jpeg"))
        except ConnectionClosed as error:
            return await self._handle_send_error(error)
        width, height = frame.size
        source = frame.transport_source or "camera"
        saw = ModelSawFrame(source=source, width=width, height=height, jpeg=frame.image)
        await self.push_frame(saw)

    def _picture_turn(self, frame: PictureTurnFrame) -> Outgoing:
        """A still and its caption in one turn.

        A typed turn does not see an image that was sent just before as real-time video (seen of
        2.5, 3.1 and 3.8), so both belong in one content turn. Only 3.1 refuses content after its
        first turn, with 1007: there the still goes as video and the caption as text after it.
        """
        still = Blob(data=frame.picture.jpeg, mime_type="image/jpeg")

        async def as_video(session: AsyncSession):
            await session.send_realtime_input(video=still)
            await session.send_realtime_input(text=frame.caption)

        async def as_turn(session: AsyncSession):
            turn = Content(role="user", parts=[Part(inline_data=still), Part(text=frame.caption)])
            await session.send_client_content(turns=turn, turn_complete=True)

        async def then():
            width, height = frame.picture.width, frame.picture.height
            saw = ModelSawFrame(source="upload", width=width, height=height)
            saw.filename, saw.caption = frame.filename, frame.caption
            await self.push_frame(saw)
            message = picture_message("seen", frame.filename, "The model has seen it.")
            await self.push_frame(RTVIServerMessageFrame(message))

        if self._takes_content:
            return Outgoing(as_turn, then=then, words=frame.caption, completes_turn=True)
        return Outgoing(as_video, then=then, words=frame.caption)

    @property
    def _takes_content(self) -> bool:
        """Whether the model takes content turns in the middle of a conversation."""
        return "gemini-3.1-" not in str(self._settings.model)

    @property
    def pressure(self) -> float:
        """How hard it is to get anything to the model, from 0 to 1: nothing goes out.

        It is told by what has not gone out yet: sound that waits, and bytes that the connection
        below does not take.
        """
        if (session := self._open_session) is None:
            return 1.0
        unsent = session._ws.transport.get_write_buffer_size()  # pyright: ignore
        return min(max(self._waiting.audio_s / BACKLOG_S, unsent / BACKLOG_BYTES), 0.99)

    # --- holding and sending --------------------------------------------------------------------

    @property
    def _open_session(self) -> AsyncSession | None:
        """The session, if it takes input now."""
        is_open = self._ready_for_realtime_input and not self._disconnecting
        return self._session if is_open else None

    async def _send_or_hold(self, entry: Audio | Outgoing):
        """Send something, now or when there is a connection again."""
        self._waiting.add(entry)
        await self._send_waiting()

    async def _send_waiting(self):
        if self._sending.locked():
            return  # whoever sends takes this too
        async with self._sending:
            while (entry := self._waiting.first()) and (session := self._open_session):
                if isinstance(entry, Audio) and self._must_keep_quiet():
                    return
                self._waiting.take()
                try:
                    await self._send_entry(entry, session)
                except ConnectionClosed as error:
                    self._waiting.put_first([entry])
                    return await self._handle_send_error(error)
        if self._owes_stream_end:
            await self._end_stream()

    async def _send_entry(self, entry: Audio | Outgoing, session: AsyncSession):
        if isinstance(entry, Audio):
            await session._ws.send(_audio_message(entry))  # pyright: ignore
            self.first_sound_at_s = self.first_sound_at_s or time.monotonic()
        else:
            await entry.send(session)
        if isinstance(entry, Audio) or entry.is_asking:
            self._exchange.sent(entry)
        if isinstance(entry, Outgoing):
            if entry.completes_turn:
                self._keep_quiet()
            if entry.then is not None:
                then, entry.then = entry.then, None
                self._exchange.typed(entry.words)
                self._patience.asked(asyncio.get_running_loop().time())
                await then()

    def _repeat(self):
        """Put what the new connection does not know before what waits for it."""
        missed = self._exchange.repeat(can_continue=not self._calls.is_any)
        self._waiting.gave_up(self._exchange.take_lost_s())
        self._waiting.put_first([self._told(entry) for entry in missed])
        is_off = self._stream_end is None and self._last_sound_s is not None
        self._owes_stream_end = self._owes_stream_end or (is_off and bool(missed))

    def _told(self, entry: Audio | Outgoing | Continue | Recall) -> Audio | Outgoing:
        match entry:
            case Continue():
                return Outgoing(_text(_prompt(entry)), words=entry.asked)
            case Recall() if self._takes_content:
                return Outgoing(_history(entry), is_asking=False)
            case Recall():
                return Outgoing(_nothing, is_asking=False)
            case _:
                return entry

    async def _handle_send_error(self, error: Exception):
        """Leave a closed connection to the one who receives from it.

        Pipecat 1.14.0 pushes an error for each message that can't be sent: 50 a second.
        """
        if isinstance(error, ConnectionClosed):
            logger.debug(f"{self}: not sent, the connection is closed")
        else:
            await super()._handle_send_error(error)

    # --- when sound must not follow, and when it does not -----------------------------------------

    def _keep_quiet(self):
        loop = asyncio.get_running_loop()
        self._sound_from_s = loop.time() + SOUND_AFTER_TURN_S
        loop.call_later(SOUND_AFTER_TURN_S, lambda: self.create_task(self._send_waiting()))

    def _must_keep_quiet(self) -> bool:
        return asyncio.get_running_loop().time() < self._sound_from_s

    def _expect_sound(self, within_s: float):
        loop = asyncio.get_running_loop()
        self._stream_end = loop.call_later(within_s, self._check_stream)

    def _check_stream(self):
        self._stream_end = None
        silent_s = asyncio.get_running_loop().time() - (self._last_sound_s or 0.0)
        if silent_s < STREAM_ENDS_S:
            self._expect_sound(STREAM_ENDS_S - silent_s)
        else:
            self.create_task(self._end_stream())

    async def _end_stream(self):
        """Tell the model that the microphone is off; Pipecat 1.14.0 never does."""
        for pcm, rate_hz in self._gathering.rest():
            await self._send_or_hold(Audio(pcm, rate_hz))
        session = self._open_session
        self._owes_stream_end = session is None or bool(self._waiting)
        if session and not self._owes_stream_end:
            try:
                await session.send_realtime_input(audio_stream_end=True)
            except ConnectionClosed as error:
                await self._handle_send_error(error)

    async def cleanup(self):
        """Stop waiting for sound, for which Pipecat 1.14.0 does not wait."""
        await super().cleanup()
        if self._stream_end:
            self._stream_end.cancel()


def _audio_message(audio: Audio) -> str:
    """What `send_realtime_input` of google-genai 2.34 makes of it, in a tenth of the time."""
    blob = {
        "data": base64.urlsafe_b64encode(audio.pcm).decode(),
        "mime_type": f"audio/pcm;rate={audio.rate_hz}",
    }
    return json.dumps({"realtime_input": {"audio": blob}})


def _text(text: str):
    async def send(session: AsyncSession):
        await session.send_realtime_input(text=text)

    return send


def _history(past: Recall):
    turns: list[Content | ContentDict] = [
        Content(role="user", parts=[Part(text=past.asked)]),
        Content(role="model", parts=[Part(text=past.answered)]),
    ]

    async def send(session: AsyncSession):
        await session.send_client_content(turns=turns, turn_complete=False)

    return send


async def _nothing(session: AsyncSession):
    """Nothing to send: this model takes no history in the middle of a conversation."""


def _prompt(cut: Continue) -> str:
    return (
        "(The connection broke while you were answering. The question was: "
        f"“{cut.asked}”. You had said so far: “{cut.answered}”. Go on from there, without "
        "repeating it and without mentioning this.)"
    )


def picture_message(state: str, name: str, text: str) -> dict[str, str]:
    """What the page is told of a picture that was sent, as RTVI server message."""
    return {"type": "picture", "state": state, "name": name, "text": text}

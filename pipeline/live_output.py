"""What the model sends: the whole of it, in order, and each turn brought to its end.

Each override names what Pipecat 1.14.0 does instead; the tests show that it still does.
"""

import asyncio
import math
from typing import Any

from google.genai.types import (
    GroundingMetadata,
    GroundingSupport,
    LiveServerContent,
    LiveServerMessage,
)
from loguru import logger
from pipecat.frames.frames import LLMFullResponseEndFrame, TTSStoppedFrame

from pipeline.exchange import Exchange
from pipeline.live_usage import LiveUsage
from pipeline.outgoing import Outgoing
from pipeline.patience import Patience
from pipeline.written_words import as_transcript

QUIET_S = 15.0
"""A turn in which the model says nothing for so long has ended without its turnComplete."""
AFTER_GENERATION_S = 3.0
"""So long after the assumed end of playback a turn has ended whose generation is complete."""
LATE_WORDS_S = 5.0
"""How long after a turn what comes still belongs to it: the service promises no order of speech and
text, and takes an answer to play on when its turn is complete."""
_BYTES_PER_S = 48_000
_ON_ITS_WAY_S = 0.01


class LiveOutput(LiveUsage):
    """Gemini Live with every part of every message, and turns that end.

    Args:
        is_written: Whether answers are read and not heard: no sound goes on, and an answer is over
            when all of it is there.
        **kwargs: As for `GeminiLiveLLMService`.
    """

    def __init__(self, *, is_written: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self._is_written = is_written
        self._exchange: Exchange[Outgoing] = Exchange()
        self._is_cut = False
        self._is_generating = False
        self._was_interrupted = False
        self._patience = Patience()
        self._half_sample = b""
        self._turn_audio_s = 0.0
        self._turn_began_s = 0.0
        self._turn_watch: asyncio.TimerHandle | None = None
        self._settled_s = -math.inf

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
        speaks = False
        if content and self._is_written:
            as_transcript(content)
        if content:
            speaks = bool(content.model_turn or content.output_transcription)
            ends = bool(content.interrupted or content.generation_complete or content.turn_complete)
            self._is_generating = not ends and (speaks or self._is_generating)
            self._is_cut = self._is_cut and not ends
            if self._is_cut and speaks:
                return
            if self._is_between_turns:
                # The rest of the last answer is playing, and nobody is heard who could interrupt it.
                content.interrupted = None
                await self._add_late_words(content)
            self._take_words(content)
            if speaks and not self._bot_is_responding:
                await self._flush_user_transcription()
            if content.interrupted:
                # Speech that came with it, and is still on its way, is to be thrown away too.
                await asyncio.sleep(_ON_ITS_WAY_S)
        await super()._handle_msg_usage_metadata(message)
        await super()._handle_server_message(message)
        if content and content.generation_complete and self._is_written:
            await self._end_response()
        if content:
            if content.interrupted:
                # An interruption before the answer began is not the end of the question.
                if not self._exchange.is_passed_over:
                    await self._settle()
            elif content.turn_complete and not self._was_interrupted:
                await self._turn_ended(content)
            # The turnComplete that follows an interruption is that of the turn that was cut.
            self._was_interrupted = not content.turn_complete and bool(
                content.interrupted or (self._was_interrupted and not speaks)
            )
            self._watch_turn(content)
            self._wait_for_more(content)

    async def _handle_msg_usage_metadata(self, message: LiveServerMessage):
        """Nothing more: Pipecat 1.14.0 reads it here, `_handle_server_message` has done so."""

    async def _handle_msg_model_turn(self, msg: LiveServerMessage):
        """Take every part of a message.

        Pipecat 1.14.0 reads the first only: behind a thought the audio is lost. It would also play
        half a sample as noise, and keeps all speech of a session in a buffer that nobody reads.
        """
        assert msg.server_content is not None and msg.server_content.model_turn is not None
        turn = msg.server_content.model_turn
        parts = turn.parts or []
        for part in parts:
            if part.inline_data and part.inline_data.data:
                audio = self._half_sample + part.inline_data.data
                whole = len(audio) & ~1
                part.inline_data.data, self._half_sample = audio[:whole], audio[whole:]
                self._turn_audio_s += whole / _BYTES_PER_S
            turn.parts = [part]
            await super()._handle_msg_model_turn(msg)
        turn.parts = parts
        self._bot_audio_buffer.clear()

    async def _process_grounding_metadata(
        self, grounding_metadata: GroundingMetadata, search_result: str = ""
    ):
        """Take sources that are given without the sentences they support.

        Pipecat 1.14.0 leaves all of them out then.
        """
        if not grounding_metadata.grounding_supports:
            grounding_metadata.grounding_supports = [GroundingSupport()]
        await super()._process_grounding_metadata(grounding_metadata, search_result)

    # --- the exchange ---------------------------------------------------------------------------

    def _take_words(self, content: LiveServerContent):
        """Tell the exchange what was heard and said; words that were heard before are dropped."""
        heard = content.input_transcription
        if heard and heard.text:
            heard.text = self._exchange.transcribed(heard.text)
        if content.model_turn or content.output_transcription:
            said = content.output_transcription
            self._exchange.answered((said.text if said else "") or "")
        if content.generation_complete:
            self._exchange.generated()

    async def _turn_ended(self, content: LiveServerContent):
        """Note that the exchange is complete, unless the model says that it is still at work."""
        if self._read_interaction_status(content) is not False:
            if not self._user_is_speaking:
                self._exchange.was_not_interrupted()
            await self._settle()

    @property
    def _is_between_turns(self) -> bool:
        """Whether an answer has just ended, and nothing was asked since."""
        since_s = asyncio.get_running_loop().time() - self._settled_s
        is_quiet = not self._bot_is_responding and not self._exchange.is_open
        return is_quiet and since_s < LATE_WORDS_S

    async def _add_late_words(self, content: LiveServerContent):
        """Add words to the turn that is over.

        Pipecat 1.14.0 opens a turn for them, which nothing ends before the next answer.
        """
        said = content.output_transcription
        if said and said.text and not content.model_turn:
            content.output_transcription = None
            await self._push_output_transcription_text_frames(said.text)
            await self.push_frame(LLMFullResponseEndFrame())

    async def _end_response(self):
        """End the turn as far as it is seen; the service would go on until it has been played."""
        if self._bot_is_responding:
            await self._set_bot_is_responding(False)
            await self.push_frame(TTSStoppedFrame())
            await self.push_frame(LLMFullResponseEndFrame())

    async def _settle(self):
        self._settled_s = asyncio.get_running_loop().time()
        self._half_sample, self._turn_audio_s = b"", 0.0
        self._exchange.settled()
        if not self._exchange.is_open:
            self._patience.settled()
        elif not self._user_is_speaking:
            self._patience.asked(self._settled_s)

    async def _flush_user_transcription(self):
        if text := self._user_transcription_buffer.strip():
            self._user_transcription_buffer = ""
            if self._transcription_timeout_task:
                await self.cancel_task(self._transcription_timeout_task)
                self._transcription_timeout_task = None
            await self._push_user_transcription(text)

    def _wait_for_more(self, content: LiveServerContent):
        """Note what is still expected of the model, and from when on."""
        if content.generation_complete:
            self._patience.settled()
        elif content.model_turn or content.output_transcription:
            now_s = asyncio.get_running_loop().time()
            self._patience.heard(max(now_s, self._turn_began_s + self._turn_audio_s))

    # --- turns that do not end by themselves ----------------------------------------------------

    def _watch_turn(self, content: LiveServerContent):
        """See to it that a turn ends whose end never comes.

        Pipecat 1.14.0 leaves it open: the next answer counts as its continuation, and hanging up
        takes 30 s.
        """
        if self._turn_watch:
            self._turn_watch.cancel()
            self._turn_watch = None
        if not self._bot_is_responding:
            self._turn_began_s = 0.0
            return
        loop = asyncio.get_running_loop()
        self._turn_began_s = self._turn_began_s or loop.time()
        wait_s = QUIET_S
        if content.generation_complete:
            playing_s = self._turn_began_s + self._turn_audio_s - loop.time()
            wait_s = max(playing_s, 0.0) + AFTER_GENERATION_S
        self._turn_watch = loop.call_later(wait_s, self._close_turn_later)

    def _forget_turn(self):
        """The connection is gone: nothing of its turn belongs to the next one."""
        self._exchange.was_cut(math.inf if self._is_written else self._turn_audio_s)
        self._is_generating = self._is_cut = self._was_interrupted = False
        self._half_sample, self._turn_audio_s, self._turn_began_s = b"", 0.0, 0.0
        if self._turn_watch:
            self._turn_watch.cancel()
            self._turn_watch = None

    async def cleanup(self):
        """Watch no turn any more, which Pipecat 1.14.0 does not do."""
        await super().cleanup()
        self._forget_turn()

    def _close_turn_later(self):
        self._turn_watch = None
        self.create_task(self._close_turn())

    async def _close_turn(self):
        if self._bot_is_responding:
            logger.warning(f"{self}: the model's turn ended without a word")
            end = LiveServerContent(turn_complete=True)
            await self._handle_server_message(LiveServerMessage(server_content=end))

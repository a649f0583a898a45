"""Tells by a local voice what becomes of the conversation, also when the model can't speak."""

import asyncio

from loguru import logger
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    Frame,
    OutputAudioRawFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup

from pipeline.announcements import Announcement, in_language
from pipeline.local_voice import VoiceError, speech
from processors.passing import PassingProcessor

_TAIL_S = 0.1
"""Silence after a sentence: the output plays whole chunks, and keeps what is left for the next."""


class Announcer(PassingProcessor):
    """Says sentences in a local voice, each after what the bot is saying, never into it.

    Its place is right before the output. What it says is not the bot's speech
    (`TTSAudioRawFrame`), so that it is no answer in the context or the turn log, does not count as
    played speech of the model's, and keeps no session alive.

    Args:
        language: A language code; the sentences are in it if there are any.
        is_silent: Whether nothing is to be heard: then nothing is said.

    Attributes:
        is_ending: Set when all else has been heard and the pipeline ends.
    """

    def __init__(self, *, language: str, is_silent: bool = False):
        super().__init__()
        self._language = language
        self._is_silent = is_silent
        self._rate_hz = 0
        self._silence = asyncio.Event()
        self._silence.set()
        self.is_ending = asyncio.Event()
        self._waiting: dict[Announcement, asyncio.Task] = {}
        self._last_words: Announcement | None = None

    async def prepare(self, announcement: Announcement):
        """Have a sentence at hand: a busy machine may take a second to find the voice."""
        await self._sound(announcement)

    async def announce(self, announcement: Announcement):
        """Say something as soon as the bot is silent; returns at once."""
        await self.withdraw(announcement)
        self._waiting[announcement] = self.create_task(self._say_in_silence(announcement))

    async def withdraw(self, announcement: Announcement):
        """Leave something unsaid that has not been said yet."""
        if task := self._waiting.pop(announcement, None):
            await self.cancel_task(task)

    def say_at_the_end(self, announcement: Announcement):
        """Say something when all else has been heard and the pipeline ends, and to its end."""
        self._last_words = announcement

    async def setup(self, setup: FrameProcessorSetup):
        """Take the rate of the output, at which the sentences are to be said."""
        await super().setup(setup)
        self._rate_hz = setup.audio_out_sample_rate

    async def cleanup(self):
        """Say nothing more."""
        await super().cleanup()
        await self._withdraw_all()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        """Watch whether the bot is heard; say the last words before the end."""
        await super().process_frame(frame, direction)
        match frame:
            case BotStartedSpeakingFrame():
                self._silence.clear()
            case BotStoppedSpeakingFrame():
                self._silence.set()
            case EndFrame():
                await self._withdraw_all()
                self.is_ending.set()
                if self._last_words:
                    await self._say(self._last_words, interruptible=False)
        await self.push_frame(frame, direction)

    async def _withdraw_all(self):
        for announcement in [*self._waiting]:
            await self.withdraw(announcement)

    async def _say_in_silence(self, announcement: Announcement):
        await self.prepare(announcement)  # not when it is silent, or it is said too late
        await self._silence.wait()
        await self._say(announcement)

    async def _say(self, announcement: Announcement, *, interruptible: bool = True):
        if sound := await self._sound(announcement):
            logger.info(f"{self}: the caller is told {announcement.value!r}")
            frame = OutputAudioRawFrame(sound, self._rate_hz, num_channels=1)
            frame.interruptible = interruptible
            await self.push_frame(frame)

    async def _sound(self, announcement: Announcement) -> bytes:
        """Returns an announcement as samples; none if it is silent, or has no voice."""
        if self._is_silent:
            return b""
        words = in_language(announcement, self._language)
        try:
            sound = await asyncio.to_thread(speech, words, rate_hz=self._rate_hz)
        except VoiceError as error:
            logger.error(f"{self}: {announcement.value!r} can't be said: {error}")
            return b""
        return sound + bytes(2 * round(_TAIL_S * self._rate_hz))

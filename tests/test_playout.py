"""What Pipecat 1.14.0's output does with the model's speech, and what it does behind a `Playout`.

A test of Pipecat's own behaviour that fails means that upstream has mended it: ours can go.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from loguru import logger
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    OutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.text.base_text_aggregator import TextType
from pipecat.workers.runner import WorkerRunner

from pipeline.barge_in import HINT_S, MEANT_S
from pipeline.frames import PlayedFrame
from pipeline.lead import PIECE_S
from pipeline.playout_buffer import RATE_HZ
from processors.playout import Playout


class Speaker(BaseOutputTransport):
    """A loudspeaker: takes as long to write sound as it takes to play."""

    def __init__(self):
        params = TransportParams(
            audio_out_enabled=True,
            audio_out_end_silence_secs=0,
            audio_out_10ms_chunks=round(PIECE_S * 100),
        )
        super().__init__(params)
        self.played: list[tuple[float, bytes]] = []
        self._free_s = 0.0

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        began_s = max(self._free_s, time.monotonic())
        self._free_s = began_s + len(frame.audio) / 2 / frame.sample_rate
        self.played.append((self._free_s, frame.audio))
        await asyncio.sleep(self._free_s - time.monotonic())
        return True

    def samples(self) -> np.ndarray:
        samples = np.frombuffer(b"".join(audio for _, audio in self.played), np.int16)
        return samples[samples != 0]

    def silent_from_s(self) -> float:
        """When what has been written so far has been played."""
        return self.played[-1][0]


class End(FrameProcessor):
    """Takes down what reaches the end of the pipeline, and when."""

    def __init__(self):
        super().__init__()
        self.frames: list[tuple[float, Frame]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        self.frames.append((time.monotonic(), frame))
        await self.push_frame(frame, direction)

    def of(self, kind: type) -> list[Any]:
        return [frame for _, frame in self.frames if isinstance(frame, kind)]

    def text(self) -> str:
        return "".join(frame.text for frame in self.of(TTSTextFrame))

    async def gets(self, kind: type, *, within_s: float = 5.0) -> None:
        async with asyncio.timeout(within_s):
            while not self.of(kind):
                await asyncio.sleep(0.005)


class Bot:
    """A pipeline that plays what a test lets the model say."""

    def __init__(self, *, with_playout: bool, assistant: FrameProcessor | None = None):
        self.speaker, self.end = Speaker(), End()
        self.playout = Playout(output=self.speaker) if with_playout else None
        chain = [self.playout, self.speaker, assistant, self.end]
        self.worker = PipelineWorker(
            Pipeline([processor for processor in chain if processor]),
            params=PipelineParams(audio_out_sample_rate=RATE_HZ),
            enable_rtvi=False,
            cancel_on_idle_timeout=False,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        run = asyncio.create_task(runner.run())
        await self.end.gets(StartFrame)
        try:
            yield
        finally:
            await self.worker.cancel()
            await run

    async def push(self, *frames: Frame) -> None:
        await self.worker.queue_frames(list(frames))

    async def says(self, text: str, seconds: float) -> None:
        """A turn, as the model sends it: at once, and the text before the speech."""
        said = TTSTextFrame(text, text_type=TextType.SENTENCE)
        said.includes_inter_frame_spaces = True
        await self.push(TTSStartedFrame(), LLMFullResponseStartFrame(), said, speech(seconds))

    async def speaks(self) -> None:
        """Wait until half a second was heard."""
        async with asyncio.timeout(5):
            while len(self.speaker.samples()) < RATE_HZ / 2:
                await asyncio.sleep(0.005)


TURN_ENDS = (TTSStoppedFrame, LLMFullResponseEndFrame)
TEN_WORDS = "one, two, three, four, five, six, seven, eight, nine, ten."
BOTH = pytest.mark.parametrize("with_playout", [False, True])


def numbers(seconds: float) -> np.ndarray:
    return (1 + np.arange(round(seconds * RATE_HZ)) % 30_000).astype(np.int16)


def speech(seconds: float) -> TTSAudioRawFrame:
    return TTSAudioRawFrame(numbers(seconds).tobytes(), RATE_HZ, 1)


# --- the user is heard -------------------------------------------------------------------------------


async def test_pipecats_output_plays_on_when_the_user_is_heard():
    bot = Bot(with_playout=False)
    async with bot.running():
        await bot.says(TEN_WORDS, 2.0)
        await bot.speaks()
        heard_s = time.monotonic()
        await bot.push(VADUserStartedSpeakingFrame())
        await asyncio.sleep(0.5)
        assert bot.speaker.silent_from_s() - heard_s > 0.4


async def test_speech_pauses_within_100_ms_and_no_sample_is_lost():
    bot = Bot(with_playout=True)
    async with bot.running():
        await bot.says(TEN_WORDS, 2.0)
        await bot.speaks()
        heard_s = time.monotonic()
        await bot.push(VADUserStartedSpeakingFrame())
        await asyncio.sleep(0.5)
        assert bot.speaker.silent_from_s() - heard_s < 0.1
        await bot.push(VADUserStoppedSpeakingFrame(), *(kind() for kind in TURN_ENDS))
        await bot.end.gets(LLMFullResponseEndFrame)
    assert np.array_equal(bot.speaker.samples(), numbers(2.0))
    assert bot.end.text() == TEN_WORDS
    assert len(bot.end.of(BotStoppedSpeakingFrame)) == 1
    stopped, ended = bot.end.of(BotStoppedSpeakingFrame), bot.end.of(LLMFullResponseEndFrame)
    assert stopped and ended  # the bot was taken to speak all the time


async def test_what_is_not_speech_is_not_held():
    bot = Bot(with_playout=True)
    async with bot.running():
        await bot.says(TEN_WORDS, 2.0)
        await bot.speaks()
        await bot.push(VADUserStartedSpeakingFrame(), UserStartedSpeakingFrame())
        await bot.end.gets(UserStartedSpeakingFrame, within_s=0.2)


async def test_a_voice_after_the_models_turn_cuts_the_rest():
    bot = Bot(with_playout=True)
    async with bot.running():
        await bot.says(TEN_WORDS, 4.0)
        await bot.push(*(kind() for kind in TURN_ENDS))
        await bot.speaks()
        await bot.push(VADUserStartedSpeakingFrame())
        await bot.end.gets(InterruptionFrame, within_s=MEANT_S + 0.5)
        await asyncio.sleep(0.1)
    assert len(bot.speaker.samples()) < RATE_HZ
    assert not bot.end.of(LLMFullResponseEndFrame)


# --- what was heard ----------------------------------------------------------------------------------


async def what_the_context_holds(*, with_playout: bool) -> str:
    """What is in the context when the model's turn is interrupted after a second of ten."""
    context = LLMContext()
    bot = Bot(with_playout=with_playout, assistant=LLMContextAggregatorPair(context).assistant())
    async with bot.running():
        await bot.says(TEN_WORDS * 3, 10.0)
        await bot.speaks()
        await bot.speaks()
        await asyncio.sleep(0.5)
        await bot.push(InterruptionFrame())
        await bot.end.gets(InterruptionFrame)
        await asyncio.sleep(0.1)
    (message,) = context.messages
    return str(message["content"])  # pyright: ignore


async def test_pipecats_context_holds_what_was_sent():
    assert await what_the_context_holds(with_playout=False) == TEN_WORDS * 3


async def test_the_context_holds_what_was_heard():
    assert await what_the_context_holds(with_playout=True) == "one, two, three,"


async def test_each_frame_of_the_turn_is_told_of_when_it_is_its_turn():
    bot = Bot(with_playout=True)
    async with bot.running():
        await bot.says("one two", 0.4)
        await bot.push(*(kind() for kind in TURN_ENDS))
        await bot.end.gets(LLMFullResponseEndFrame)
    told = [played.frame for played in bot.end.of(PlayedFrame)]
    kinds = (LLMFullResponseStartFrame, TTSTextFrame, LLMFullResponseEndFrame)
    assert told == [f for _, f in bot.end.frames if isinstance(f, kinds)]


# --- interruptions and ends --------------------------------------------------------------------------


@BOTH
async def test_an_interruption_ends_it_at_once(with_playout):
    bot = Bot(with_playout=with_playout)
    async with bot.running():
        await bot.says(TEN_WORDS, 4.0)
        await bot.speaks()
        interrupted_s = time.monotonic()
        await bot.push(InterruptionFrame())
        await asyncio.sleep(0.3)
        assert bot.speaker.silent_from_s() - interrupted_s < 0.1
        await bot.end.gets(BotStoppedSpeakingFrame, within_s=0.1)


@BOTH
async def test_the_end_comes_when_all_was_played(with_playout):
    bot = Bot(with_playout=with_playout)
    async with bot.running():
        await bot.says(TEN_WORDS, 1.0)
        await bot.push(*(kind() for kind in TURN_ENDS), EndFrame())
        await bot.end.gets(EndFrame)
    assert np.array_equal(bot.speaker.samples(), numbers(1.0))


@BOTH
async def test_a_cancellation_waits_for_nothing(with_playout):
    bot = Bot(with_playout=with_playout)
    async with bot.running():
        await bot.says(TEN_WORDS, 10.0)
        await bot.speaks()
        await bot.push(CancelFrame())
        await bot.end.gets(CancelFrame, within_s=0.5)
    assert len(bot.speaker.samples()) < RATE_HZ


async def test_how_it_was_played_is_logged_once():
    lines: list[str] = []
    sink = logger.add(lines.append, level="INFO", filter="processors.playout")
    bot = Bot(with_playout=True)
    try:
        async with bot.running():
            await bot.says("one", 0.2)
            await bot.push(*(kind() for kind in TURN_ENDS))
            await bot.end.gets(LLMFullResponseEndFrame)
    finally:
        logger.remove(sink)
    assert len(lines) == 1 and "PlayoutMeasures(longest_delay_s=0." in lines[0]
    assert "holds=0, cuts=0" in lines[0]


async def test_an_output_that_can_be_held_is_held_for_what_may_be_a_voice():
    bot = Bot(with_playout=True)
    held: list[float] = []
    assert bot.playout
    bot.playout._hold = held.append
    async with bot.running():
        await bot.says(TEN_WORDS, 4.0)
        bot.playout.voice_hinted()
        assert held == [0.0], "it has not spoken yet"
        await bot.speaks()
        bot.playout.voice_hinted()
        await bot.push(InterruptionFrame())
        await bot.end.gets(InterruptionFrame)
    assert held[1:] == [pytest.approx(HINT_S, abs=0.05)], "the output lets go of it by itself"


# --- nobody is on the line ----------------------------------------------------------------------


async def test_speech_waits_for_whoever_comes_back_and_no_sample_is_lost():
    bot = Bot(with_playout=True)
    async with bot.running():
        assert bot.playout
        await bot.says(TEN_WORDS, 2)
        await bot.push(*(kind() for kind in TURN_ENDS))
        await bot.speaks()
        bot.playout.pause()
        await asyncio.sleep(0.5)
        waited = len(bot.speaker.samples())
        await asyncio.sleep(0.5)
        assert len(bot.speaker.samples()) == waited < 2 * RATE_HZ
        bot.playout.go_on()
        await bot.end.gets(LLMFullResponseEndFrame)
        assert len(bot.speaker.samples()) == len(np.frombuffer(speech(2).audio, np.int16))


@pytest.mark.parametrize("is_away_first", [True, False])
async def test_the_end_does_not_wait_for_who_is_away(is_away_first: bool):
    bot = Bot(with_playout=True)
    async with bot.running():
        assert bot.playout
        await bot.says(TEN_WORDS, 2)
        await bot.push(*(kind() for kind in TURN_ENDS))
        await bot.speaks()
        if is_away_first:
            bot.playout.pause()
            await bot.push(EndFrame())
        else:
            await bot.push(EndFrame())
            await asyncio.sleep(0.1)
            bot.playout.pause()
        await bot.end.gets(EndFrame)

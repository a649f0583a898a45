"""What the model sends: what becomes of it on the way to the user, and in which order."""

from pathlib import Path
from typing import Any

from pipecat.frames.frames import (
    InputTextRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    MetricsFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSTextFrame,
)
from pipecat.metrics.metrics import LLMUsageMetricsData, TTFBMetricsData
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.google.frames import LLMSearchResponseFrame
from pipecat.tests.utils import run_test

from tests.framework.minimal import Line, Make, both, line, pipecats, said, script, sound, turn

USAGE = {"promptTokenCount": 5, "responseTokenCount": 7, "totalTokenCount": 12}


async def answered(make: Make, folder: Path, *messages: dict[str, Any]) -> Line:
    """Has the model say just this, and returns what came of it."""
    done = {**said(turnComplete=True), "usageMetadata": USAGE}
    async with line(make, script=script(folder, make, *messages, done)) as talk:
        await talk.open()
        await talk.until(lambda: usage(talk) and talk.pushed(LLMFullResponseEndFrame))
        return talk


def usage(talk: Line) -> list[MetricsFrame]:
    frames = talk.pushed(MetricsFrame)
    return [f for f in frames if any(isinstance(d, LLMUsageMetricsData) for d in f.data)]


async def test_only_the_first_part_of_a_message_is_read(tmp_path):
    async def sizes(make: Make) -> list[int]:
        thought = {"text": "Let me see.", "thought": True}
        talk = await answered(
            make, tmp_path, turn(thought, sound(480)), turn(sound(960), sound(240))
        )
        return [len(frame.audio) for frame in talk.pushed(TTSAudioRawFrame)]

    assert await both(sizes) == ([960], [480, 960, 240])


async def test_half_a_sample_is_passed_on(tmp_path):
    async def sizes(make: Make) -> list[int]:
        talk = await answered(make, tmp_path, turn(sound(481)), turn(sound(479)))
        return [len(frame.audio) for frame in talk.pushed(TTSAudioRawFrame)]

    assert await both(sizes) == ([481, 479], [480, 480])


async def test_sources_without_the_sentences_that_they_support_are_left_out(tmp_path):
    async def cited(make: Make) -> list[str | None]:
        page = {"web": {"uri": "https://example.org/", "title": "example.org"}}
        sources = said(groundingMetadata={"groundingChunks": [page]})
        talk = await answered(make, tmp_path, turn(sound(480)), sources)
        (found,) = talk.pushed(LLMSearchResponseFrame)
        return [origin.site_uri for origin in found.origins]

    assert await both(cited) == ([], ["https://example.org/"])


async def test_usage_in_a_message_of_its_own_is_dropped(tmp_path):
    async def counted(make: Make) -> int:
        alone = {"usageMetadata": USAGE}
        return len(usage(await answered(make, tmp_path, turn(sound(480)), alone)))

    assert await both(counted) == (1, 2)


async def test_a_turn_is_over_before_its_usage_is_told(tmp_path):
    async def is_in_turn(make: Make) -> bool:
        talk = await answered(make, tmp_path, turn(sound(480)))
        (end,) = talk.pushed(LLMFullResponseEndFrame)
        return talk.frames.index(usage(talk)[0]) < talk.frames.index(end)

    assert await both(is_in_turn) == (False, True)


async def test_a_quick_answer_comes_before_its_question(tmp_path):
    async def order(make: Make) -> list[str]:
        talk = await answered(
            make,
            tmp_path,
            said(inputTranscription={"text": "what is this"}),
            said(outputTranscription={"text": "A cup."}),
        )
        await talk.until(lambda: talk.pushed(TTSTextFrame))
        kinds = (TranscriptionFrame, TTSTextFrame)
        return [frame.text for frame in talk.frames if isinstance(frame, kinds)]

    assert await both(order) == (["A cup."], ["what is this", "A cup."])


async def test_an_answer_that_is_cut_here_plays_on():
    async def starts(make: Make) -> int:
        async with line(make, say="One, two, three, four, five, six.") as talk:
            await talk.open()
            await talk.until(lambda: talk.pushed(TTSAudioRawFrame))
            await talk.send(InterruptionFrame())
            await talk.until(lambda: talk.events("generation_complete"))
            return len(talk.pushed(TTSStartedFrame))

    assert await both(starts) == (2, 1)


async def test_words_that_come_after_their_turn_open_another(tmp_path):
    late = [turn(sound(480)), said(turnComplete=True), said(outputTranscription={"text": "A cup."})]
    async with line(pipecats, script=script(tmp_path, pipecats, *late)) as talk:
        await talk.open()
        await talk.until(lambda: len(talk.pushed(LLMFullResponseStartFrame)) == 2)
        assert len(talk.pushed(LLMFullResponseEndFrame)) == 1


async def test_an_interruption_that_comes_after_the_turn_cuts_off_its_end(tmp_path):
    late = [turn(sound(480)), said(turnComplete=True), said(interrupted=True)]
    async with line(pipecats, script=script(tmp_path, pipecats, *late)) as talk:
        await talk.open()
        await talk.until(lambda: talk.pushed(InterruptionFrame))


async def test_an_answer_begins_twice_for_who_listens_to_the_aggregator():
    aggregator = LLMContextAggregatorPair(LLMContext()).assistant()
    began: list[str] = []

    @aggregator.event_handler("on_assistant_turn_started")
    async def on_assistant_turn_started(*_args):
        began.append("aggregator")

    answer = [TTSStartedFrame(), LLMFullResponseStartFrame(), LLMFullResponseEndFrame()]
    await run_test(aggregator, frames_to_send=answer)
    assert len(began) == 2


async def test_the_time_to_the_first_byte_is_not_measured_for_what_is_typed():
    async with line(pipecats) as talk:
        await talk.greet()
        measured = len(times(talk))
        assert measured > 0
        await talk.send(InputTextRawFrame("hello"))
        await talk.until(lambda: len(talk.events("turn_complete")) == 2)
        assert len(times(talk)) == measured


def times(talk: Line) -> list[MetricsFrame]:
    frames = talk.pushed(MetricsFrame)
    return [f for f in frames if any(isinstance(d, TTFBMetricsData) for d in f.data)]

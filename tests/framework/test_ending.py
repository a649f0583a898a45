"""The end of a turn, of a connection and of a session."""

from pipecat.frames.frames import (
    EndFrame,
    InputTextRawFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSAudioRawFrame,
)

from pipeline import live_output
from tests.framework.minimal import Make, both, line, said, script, sound, turn


async def test_a_question_whose_answer_is_cut_is_lost_and_the_next_answer_merged_with_it():
    async def turns(make: Make) -> tuple[bool, int]:
        async with line(make, greets=False, faults=["rst:at=speaking,times=1"]) as talk:
            await talk.begin()
            await talk.send(InputTextRawFrame("one"))
            await talk.until(lambda: len(talk.events("setup")) == 2)
            is_lost = not await talk.happens(lambda: len(talk.events("answer")) == 2)
            if is_lost:
                await talk.send(InputTextRawFrame("one"))
            await talk.until(lambda: talk.events("turn_complete"))
            begun, ended = LLMFullResponseStartFrame, LLMFullResponseEndFrame
            await talk.until(lambda: len(talk.pushed(begun)) == len(talk.pushed(ended)))
            return is_lost, len(talk.pushed(ended))

    # The answer that is cut, and the whole one.
    assert await both(turns) == ((True, 1), (False, 2))


async def test_a_turn_that_the_model_does_not_end_stays_open_and_keeps_the_line_from_ending(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(live_output, "AFTER_GENERATION_S", 0.1)

    async def ends(make: Make) -> tuple[bool, bool]:
        messages = [turn(sound(480)), said(generationComplete=True)]
        async with line(make, script=script(tmp_path, make, *messages)) as talk:
            await talk.open()
            await talk.until(lambda: talk.pushed(TTSAudioRawFrame))
            has_ended = await talk.happens(lambda: talk.pushed(LLMFullResponseEndFrame))
            talk.service._END_FRAME_DEFERRAL_TIMEOUT_SECS = 0.7  # 30: cancelling waits for it too
            await talk.send(EndFrame())
            return has_ended, await talk.happens(talk.running.done)

    assert await both(ends) == ((False, False), (True, True))


async def test_a_session_ends_as_an_internal_error():
    async def code(make: Make) -> int:
        async with line(make) as talk:
            await talk.until(lambda: talk.events("setup"))
            await talk.worker.cancel()
            await talk.until(lambda: talk.events("closed"))
            return talk.events("closed")[0]["code"]

    assert await both(code) == (1011, 1000)


async def test_the_client_is_not_closed():
    async def is_closed(make: Make) -> bool:
        async with line(make) as talk:
            await talk.until(lambda: talk.events("setup"))
            await talk.worker.cancel()
            await talk.running
            client = talk.service._client.aio._api_client._async_httpx_client
            assert client is not None
            return client.is_closed

    assert await both(is_closed) == (False, True)

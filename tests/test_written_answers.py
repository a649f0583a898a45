"""Answers that are read and not heard: the words at once, not a sound, and turns as ever."""

from pathlib import Path

import pytest
from google.genai.types import Blob, Content, LiveServerContent, Part, Transcription
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService

from pipeline.announcements import Announcement
from pipeline.choices import Answers
from pipeline.model_offers import can_write
from pipeline.written_words import as_transcript
from tests.support.conversation import Talk, talk

SPEAKS, WRITES = "gemini-3.8-live", "gemini-live-2.5-flash"


def read(conversation: Talk) -> str:
    """What the page has been told that the bot says."""
    said = [m for _, m in conversation.transport.told if m.get("type") == "bot-output"]
    return "".join(message["data"]["text"] for message in said)


@pytest.mark.parametrize("model", [SPEAKS, WRITES])
async def test_the_words_come_at_once_and_nothing_is_heard(tmp_path: Path, model: str):
    async with talk(tmp_path, model=model, greeting=None, answers=Answers.TEXT) as conversation:
        await conversation.until(lambda: conversation.events("setup"))
        await conversation.type("good evening")
        await conversation.until(lambda: conversation.events("turn_complete"))
        answer = conversation.events("answer")[-1]["text"]
        await conversation.until(lambda: len(conversation.turns) == 2)
        await conversation.until(lambda: read(conversation).strip() == answer)
        assert conversation.transport.heard == []
        user, bot = conversation.turns
        assert (user["text"], bot["text"]) == ("good evening", answer)
        assert not bot["interrupted"] and bot["latency_ms"] is not None and bot["tokens"]
        ((_, session),) = conversation.notices("session")
        assert session["answers"] == "text"


async def test_who_asks_on_while_a_voice_would_still_speak_interrupts_nothing(tmp_path: Path):
    """The model takes an answer to be playing that has long been read."""
    async with talk(tmp_path, greeting=None, answers=Answers.TEXT) as conversation:
        await conversation.until(lambda: conversation.events("setup"))
        await conversation.type("good evening, tell me all that you have heard of me so far")
        await conversation.until(lambda: conversation.events("generation_complete"))
        first = conversation.events("answer")[-1]["text"]
        await conversation.until(lambda: read(conversation).strip() == first)
        assert not conversation.events("turn_complete")
        await conversation.type("and now")
        await conversation.until(lambda: len(conversation.events("answer")) == 2)
        second = conversation.events("answer")[-1]["text"]
        await conversation.until(lambda: second in read(conversation))
        await conversation.until(lambda: conversation.events("turn_complete"))
        await conversation.session.hang_up("enough")
        await conversation.running
        bots = [turn for turn in conversation.turns if turn["side"] == "bot"]
        assert [turn["text"] for turn in bots] == [first, second]
        assert [turn["interrupted"] for turn in bots] == [False, False]


async def test_a_goodbye_is_read_too(tmp_path: Path):
    async with talk(tmp_path, greeting=None, answers=Answers.TEXT) as conversation:
        await conversation.until(lambda: conversation.events("setup"))
        await conversation.session.end("Time is over.", Announcement.TIME_IS_OVER)
        await conversation.running
        assert conversation.notices("ended")[0][1]["text"] == "Time is over."
        assert conversation.transport.heard == []


def test_some_models_can_write_and_most_can_not():
    assert can_write(WRITES) and can_write(f"models/{WRITES}")
    assert not can_write(SPEAKS) and not can_write(f"{WRITES}-native-audio")


def test_of_a_message_only_the_words_stay_and_the_thoughts():
    sound = Part(inline_data=Blob(data=b"\0\0", mime_type="audio/pcm"))
    thought = Part(text="hm", thought=True)
    said = Transcription(text="Good ")
    content = LiveServerContent(
        model_turn=Content(role="model", parts=[thought, sound, Part(text="evening")]),
        output_transcription=said,
    )
    as_transcript(content)
    assert content.output_transcription and content.output_transcription.text == "Good evening"
    assert content.model_turn and content.model_turn.parts == [thought]


def test_of_a_message_that_is_sound_alone_nothing_stays():
    sound = Part(inline_data=Blob(data=b"\0\0", mime_type="audio/pcm"))
    content = LiveServerContent(model_turn=Content(role="model", parts=[sound]))
    as_transcript(content)
    assert content.model_turn is None and content.output_transcription is None


def test_pipecat_itself_asks_every_model_for_a_history_phase():
    settings = GeminiLiveLLMService.Settings(model=f"models/{WRITES}")
    theirs = GeminiLiveLLMService(api_key="any", settings=settings)
    assert theirs._get_history_config() is not None

"""What a new session is told of a long conversation."""

from typing import Any

import pytest
from pipecat.adapters.llm.services.gemini_live_adapter import GeminiLiveLLMAdapter
from pipecat.processors.aggregators.llm_context import LLMContext, standard_message_text

from pipeline.recap import (
    MAX_CHARACTERS,
    MAX_PICTURES,
    SENTENCE_CHARACTERS,
    TURN_CHARACTERS,
    RecapAdapter,
    recap,
)
from tests.support.conversation import Talk, talk

MORE = "And this goes on for a while, as people do when they talk."


def says(text: str) -> Any:
    return {"role": "user", "content": text}


def answers(text: str) -> Any:
    return {"role": "assistant", "content": text}


def conversation_of(turns: int) -> list:
    """A greeting, a fact in the first minute, and so many turns."""
    messages: list = [{"role": "developer", "content": "Greet the person."}]
    messages += [says("Remember that my dog is Rex."), answers("I will.")]
    for number in range(turns // 2):
        messages.append(says(f"This is question {number}. {MORE}"))
        messages.append(answers(f"This is answer {number}. {MORE}"))
    return messages


def characters(messages: list) -> int:
    return sum(len(standard_message_text(message)) for message in messages)


def shows(caption: str) -> Any:
    url = {"url": "data:image/jpeg;base64,AAAA"}
    picture = {"type": "image_url", "image_url": url}
    return {"role": "user", "content": [picture, {"type": "text", "text": caption}]}


def pictures(messages: list) -> list[str]:
    """What was said about the pictures that are shown."""
    return [standard_message_text(m) for m in messages if "image_url" in str(m["content"])]


def test_a_short_conversation_is_told_as_it_was():
    messages = conversation_of(100)
    assert recap(messages) == messages


def test_of_2000_turns_the_beginning_and_the_end_are_told_in_full():
    messages = conversation_of(2_000)
    told = recap(messages)
    assert characters(messages) > 7 * MAX_CHARACTERS
    assert MAX_CHARACTERS * 0.9 < characters(told) <= MAX_CHARACTERS
    assert told[:20] == messages[:20], "with the fact of the first minute"
    assert told[-60:] == messages[-60:]


def test_between_them_the_latest_are_told_in_a_sentence_each():
    messages = conversation_of(2_000)
    told = recap(messages)
    (between,) = [text for text in map(standard_message_text, told) if "shortened here" in text]
    lines = [line for line in between.splitlines() if line.startswith(("User: ", "You: "))]
    place = told.index(says(between))
    following = messages.index(told[place + 1])
    expected = [standard_message_text(m).split(". ")[0] for m in messages[:following]]
    assert [line.partition(": ")[2] for line in lines] == [
        f"{sentence}." for sentence in expected[-len(lines) :]
    ]
    assert len(lines) > 200
    left_out = following - place - len(lines)
    assert f"; {left_out} turns before these are left out:" in between


def test_a_pasted_text_is_cut():
    told = recap([says("a" * 100_000), answers("Long."), says("b" * 5)])
    assert [characters([message]) for message in told] == [TURN_CHARACTERS, 5, 5]


@pytest.mark.parametrize("size", [1, 119, 120, 2_000, 30_000])
def test_the_bound_holds_whatever_the_turns_are_like(size):
    messages = [says("x" * size), answers("." * size)] * (200_000 // size)
    assert characters(recap(messages)) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("It costs 3.50 a day, no? Yes.", "It costs 3.50 a day, no?"),
        ("no end", "no end"),
        ("今日は晴れです。明日は雨です。", "今日は晴れです。"),
        ("x" * 500, "x" * (SENTENCE_CHARACTERS - 1) + "…"),
        ("", "(nothing)"),
    ],
)
def test_what_a_first_sentence_is(text, sentence):
    told = recap([*conversation_of(100), says(text), *conversation_of(200)])
    assert f"User: {sentence}\n" in "\n".join(standard_message_text(m) for m in told)


def test_only_the_latest_pictures_are_shown_again():
    messages = [shows(f"Picture {number}") for number in range(5)]
    told = recap(messages)
    assert pictures(told) == ["Picture 3", "Picture 4"] and MAX_PICTURES == 2
    assert standard_message_text(told[0]) == "(A picture was shown.) Picture 0"


def test_a_picture_with_a_long_caption_is_still_shown():
    told = recap([*conversation_of(2_000), shows("c" * 10_000)])
    assert pictures(told) == [standard_message_text(told[-1])]
    assert characters(told) <= MAX_CHARACTERS


async def seed_of(adapter: GeminiLiveLLMAdapter, messages: list) -> int:
    params = await adapter.get_llm_invocation_params(LLMContext(messages), system_instruction="S.")
    return sum(len(part.text or "") for m in params["messages"] for part in m.parts or ())


async def test_pipecats_adapter_tells_all_of_it_and_ours_a_recap():
    messages = conversation_of(2_000)
    assert await seed_of(GeminiLiveLLMAdapter(), messages) == characters(messages)
    assert await seed_of(RecapAdapter(), messages) <= MAX_CHARACTERS


async def test_what_functions_returned_is_shortened_with_the_rest():
    calls = [{"id": "1", "function": {"name": "look_up", "arguments": "{}"}, "type": "function"}]
    called = {"role": "assistant", "tool_calls": calls}
    returned = {"role": "tool", "tool_call_id": "1", "content": "x" * 50_000}
    assert await seed_of(RecapAdapter(), [says("Look it up."), called, returned]) < 3_000


# --- in conversation -------------------------------------------------------------------------------


async def ask(conversation: Talk, text: str) -> str:
    asked = len(conversation.events("turn_complete"))
    await conversation.type(text)
    await conversation.until(lambda: len(conversation.events("turn_complete")) > asked)
    return conversation.events("answer")[-1]["text"]


async def test_a_long_conversation_whose_handle_is_refused_goes_on_from_a_recap(tmp_path):
    async with talk(tmp_path, greeting=None) as conversation:
        await conversation.until(lambda: conversation.states[-1:] == ["ready"])
        await ask(conversation, "remember that my dog is Rex")
        context = conversation.service._context
        assert context is not None
        context.add_messages(conversation_of(2_000)[3:])
        conversation.understudy.inject("resume-refused")
        conversation.understudy.inject("rst", session=conversation.events("setup")[-1]["session"])
        await conversation.until(lambda: len(conversation.events("content")) == 2)
        assert conversation.events("setup")[-1]["resumed"] is False
        _, seed = conversation.events("content")
        assert 0.9 * MAX_CHARACTERS < seed["characters"] <= MAX_CHARACTERS
        assert "my dog is Rex" in await ask(conversation, "what did I tell you?")

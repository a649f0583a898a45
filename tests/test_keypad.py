"""What a caller presses on the keypad."""

from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import (
    Frame,
    InputDTMFFrame,
    InputTextRawFrame,
    InterruptionFrame,
    TranscriptionFrame,
)
from pipecat.processors.aggregators.dtmf_aggregator import DTMFAggregator
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.tests.utils import SleepFrame, run_test

from processors.keypad import MAX_KEYS, Keypad
from tests.support.conversation import Talk, talk


def pressed(keys: str) -> list[Frame]:
    return [InputDTMFFrame(button=KeypadEntry(key)) for key in keys]


async def told(*frames: Frame) -> tuple[list[Frame], list]:
    """What goes down the pipeline, and what the context has then."""
    context = LLMContext()
    down, _ = await run_test(Keypad(context=context), frames_to_send=list(frames))
    return list(down), context.messages


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, InputTextRawFrame)]


async def test_pipecats_aggregator_makes_a_transcript_of_the_keys():
    down, _ = await run_test(DTMFAggregator(), frames_to_send=pressed("12#"))
    (transcript,) = [frame for frame in down if isinstance(frame, TranscriptionFrame)]
    assert transcript.text == "DTMF: 12#"


async def test_ours_types_them_and_puts_them_into_the_context():
    down, context = await told(*pressed("12#7*#"))
    assert texts(down) == ["(The caller pressed: 1 2 #)", "(The caller pressed: 7 * #)"]
    assert context == [{"role": "user", "content": text} for text in texts(down)]
    typed = [frame for frame in down if isinstance(frame, InputTextRawFrame)]
    assert not any(frame.append_to_context for frame in typed), "they are not the bot's words"
    assert not [frame for frame in down if isinstance(frame, TranscriptionFrame)]


async def test_keys_that_nobody_ends_are_told_after_two_seconds():
    down, _ = await told(
        *pressed("12"), SleepFrame(sleep=1.5), *pressed("3"), SleepFrame(sleep=2.3)
    )
    assert texts(down) == ["(The caller pressed: 1 2 3)"]


async def test_keys_are_told_in_groups_of_a_bounded_size():
    down, _ = await told(*pressed("5" * (2 * MAX_KEYS + 1) + "#"))
    group = f"(The caller pressed: {' '.join('5' * MAX_KEYS)})"
    assert texts(down) == [group, group, "(The caller pressed: 5 #)"]


async def test_the_first_key_interrupts_the_bot():
    down, _ = await told(*pressed("12#"))
    assert len([frame for frame in down if isinstance(frame, InterruptionFrame)]) == 1


# --- in conversation -------------------------------------------------------------------------------


async def press(conversation: Talk, keys: str) -> None:
    """Press keys, as the page does; a telephone's transport makes the same frames."""
    await conversation.transport.ear.receive("dtmf", {"buttons": list(keys)})


async def test_keys_interrupt_and_are_answered_and_wait_while_there_is_no_connection(tmp_path):
    async with talk(tmp_path, greeting=None) as conversation:
        await conversation.until(lambda: conversation.states[-1:] == ["ready"])
        await conversation.type("count to 50")
        await conversation.until(lambda: conversation.transport.heard)
        await press(conversation, "12#")
        await conversation.until(lambda: len(conversation.events("answer")) == 2)
        assert conversation.events("interrupted")
        assert "pressed: 1 2 #" in conversation.events("answer")[-1]["text"]
        await conversation.until(lambda: len(conversation.events("turn_complete")) == 2)

        understudy, session = conversation.understudy, conversation.events("setup")[-1]["session"]
        understudy.inject("refuse-503", moment={"at": "connect", "times": 1})
        understudy.inject("rst", session=session)
        await conversation.until(lambda: conversation.states[-1] == "resuming")
        await press(conversation, "3#")
        await press(conversation, "4#")
        await conversation.until(lambda: "4 #" in conversation.events("answer")[-1]["text"])
    typed = [event["text"] for event in conversation.events("text")]
    keys = [f"(The caller pressed: {keys})" for keys in ("1 2 #", "3 #", "4 #")]
    assert typed == ["count to 50", *keys]
    said = [turn["text"] for turn in conversation.turns if turn["side"] == "user"]
    assert said == ["count to 50", keys[0], f"{keys[1]} {keys[2]}"]

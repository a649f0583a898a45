"""What a user loses when the line to the model moves or breaks: nothing.

Each conversation takes half a minute, most of it silence: they are held at the same time.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.conversation import Talk, talk
from tests.support.speech import speech

QUESTION = speech("What is the weather like in Oslo today, and will it rain tomorrow?")
FRAME_S = 0.02
AT_ONCE = {"at": "clock", "after_ms": 1}


def latest(conversation: Talk) -> str:
    return conversation.events("setup")[-1]["session"]


def refuse(conversation: Talk, *, times: int) -> None:
    conversation.understudy.inject("refuse-503", moment={"at": "connect", "times": times})


async def greeted(conversation: Talk) -> None:
    await conversation.until(lambda: conversation.transport.heard, within_s=15)
    await conversation.until_quiet()


async def ask_aloud(conversation: Talk, *, then=None) -> float:
    """Speaks the question, does something in its middle, and returns how much of it was heard."""
    answered = len(conversation.events("activity_end"))
    conversation.say(QUESTION)
    if then is not None:
        await asyncio.sleep(1.5)
        then()
    await conversation.until(
        lambda: len(conversation.events("activity_end")) > answered, within_s=20
    )
    heard_from_s = time.monotonic()
    await conversation.until(
        lambda: conversation.transport.heard[-1][0] > heard_from_s, within_s=10
    )
    await conversation.until_quiet()
    return conversation.events("activity_end")[-1]["speech_s"]


async def whole_question_s(conversation: Talk) -> float:
    """How long the question is when nothing happens."""
    await greeted(conversation)
    return await ask_aloud(conversation)


def break_line(conversation: Talk, *, failed_redials: int = 0):
    def strike() -> None:
        if failed_redials:
            refuse(conversation, times=failed_redials)
        conversation.understudy.inject("rst", session=latest(conversation))

    return strike


async def a_question_that_a_drop_cuts_is_heard_whole(
    tmp_path: Path, failed_redials: int, states: list[str]
):
    async with talk(tmp_path) as conversation:
        whole_s = await whole_question_s(conversation)
        told = len(conversation.states)
        strike = break_line(conversation, failed_redials=failed_redials)
        heard_s = await ask_aloud(conversation, then=strike)
        assert heard_s == pytest.approx(whole_s, abs=FRAME_S)
        assert conversation.states[told:] == states
        words = [turn["text"] for turn in conversation.turns if turn["side"] == "user"]
        assert len(words) == 2, "nothing is written down twice"


async def a_stale_handle_costs_no_word(tmp_path: Path):
    async with talk(tmp_path) as conversation:
        whole_s = await whole_question_s(conversation)
        conversation.understudy.inject("resume-refused")
        heard_s = await ask_aloud(conversation, then=break_line(conversation))
        assert heard_s == pytest.approx(whole_s, abs=FRAME_S)
        assert conversation.states[-3:] == ["resuming", "reseeding", "ready"]
        assert conversation.events("setup")[-1]["resumed"] is False
        assert conversation.events("content")[-1]["turns"] > 1, "it was told what was said before"


async def go_away_while_the_user_speaks_costs_no_word(tmp_path: Path):
    async with talk(tmp_path) as conversation:
        whole_s = await whole_question_s(conversation)
        heard_s = await ask_aloud(
            conversation,
            then=lambda: conversation.understudy.inject(
                "goaway", parameters={"left_s": 50}, session=latest(conversation), moment=AT_ONCE
            ),
        )
        assert heard_s == pytest.approx(whole_s, abs=FRAME_S)
        await conversation.until(lambda: conversation.states[-1] == "ready", within_s=5)
        assert conversation.states[-3:] == ["draining", "resuming", "ready"]


async def go_away_while_the_bot_speaks_is_not_heard(tmp_path: Path):
    async with talk(tmp_path) as conversation:
        await greeted(conversation)
        await conversation.type("count to 12")
        before = len(conversation.transport.heard)
        await conversation.until(lambda: len(conversation.transport.heard) > before + 20)
        since_s = time.monotonic()
        conversation.understudy.inject(
            "goaway", parameters={"left_s": 50}, session=latest(conversation), moment=AT_ONCE
        )
        await conversation.until(lambda: conversation.states[-1] == "draining")
        await conversation.until_quiet(for_s=1.5)
        await conversation.until(lambda: conversation.states[-1] == "ready", within_s=5)
        assert conversation.states[-3:] == ["draining", "resuming", "ready"]
        assert conversation.gaps_s(since_s)[0] < 0.7, "only the pauses between the numbers"
        bots = [turn["text"] for turn in conversation.turns if turn["side"] == "bot"]
        assert bots[-1].strip().endswith("12.")


async def go_away_that_leaves_no_time_is_followed_in_the_middle_of_an_answer(tmp_path: Path):
    async with talk(tmp_path) as conversation:
        await greeted(conversation)
        await conversation.type("count to 40")
        await conversation.until(lambda: conversation.events("answer")[-1]["why"] == "count")
        await asyncio.sleep(1.5)
        conversation.understudy.inject(
            "goaway", parameters={"left_s": 2}, session=latest(conversation), moment=AT_ONCE
        )
        await conversation.until(lambda: len(conversation.events("setup")) == 2)
        await conversation.until(lambda: conversation.states[-1] == "ready", within_s=5)
        answers = len(conversation.events("answer"))
        await conversation.until(lambda: len(conversation.events("answer")) >= answers)


def a_drop(failed_redials: int, *states: str) -> Callable[[Path], Coroutine[Any, Any, None]]:
    return partial(
        a_question_that_a_drop_cuts_is_heard_whole,
        failed_redials=failed_redials,
        states=list(states),
    )


CASES: dict[str, Callable[[Path], Coroutine[Any, Any, None]]] = {
    "a drop": a_drop(0, "resuming", "ready"),
    "a drop of about 1 s": a_drop(1, "resuming", "ready"),
    "three failed redials": a_drop(3, "resuming", "degraded", "ready"),
    "a stale handle": a_stale_handle_costs_no_word,
    "goAway, the user speaks": go_away_while_the_user_speaks_costs_no_word,
    "goAway, the bot speaks": go_away_while_the_bot_speaks_is_not_heard,
    "goAway without time": go_away_that_leaves_no_time_is_followed_in_the_middle_of_an_answer,
}


@pytest.mark.timeout(180)
async def test_nothing_is_lost(tmp_path):
    folders = [tmp_path / str(number) for number in range(len(CASES))]
    results = await asyncio.gather(
        *(case(folder) for case, folder in zip(CASES.values(), folders, strict=True)),
        return_exceptions=True,
    )
    failed = {name: repr(r) for name, r in zip(CASES, results, strict=True) if r is not None}
    assert failed == {}

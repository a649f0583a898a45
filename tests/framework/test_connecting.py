"""Reaching the model, and reaching it again: what is tried, and what is told of it."""

import asyncio
from typing import Any

from pipecat.frames.frames import InputTextRawFrame

from tests.framework.minimal import Make, both, line, pipecats


async def test_a_refused_key_is_told_to_nobody():
    async def told(make: Make) -> tuple[list[str], bool]:
        async with line(make, api_key="invalid") as talk:
            await talk.happens(lambda: talk.errors)
            return talk.errors, talk.service.is_usable

    theirs, own = await both(told)
    assert theirs == ([], True)
    assert own == (["Gemini refused the API key. Check GOOGLE_API_KEY."], False)


async def test_a_first_connection_that_fails_is_not_tried_again():
    async def sessions(make: Make) -> int:
        async with line(make, faults=["refuse-503:times=1"]) as talk:
            await talk.happens(lambda: talk.events("setup"))
            return len(talk.events("setup"))

    assert await both(sessions) == (0, 1)


async def test_a_setup_that_is_never_answered_is_waited_for():
    async def told(make: Make) -> list[str]:
        options: dict[str, Any] = {} if make is pipecats else {"connect_timeout_s": 0.5}
        async with line(make, faults=["never-answer-setup"], **options) as talk:
            await talk.until(lambda: talk.events("connected"))
            await talk.happens(lambda: talk.errors)
            return talk.errors

    assert await both(told) == ([], ["Gemini does not answer."])


async def test_a_redial_that_fails_is_the_last_and_told_to_nobody():
    async def connections(make: Make) -> tuple[int, list[str]]:
        async with line(make) as talk:
            await talk.greet()
            talk.understudy.inject("session-not-found")
            await talk.drop()
            await talk.until(lambda: len(talk.events("closed")) == 2)
            await talk.happens(lambda: len(talk.events("connected")) == 3)
            return len(talk.events("connected")), talk.errors

    assert await both(connections) == ((2, []), (3, []))


async def test_three_drops_in_a_second_are_the_end():
    async def answers(make: Make) -> bool:
        async with line(make, faults=["rst:times=3"]) as talk:
            await talk.open()
            await talk.until(lambda: len(talk.events("closed")) == 3)
            await talk.send(InputTextRawFrame("hello"))
            return await talk.happens(lambda: talk.events("answer"))

    assert await both(answers) == (False, True)


async def test_after_the_end_each_message_is_an_error_of_its_own():
    async def told(make: Make) -> tuple[int, bool]:
        async with line(make, faults=["quota"]) as talk:
            await talk.open()
            given_up = "fatal" if make is pipecats else "quota"
            await talk.until(lambda: given_up in str(talk.errors))
            before = len(talk.errors)
            await talk.send_sound(0.2)
            if make is pipecats:
                await talk.until(lambda: len(talk.errors) >= before + 10)
            return len(talk.errors) - before, talk.service.is_usable

    assert await both(told) == ((10, True), (0, False))


async def test_an_opening_that_is_cut_is_never_made_up_for():
    async def greetings(make: Make, *faults: str) -> int:
        async with line(make, faults=[*faults, "rst:at=turn,connection=1"]) as talk:
            await talk.open()
            await talk.until(lambda: len(talk.events("setup")) == 2)
            await talk.happens(lambda: talk.events("turn_complete"))
            return len(talk.events("turn_complete"))

    without_handles = both(lambda make: greetings(make, "no-handle"))
    assert await asyncio.gather(both(greetings), without_handles) == [(0, 1), (0, 1)]


async def test_go_away_is_not_heeded():
    async def connections(make: Make) -> int:
        async with line(make, greets=False) as talk:
            await talk.begin()
            at_once = {"at": "clock", "after_ms": 1}
            talk.understudy.inject("goaway-without-close", moment=at_once, session="s1")
            await talk.happens(lambda: len(talk.events("setup")) == 2)
            return len(talk.events("setup"))

    assert await both(connections) == (1, 2)

"""Fifty calls at once where four are held: nobody is left without an answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from pipeline.announcements import Announcement, in_language
from pipeline.local_voice import speech as say
from tests.phone.served import LINE_HZ, Served, answered, quiet, served, sound
from tests.support.sound import level
from tests.support.speech import speech
from understudy.daily.phone import PhoneCall as Telephone

CALLS, LINES = 50, 4
TOLD_WITHIN_S = 60
GREETED_WITHIN_S = 1.5
ANSWERS_WITHIN_S = 2.0
"""How long the server may take for an answer, with two cores and processes for 14 calls."""


@pytest.mark.alone
async def test_four_of_fifty_are_held_and_the_others_hear_that_all_lines_are_busy(
    short_folder: Path,
):
    lines = {"SALON_MAX_SESSIONS": str(LINES), "SALON_PHONE_SILENCE_S": "120"}
    question = speech("Hello, can you hear me?")
    with served(short_folder, **lines) as site:
        async with watched(site) as waited_s:
            callers = [f"+1555100{n:02}" for n in range(CALLS)]
            calls = dict(zip(callers, await asyncio.gather(*map(site.ring, callers)), strict=True))
            async with asyncio.timeout(30):
                while len(taken := [one for one in callers if site.log(one)]) < LINES:
                    await asyncio.sleep(0.2)
            others = [call for caller, call in calls.items() if caller not in taken]
            told = asyncio.gather(*(ended(call) for call in others))
            await asyncio.gather(*(converse(calls[caller], question) for caller in taken))
            await told
        assert len(others) == CALLS - LINES
        assert all(calls[caller].state == "connected" for caller in taken)
        await site.hang_up()
        await site.no_room_is_left()
        sides = [[line["side"] for line in site.log(one) if "side" in line] for one in taken]
    assert sides == [["bot", "user", "bot"]] * LINES
    sentence = busy()
    assert max(greeted_after_s(calls[caller]) for caller in taken) < GREETED_WITHIN_S
    for call in others:
        heard = without_pauses(sound(call))
        assert call.told == [], "by us, and not by Daily"
        assert abs(heard.size - sentence.size) / LINE_HZ < 0.3
        assert 0.7 < level(heard) / level(sentence) < 1.4
    assert max(waited_s) < ANSWERS_WITHIN_S


def greeted_after_s(call: Telephone) -> float:
    """How long after they were picked up a caller heard something."""
    assert call.picked_up_at_s
    return call.heard[0][0] - call.picked_up_at_s


def busy() -> np.ndarray:
    """The sentence, as a telephone hears it."""
    words = in_language(Announcement.BUSY, "en-US")
    return without_pauses(np.frombuffer(say(words, rate_hz=LINE_HZ), np.int16))


def without_pauses(samples: np.ndarray) -> np.ndarray:
    """What is loud, in pieces of 10 ms."""
    pieces = samples[: samples.size // 80 * 80].reshape(-1, 80)
    return pieces[np.abs(pieces).max(axis=1) > 300].ravel()


async def ended(call: Telephone) -> None:
    await call.until(lambda: call.state == "ended", within_s=TOLD_WITHIN_S)


async def converse(call: Telephone, question: np.ndarray) -> None:
    """Be greeted, say something, and be answered."""
    await call.until(lambda: call.heard, within_s=15)
    await quiet(call)
    asked_s = time.monotonic()
    call.say(question)
    await answered(call, since_s=asked_s + question.size / 48_000)


@asynccontextmanager
async def watched(site: Served) -> AsyncIterator[list[float]]:
    """How long the server takes to answer meanwhile, in seconds."""
    waited_s: list[float] = []

    async def watch() -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                asked_s = time.monotonic()
                async with http.get(f"{site.server.url}/healthz") as answer:
                    assert answer.status == 200
                waited_s.append(time.monotonic() - asked_s)
                await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        yield waited_s
    finally:
        watching.cancel()
        await asyncio.wait([watching])
    if not watching.cancelled():
        watching.result()

"""Over real WebRTC: what the user says while the bot speaks, when the model needs a while to judge."""

import time

import pytest
from loguru import logger

from tests.support.caller import BotDoor, Caller
from tests.support.speech import speech
from tests.support.understudies import understudy_in
from understudy import Understudy, hearing

REMARK = "Now I will tell you all about my journey."
NETWORK_S = 0.15
"""On loopback: aiortc's jitter buffer holds 80 ms, and the output's last packets are on their way."""


@pytest.fixture
async def understudy(monkeypatch, tmp_path):
    """One that is slow to judge: it takes only a whole second of speech for an interruption."""
    monkeypatch.setattr(hearing, "MIN_SPEECH_MS", 1000)
    for text in ("Uh-huh.", REMARK):
        speech(text)  # made beforehand
    async with understudy_in(monkeypatch, tmp_path) as understudy:
        yield understudy


async def greeted(caller: Caller) -> None:
    await caller.bot_said("understudy")
    await caller.ear.hears_voice(seconds=1)
    await caller.ear.hears_silence(seconds=1)


async def counted(caller: Caller, *, uh_huhs: int) -> float:
    """Have it count to six; returns how many seconds of voice were heard."""
    asked_s = time.monotonic()
    caller.types("count to 6")
    for number in range(uh_huhs):
        await caller.ear.hears_voice(seconds=0.4 + 0.6 * number, since=asked_s)
        caller.microphone.say(speech("Uh-huh."))
    await caller.ear.hears_voice(seconds=1.2, since=asked_s)
    await caller.ear.hears_silence(seconds=2)
    return caller.ear.voice_s(since=asked_s)


async def test_an_uh_huh_makes_the_bot_pause_and_costs_no_word(understudy: Understudy):
    lines: list[str] = []
    sink = logger.add(lines.append, level="INFO", filter="processors.playout")
    async with Caller(BotDoor()) as caller:
        await greeted(caller)
        undisturbed_s = await counted(caller, uh_huhs=0)
        disturbed_s = await counted(caller, uh_huhs=2)
    logger.remove(sink)
    assert "holds=2, cuts=0" in lines[0]
    assert disturbed_s == pytest.approx(undisturbed_s, abs=0.25)  # a number takes 0.4 s
    assert not any(event["event"] == "interrupted" for event in understudy.records)


async def test_the_bot_is_silent_before_the_model_has_judged(understudy: Understudy):
    async with Caller(BotDoor()) as caller:
        await greeted(caller)
        asked_s = time.monotonic()
        caller.types("count to 60")
        await caller.ear.hears_voice(seconds=2, since=asked_s)
        spoken_s = caller.microphone.say(speech(REMARK))
        await caller.hears("user-started-speaking")
        heard_s = time.monotonic()
        silent_s = await caller.ear.hears_silence(seconds=0.3)
        assert not any(event["event"] == "interrupted" for event in understudy.records)
        assert silent_s - heard_s < 0.1 + NETWORK_S
        await caller.ear.hears_voice(seconds=1, since=heard_s + spoken_s)
        await caller.ear.hears_silence(seconds=1)
    assert any(event["event"] == "interrupted" for event in understudy.records)
    assert "minus" in caller.transcript()

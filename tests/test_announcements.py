"""A caller without a page is told by voice what a page would show; one with a page is not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    OutputAudioRawFrame,
)
from pipecat.tests.utils import SleepFrame, run_test

from pipeline import audience, local_voice
from pipeline.announcements import FAILURES, Announcement, in_language
from pipeline.local_voice import VoiceError, speech
from pipeline.refusals import Verdict
from processors.announcer import Announcer
from tests.support.conversation import OUT_HZ, Talk, talk
from tests.support.hearing import heard

GAP_REFUSALS = 3
"""Redials that are refused in a gap of 5.2 s: after 0, 0.7 and 2.2 s."""


# --- whole conversations ---------------------------------------------------------------------------


async def test_a_gap_is_told_aloud_once_to_a_caller_without_a_page_and_to_no_other(tmp_path):
    async with asyncio.TaskGroup() as group:
        group.create_task(told_of_a_gap(tmp_path / "without"))
        group.create_task(not_told_aloud(tmp_path / "with"))


async def told_of_a_gap(folder: Path) -> None:
    async with talk(folder, greeting=None, has_page=False) as conversation:
        dropped_s = await drop(conversation)
        await conversation.until_quiet()
        await goes_on(conversation)
        began_s, ended_s = heard(conversation, Announcement.RECONNECTING)
        assert 3 < began_s - dropped_s < 4 < ended_s - dropped_s
    assert [turn["side"] for turn in conversation.turns] == ["user", "bot"]


async def not_told_aloud(folder: Path) -> None:
    async with talk(folder, greeting=None) as conversation:
        await drop(conversation)
        await conversation.until(lambda: "degraded" in conversation.states)
        await conversation.until(lambda: conversation.states[-1] == "ready")
        await conversation.session.hang_up("Enough.")
        await conversation.running
        assert conversation.transport.heard == []


async def test_why_the_line_is_closed_is_told_to_the_end_to_a_caller_without_a_page(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(audience, "PAGE_READY_S", 0.5)
    async with asyncio.TaskGroup() as group:
        group.create_task(told_that_the_key_is_refused(tmp_path / "key", has_page=False))
        group.create_task(told_that_the_key_is_refused(tmp_path / "page", has_page=True))
        group.create_task(told_that_nobody_speaks(tmp_path / "idle"))


async def told_that_the_key_is_refused(folder: Path, *, has_page: bool) -> None:
    async with talk(folder, key="invalid", has_page=has_page) as conversation:
        began_s = time.monotonic()
        async with asyncio.timeout(12):
            await conversation.running
        assert conversation.states[-1] == "failed" and conversation.notices("ended")
        if has_page:
            assert conversation.transport.heard == []
        else:
            first_s, _ = heard(conversation, Announcement.FORBIDDEN)
            assert first_s - began_s < 2, "no dead air"


async def told_that_nobody_speaks(folder: Path) -> None:
    async with talk(
        folder, greeting=None, has_page=False, limits={"idle_limit_s": 2}
    ) as conversation:
        async with asyncio.timeout(12):
            await conversation.running
        heard(conversation, Announcement.NOBODY_SPEAKS)


async def drop(conversation: Talk) -> float:
    """Break the line, and let it stay broken for 5.2 s."""
    await conversation.until(lambda: conversation.service.link_news.state == "ready")
    conversation.service._link._spread = lambda: 0.5
    understudy = conversation.understudy
    understudy.inject("refuse-503", moment={"at": "connect", "times": GAP_REFUSALS})
    understudy.inject("rst", session=conversation.events("setup")[-1]["session"])
    await conversation.until(lambda: conversation.service.link_news.state != "ready")
    return time.monotonic()


async def goes_on(conversation: Talk) -> None:
    """Ask something, and hear an answer."""
    await conversation.until(lambda: conversation.service.link_news.state == "ready")
    asked_s = time.monotonic()
    await conversation.type("Is all well?")
    await conversation.until(lambda: conversation.transport.heard[-1][0] > asked_s)


# --- the processor ---------------------------------------------------------------------------------


async def kinds_pushed(announcer: Announcer, *frames: Frame) -> list[str]:
    """What goes on to the output, in order."""
    down, _ = await run_test(announcer, frames_to_send=frames)
    return [type(frame).__name__ for frame in down]


def when_the_bot_begins(announcer: Announcer, act: Callable[[], Awaitable[None]]) -> None:
    @announcer.event_handler("on_after_push_frame")
    async def on_after_push_frame(announcer: Announcer, frame: Frame):
        if isinstance(frame, BotStartedSpeakingFrame):
            await act()


SPEAKING = (
    BotStartedSpeakingFrame(),
    SleepFrame(sleep=0.3),
    BotStoppedSpeakingFrame(),
    SleepFrame(sleep=0.3),
)


async def test_nothing_is_said_into_what_the_bot_says():
    announcer = Announcer(language="en-US")
    when_the_bot_begins(announcer, lambda: announcer.announce(Announcement.RECONNECTING))
    kinds = await kinds_pushed(announcer, *SPEAKING)
    assert kinds == ["BotStartedSpeakingFrame", "BotStoppedSpeakingFrame", "OutputAudioRawFrame"]


async def test_what_is_no_longer_so_is_not_said():
    announcer = Announcer(language="en-US")

    async def announce_and_withdraw():
        await announcer.announce(Announcement.RECONNECTING)
        await announcer.withdraw(Announcement.RECONNECTING)

    when_the_bot_begins(announcer, announce_and_withdraw)
    kinds = await kinds_pushed(announcer, *SPEAKING)
    assert kinds == ["BotStartedSpeakingFrame", "BotStoppedSpeakingFrame"]


async def test_the_last_words_come_after_all_else_and_can_not_be_interrupted():
    announcer = Announcer(language="en-US")
    announcer.say_at_the_end(Announcement.TIME_IS_OVER)
    frames = [OutputAudioRawFrame(bytes(960), OUT_HZ, 1)]
    (before, words), _ = await run_test(announcer, frames_to_send=frames)
    assert before is frames[0]
    assert isinstance(words, OutputAudioRawFrame) and not words.interruptible


async def test_a_machine_without_a_voice_ends_in_silence(monkeypatch):
    monkeypatch.setattr("processors.announcer.speech", _no_voice)
    announcer = Announcer(language="en-US")
    announcer.say_at_the_end(Announcement.TIME_IS_OVER)
    assert await kinds_pushed(announcer) == []


def _no_voice(*_, **__) -> bytes:
    raise VoiceError("espeak-ng can't speak here")


# --- words and voice -------------------------------------------------------------------------------


def test_every_failure_has_a_sentence():
    assert FAILURES.keys() == set(Verdict)


@pytest.mark.parametrize(
    ("language", "voice"),
    [("en-US", "en-us"), ("zh-CN", "cmn"), ("zh", "cmn"), ("cmn-CN", "cmn"), ("tlh", "en-us")],
)
def test_each_sentence_is_in_the_language_of_the_settings_or_in_english(language, voice):
    for announcement in Announcement:
        words = in_language(announcement, language)
        assert words.voice == voice
        assert (words.text == announcement) is (voice == "en-us")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_sentence_can_be_said_at_the_rate_of_the_output(language):
    for rate_hz in (8_000, 24_000):
        samples = np.frombuffer(
            speech(in_language(Announcement.RECONNECTING, language), rate_hz=rate_hz), np.int16
        )
        assert 1.5 < samples.size / rate_hz < 5
        assert np.abs(samples).max() > 5_000


def test_what_was_said_once_costs_nothing(monkeypatch):
    words = in_language(Announcement.RECONNECTING, "en")
    first = speech(words, rate_hz=OUT_HZ)
    monkeypatch.setattr(local_voice.subprocess, "run", _no_voice)
    assert speech(words, rate_hz=OUT_HZ) is first


def test_a_voice_that_is_missing_is_told_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(local_voice, "_PROGRAM", tmp_path / "nothing.py")
    speak: Callable[..., bytes] = speech.__wrapped__
    with pytest.raises(VoiceError, match="espeak-ng can't speak here: .*nothing.py"):
        speak(in_language(Announcement.RECONNECTING, "en"), rate_hz=OUT_HZ)

"""Whole sessions with short limits: warned, then a goodbye that is heard, then ended, and logged."""

import asyncio
import time
from pathlib import Path

import pytest

from pipeline import audience, hanging_up
from pipeline.announcements import Announcement
from tests.support.conversation import Talk, talk
from tests.support.hearing import heard
from tests.support.replies import replies, usage


async def over(conversation: Talk, *, within_s: float = 15) -> None:
    """Wait until the session has ended by itself."""
    async with asyncio.timeout(within_s):
        await conversation.running


def noted(conversation: Talk, event: str) -> list[dict]:
    """What the log says of the session as a whole."""
    return [line for line in conversation.log if line.get("event") == event]


# --- time ------------------------------------------------------------------------------------------


async def test_the_end_is_told_before_it_comes_and_said_when_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(audience, "PAGE_READY_S", 0.5)
    async with asyncio.TaskGroup() as group:
        group.create_task(warned_and_ended(tmp_path / "page", has_page=True))
        group.create_task(warned_and_ended(tmp_path / "phone", has_page=False))


async def warned_and_ended(folder: Path, *, has_page: bool) -> None:
    limits = {"time_limit_s": 5.0, "warn_before_s": 3.0}
    async with talk(folder, greeting=None, has_page=has_page, limits=limits) as conversation:
        await conversation.until(lambda: conversation.notices("session"))
        ((began_s, description),) = conversation.notices("session")
        await conversation.until(lambda: conversation.notices("limit"))
        left_s = conversation.session.usage.seconds_left
        await over(conversation)

        assert description["time_limit_s"] == 5
        ((warned_s, told),) = conversation.notices("limit")
        assert (told["limit"], told["left"]) == ("time", pytest.approx(3, abs=0.3))
        assert told["text"] == "This conversation will end in 3 seconds."
        assert warned_s - began_s == pytest.approx(2, abs=0.3)
        assert left_s == pytest.approx(3, abs=0.3)
        first_s, _ = heard(conversation, Announcement.ENDING_SOON)
        assert first_s - warned_s < 1.5

        ((ended_s, ended),) = conversation.notices("ended")
        assert ended["text"] == "The time of this session is over."
        assert ended_s - began_s == pytest.approx(5, abs=0.3)
        heard(conversation, Announcement.TIME_IS_OVER)
        assert conversation.session.usage.seconds_left == 0

    (limit,) = noted(conversation, "limit")
    assert (limit["limit"], limit["left"]) == ("time", told["left"])
    (end,) = noted(conversation, "end")
    assert (end["reason"], end["text"]) == ("time", ended["text"])
    assert end["seconds"] >= 5 and conversation.log[-1] == end


async def test_what_the_bot_is_saying_is_heard_to_its_end_before_the_goodbye(tmp_path):
    limits = {"time_limit_s": 2.5, "warn_before_s": 0}
    async with talk(tmp_path, greeting=None, limits=limits) as conversation:
        await conversation.type("Count to 7")
        await over(conversation)
        goodbye_s, _ = heard(conversation, Announcement.TIME_IS_OVER)
        ((ended_s, _),) = conversation.notices("ended")
        assert goodbye_s - ended_s > 1, "the bot was speaking"
    (_, answer) = conversation.turns
    assert "seven" in answer["text"].lower() or "7" in answer["text"]
    assert not answer["interrupted"]
    assert not noted(conversation, "limit")


async def test_but_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(hanging_up, "LAST_WORDS_S", 1.0)
    limits = {"time_limit_s": 2.5, "warn_before_s": 0}
    async with talk(tmp_path, greeting=None, limits=limits) as conversation:
        await conversation.type("Count to 60")
        await over(conversation)
        goodbye_s, _ = heard(conversation, Announcement.TIME_IS_OVER)
        ((ended_s, _),) = conversation.notices("ended")
        assert 0.9 < goodbye_s - ended_s < 2.5
    (_, answer) = conversation.turns
    assert answer["interrupted"]
    assert noted(conversation, "end")[0]["reason"] == "time"


async def test_a_session_that_hangs_at_its_end_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(hanging_up, "LAST_WORDS_S", 0.3)
    monkeypatch.setattr(hanging_up, "GOODBYE_S", 0.3)
    async with talk(tmp_path, greeting=None, limits={"time_limit_s": 1.0}) as conversation:

        async def nobody_answers(*_, **__):
            await asyncio.Event().wait()

        monkeypatch.setattr(conversation.session._audience._announcer, "_say", nobody_answers)
        await over(conversation, within_s=5)
    assert noted(conversation, "end")[0]["reason"] == "time"


async def test_a_clock_that_is_set_changes_nothing(tmp_path, monkeypatch):
    real, ahead_s = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead_s[0])
    limits = {"time_limit_s": 3.0, "warn_before_s": 1.0}
    async with talk(tmp_path, greeting=None, limits=limits) as conversation:
        await conversation.until(lambda: conversation.notices("session"))
        ((began_s, _),) = conversation.notices("session")
        for ahead_s[0] in (86_400.0, -86_400.0):
            await asyncio.sleep(0.5)
            assert not conversation.notices("limit")
        await over(conversation)
        ((warned_s, _),) = conversation.notices("limit")
        ((ended_s, _),) = conversation.notices("ended")
    assert warned_s - began_s == pytest.approx(2, abs=0.3)
    assert ended_s - began_s == pytest.approx(3, abs=0.3)
    assert noted(conversation, "end")[0]["seconds"] < 10


# --- tokens and cost -------------------------------------------------------------------------------


async def test_what_the_model_counts_is_priced_logged_and_limited(tmp_path):
    async with asyncio.TaskGroup() as group:
        group.create_task(ended_by_tokens(tmp_path / "tokens"))
        group.create_task(ended_by_cost(tmp_path / "cost"))
        group.create_task(held_to_what_is_known(tmp_path / "unknown"))


async def ended_by_tokens(folder: Path) -> None:
    takes = [usage(text_in=400, audio_out=50)] * 3
    replay = replies(folder, *takes)
    async with talk(folder, limits={"token_limit": 1100}, replay=replay) as conversation:
        await conversation.until(lambda: conversation.session.usage.tokens)
        assert conversation.session.usage.tokens == {"text_in": 400, "audio_out": 50}
        assert conversation.session.usage.seconds_left is None
        await over(conversation)
        ((_, told),) = conversation.notices("limit")
        assert (told["limit"], told["left"]) == ("tokens", 200)
        heard(conversation, Announcement.ENDING_SOON)
        heard(conversation, Announcement.LIMIT_IS_REACHED)
    (end,) = noted(conversation, "end")
    assert end["reason"] == "tokens"
    assert end["tokens"] == {"text_in": 1200, "audio_out": 150}
    dollars = (400 * 0.75 + 50 * 12) / 1e6
    assert end["cost_usd"] == pytest.approx(3 * dollars)
    assert [turn["modalities"] for turn in conversation.turns] == [
        {"text_in": 400, "audio_out": 50}
    ] * 3
    costs = [turn["cost_so_far_usd"] for turn in conversation.turns]
    assert costs == pytest.approx([dollars, 2 * dollars, 3 * dollars])


async def ended_by_cost(folder: Path) -> None:
    replay = replies(folder, *[usage(text_in=1000)] * 3)
    prices = folder / "prices.yaml"
    prices.write_text("dated: 2026-11-01\nmodels: {gemini-3.8-live: {text_in: 1000}}")
    limits = {"cost_limit_usd": 2.4}
    async with talk(folder, limits=limits, prices=prices, replay=replay) as conversation:
        await over(conversation)
        assert conversation.session.usage.cost_usd == 3
        ((_, told),) = conversation.notices("limit")
        assert (told["limit"], told["left"]) == ("cost", pytest.approx(0.4))
        heard(conversation, Announcement.LIMIT_IS_REACHED)
    assert noted(conversation, "end")[0]["reason"] == "cost"
    assert not noted(conversation, "unpriced")


async def held_to_what_is_known(folder: Path) -> None:
    replay = replies(folder, *[usage(text_in=1000, audio_out=50)] * 3)
    prices = folder / "prices.yaml"
    prices.write_text(
        "dated: 2026-11-01\nmodels: {gemini-3.8-live: {text_in: 1000, audio_out: null}}"
    )
    limits = {"cost_limit_usd": 2.4}
    async with talk(folder, limits=limits, prices=prices, replay=replay) as conversation:
        await over(conversation)
        assert conversation.session.usage.cost_usd is None
    (unpriced,) = noted(conversation, "unpriced")
    assert unpriced["kinds"] == ["audio_out"]
    assert [turn["cost_so_far_usd"] for turn in conversation.turns] == [None] * 3
    (end,) = noted(conversation, "end")
    assert (end["reason"], end["cost_usd"]) == ("cost", None)


# --- why it ended ----------------------------------------------------------------------------------


async def test_every_end_is_in_the_log_with_its_reason(tmp_path):
    async with asyncio.TaskGroup() as group:
        group.create_task(ended_by_the_user(tmp_path / "user"))
        group.create_task(ended_by_idleness(tmp_path / "idle"))
        group.create_task(ended_by_the_server(tmp_path / "closing"))
        group.create_task(ended_from_below(tmp_path / "below"))
        group.create_task(ended_by_failure(tmp_path / "failure"))


def reason(conversation: Talk) -> str:
    (end,) = noted(conversation, "end")
    assert end["text"] and end["model"] == "gemini-3.8-live"
    return end["reason"]


async def ended_by_the_user(folder: Path) -> None:
    async with talk(folder) as conversation:
        await conversation.until_quiet()
        await conversation.transport._call_event_handler("on_client_disconnected", object())
        await over(conversation)
    assert reason(conversation) == "user"


async def ended_by_idleness(folder: Path) -> None:
    async with talk(folder, greeting=None, limits={"idle_limit_s": 1.5}) as conversation:
        await over(conversation)
        heard(conversation, Announcement.NOBODY_SPEAKS)
        assert len(conversation.notices("ended")) == 1
    assert reason(conversation) == "idle"


async def ended_by_the_server(folder: Path) -> None:
    async with talk(folder, greeting=None) as conversation:
        await conversation.until(lambda: conversation.notices("session"))
        await conversation.session.hang_up("The server is closing.")
        await over(conversation)
    assert reason(conversation) == "closing"


async def ended_from_below(folder: Path) -> None:
    async with talk(folder, greeting=None) as conversation:
        await conversation.until(lambda: conversation.notices("session"))
        await conversation.session._worker.cancel(reason="Ctrl-C")
        await over(conversation)
    assert reason(conversation) == "closing"


async def ended_by_failure(folder: Path) -> None:
    async with talk(folder, key="invalid") as conversation:
        await over(conversation)
        assert conversation.session.usage.tokens == {}
    assert reason(conversation) == "failure"

"""What goes wrong with the model is told to the page, in words and soon, and ends the session."""

import asyncio
import time

import pytest

from tests.support.caller import BotDoor, Caller
from tests.support.ports import free_port
from tests.support.understudies import understudy_in


async def told_why(caller: Caller) -> tuple[str, float]:
    """What the page is told at the end, and after how long."""
    began = time.monotonic()
    ended = await caller.hears("server-message", type="ended", within_s=12)
    link = await caller.hears("server-message", type="link", state="failed")
    assert link["text"] == ended["text"]
    async with asyncio.timeout(5):
        await caller.hung_up.wait()
    return ended["text"], time.monotonic() - began


async def test_a_bad_key_is_told(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path, GOOGLE_API_KEY="invalid-key"):
        async with Caller(BotDoor()) as caller:
            why, after_s = await told_why(caller)
    assert why == "Gemini refused the API key. Check GOOGLE_API_KEY."
    assert after_s < 5
    assert "invalid-key" not in str(caller.messages)


async def test_an_unknown_model_is_told(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path, SALON_MODEL="gemini-1-telepathy"):
        async with Caller(BotDoor()) as caller:
            why, after_s = await told_why(caller)
    assert "models/gemini-1-telepathy" in why and "SALON_MODEL" in why
    assert after_s < 5


async def test_a_model_that_cannot_be_reached_is_told(monkeypatch, tmp_path):
    nowhere = f"https://127.0.0.1:{free_port()}"
    async with understudy_in(
        monkeypatch,
        tmp_path,
        GOOGLE_GEMINI_BASE_URL=nowhere,
        SALON_CONNECT_TIMEOUT_S="2",
    ):
        async with Caller(BotDoor()) as caller:
            why, after_s = await told_why(caller)
    assert why == "Gemini cannot be reached from here."
    assert after_s < 10


async def test_a_certificate_that_is_not_trusted_is_told(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path):
        monkeypatch.delenv("SSL_CERT_FILE")
        async with Caller(BotDoor()) as caller:
            why, after_s = await told_why(caller)
    assert "SSL_CERT_FILE" in why
    assert after_s < 5


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("never-answer-setup", "Gemini does not answer."),
        ("refuse-503", "Gemini is unavailable (HTTP 503)."),
        ("close-1011-after-setup", "Gemini closed the connection: Internal error encountered."),
    ],
)
async def test_a_model_that_does_not_work_is_told_within_ten_seconds(
    monkeypatch, tmp_path, fault, why
):
    async with understudy_in(monkeypatch, tmp_path, faults=[fault]):
        async with Caller(BotDoor()) as caller:
            told, after_s = await told_why(caller)
    assert told == why
    assert after_s < 10


async def test_a_persona_that_does_not_exist_ends_the_call(monkeypatch, tmp_path):
    async with understudy_in(monkeypatch, tmp_path):
        caller = Caller(BotDoor(), persona="nobody")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(6):
                await caller.__aenter__()
        assert isinstance(caller.door, BotDoor) and caller.door.bot and caller.door.bot.done()
        await caller.__aexit__()


async def test_the_time_limit_of_a_persona_ends_the_call_in_words(monkeypatch, tmp_path):
    from pipeline import persona

    (tmp_path / "hasty.md").write_text(
        "---\ntitle: Hasty\nsummary: Has no time.\ntime_limit_s: 1\n---\nBe quick.\n"
    )
    monkeypatch.setattr(persona, "PERSONAS_DIR", tmp_path)
    monkeypatch.setattr(persona.load_persona, "__kwdefaults__", {"folder": tmp_path})
    async with understudy_in(monkeypatch, tmp_path):
        async with Caller(BotDoor(), persona="hasty") as caller:
            ended = await caller.hears("server-message", type="ended", within_s=20)
            assert ended["text"] == "The time of this session is over."
            async with asyncio.timeout(10):
                await caller.hung_up.wait()

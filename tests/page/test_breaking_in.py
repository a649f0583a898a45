"""The user breaks in while the bot speaks: it falls silent, and one reads what had been heard."""

import pytest
from playwright.async_api import expect

from tests.page.support import QUESTION, Ear, connect, turns, type_in
from tests.support.chromium import Devices

COUNTS_S = 2
SILENCE_S = 0.4
"""Longer than the bot's pauses between the words of one answer, shorter than those between two."""
SOON_S = 1
"""Between breaking in, as the page has it, and silence; 0.1 is usual."""


@pytest.mark.parametrize(
    "microphone", [Devices(), Devices(says=QUESTION)], ids=["by typing", "by voice"], indirect=True
)
async def test_a_bot_that_is_interrupted_is_silent_soon_and_shown_as_far_as_it_was_heard(
    page, server, microphone
):
    async with page.expect_response("**/start") as starting:
        await connect(page)
    session_id = (await (await starting.value).json())["sessionId"]
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    ear = await Ear.at(page)
    since_s = await ear.now_s()
    await type_in(page, "count to 60")
    await ear.hears_voice(seconds=COUNTS_S, since_s=since_s)
    counting_s = await ear.now_s()
    cut = page.locator("[data-interrupted]").filter(has_text="1, 2, 3")
    if microphone.says:
        await expect(cut).to_have_count(1, timeout=30_000)
        broke_in_s = await ear.now_s()
    else:
        await type_in(page, "the sea is calm")
        broke_in_s = await ear.now_s()
        await expect(cut).to_have_count(1, timeout=30_000)
    await expect(turns(page, "bot").last).to_contain_text(
        "You spoke for" if microphone.says else "the sea is calm", timeout=20_000
    )
    before = await ear.pauses(since_s=counting_s - COUNTS_S / 2, until_s=counting_s)
    assert max(length_s for _, length_s in before) < SILENCE_S
    after = await ear.pauses(since_s=counting_s, until_s=await ear.now_s())
    silent_s = next(at_s for at_s, length_s in after if length_s >= SILENCE_S)
    assert abs(silent_s - broke_in_s) < SOON_S

    unheard = await cut.locator(".not-heard").inner_text()
    said = await cut.locator(".turn-text").inner_text()
    heard = said.removesuffix(unheard).strip()
    assert unheard and heard.startswith("1, 2, 3")
    await expect(cut.locator(".turn-note")).to_have_text("interrupted")
    assert heard in [turn["text"] for turn in server.turns(session_id) if turn["interrupted"]]

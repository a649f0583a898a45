"""The page as a person uses it: in Chromium, with a microphone that speaks and a fake camera."""

import re

import pytest
from playwright.async_api import expect

from tests.page.support import (
    QUESTION,
    becomes_true,
    connect,
    received_audio_energy,
    turns,
)


@pytest.mark.parametrize("microphone", [QUESTION], indirect=True)
async def test_a_person_speaks_hears_the_answer_and_reads_both_sides(page):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await expect(turns(page, "user").first).to_contain_text("seconds of speech", timeout=30_000)
    await expect(turns(page, "bot").nth(1)).to_contain_text("seconds", timeout=20_000)
    level = "Number(document.querySelector('[data-testid=bot-level]').dataset.level)"
    await becomes_true(page, f"{level} > 0.05")
    assert await received_audio_energy(page) > 0


async def test_the_end_button_ends_the_call(page):
    await connect(page)
    await page.get_by_test_id("end").click()
    await expect(page.locator("body")).to_have_attribute("data-state", re.compile("idle|ended"))
    await expect(page.get_by_test_id("connect")).to_be_enabled()

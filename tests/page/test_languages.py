"""The page in English and in Chinese."""

import pytest
from playwright.async_api import Page, expect

from tests.page.support import View, connect


async def speaks(page: Page, language: str) -> None:
    """The page is in that language: its words, and what a screen reader is told of them."""
    await expect(page.locator("html")).to_have_attribute("lang", language)
    word = {"en": "Connect", "zh": "开始对话"}[language]
    await expect(page.get_by_test_id("connect")).to_have_text(word)


async def test_the_language_is_switched_and_remembered(page):
    await speaks(page, "en")
    choice = page.get_by_test_id("page-language")
    await choice.select_option("zh")
    await speaks(page, "zh")
    await page.reload()
    await speaks(page, "zh")
    await choice.select_option("en")
    await speaks(page, "en")
    await page.reload()
    await speaks(page, "en")


@pytest.mark.parametrize("view", [View(locale="zh-CN")], indirect=True)
async def test_a_chinese_browser_gets_a_chinese_page_and_call(page):
    await speaks(page, "zh")
    await connect(page)
    await expect(page.get_by_test_id("status")).to_have_text("就绪", timeout=20_000)
    await page.get_by_test_id("end").click()
    await expect(page.get_by_test_id("status")).to_have_text("已结束：你结束了对话。")

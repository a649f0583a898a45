"""The page in English and in Chinese."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.page.servers import KEY, full
from tests.page.support import View, connect, opened
from tests.support.server import Server


@pytest.fixture
def full_server(tmp_path) -> Iterator[Server]:
    with full(tmp_path) as place:
        yield place.server


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


@pytest.mark.parametrize("view", [View(locale="zh-CN")], indirect=True)
async def test_personas_and_refusals_are_chinese_too(browser, full_server, view, problems):
    async with opened(browser, full_server.url, view=view, problems=problems) as page:
        await speaks(page, "zh")
        await expect(page.get_by_test_id("persona")).to_contain_text("屏幕助手")
        alert = page.get_by_test_id("alert")
        for key, why in {
            "0123456789abcdef-unknown": "没有这个密钥：请检查你输入的服务器密钥。",
            KEY: re.compile(r"线路全忙（请在 \d+ 秒后重试）。"),
        }.items():
            await page.get_by_test_id("server-key").fill(key)
            await page.get_by_test_id("connect").click()
            await expect(alert.last).to_contain_text(why)
    # The browser complains of every answer that is a refusal.
    assert len(problems) == 2
    problems.clear()

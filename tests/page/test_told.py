"""What the page tells of a call: its time and money, what the model looks at, cites and uses."""

import re

import pytest
from pipecat.frames.frames import OutputTransportMessageFrame
from playwright.async_api import expect

from tests.page.servers import SHORT_S
from tests.page.states import is_in, plain_picture
from tests.page.support import CallSocket, becomes_true, connect, opened, turns, type_in
from tests.support.chromium import Devices


async def test_the_time_counts_down_to_a_warning_and_to_the_end_and_the_cost_goes_up(
    browser, places, problems
):
    async with opened(browser, places("short").server.url, problems=problems) as page:
        await connect(page)
        left = page.get_by_test_id("left")
        left_s = (
            "Number(document.querySelector('[data-testid=left]').innerText.match(/:(\\d+)/)[1])"
        )
        await expect(left).to_have_text(re.compile(r"^0:\d\d left$"))
        first_s = await page.evaluate(left_s)
        assert SHORT_S - 6 < first_s <= SHORT_S
        await becomes_true(page, f"{left_s} === {first_s - 3}", within_s=6)  # each second is shown
        await expect(left).to_have_attribute("data-soon", "true")
        await expect(page.get_by_test_id("cost")).to_have_text(
            re.compile(r"^\$0\.0\d*[1-9] so far$")
        )
        await expect(page.get_by_test_id("alert")).not_to_be_empty(timeout=SHORT_S * 1000)
        assert await page.evaluate(left_s) <= SHORT_S / 10 + 1
        await is_in(page, "ended")
        await expect(page.get_by_test_id("status")).to_have_text(re.compile("^Ended: .*time"))
    assert problems == []


@pytest.mark.parametrize("microphone", [Devices(view=plain_picture("#1414c8"))], indirect=True)
async def test_what_the_model_looks_at_is_the_frame_that_it_was_sent(page, server):
    await connect(page)
    await page.get_by_test_id("cam").click()
    seen = page.locator('[data-testid="looking"][data-source="camera"] img')
    await expect(seen).to_be_visible(timeout=20_000)
    width, height, (red, green, blue, _) = await seen.evaluate(
        """async (img) => {
            await img.decode();
            const context = new OffscreenCanvas(160, 160).getContext('2d');
            context.drawImage(img, 0, 0);
            const middle = [img.naturalWidth / 2, img.naturalHeight / 2];
            const pixel = context.getImageData(...middle, 1, 1).data;
            return [+img.getAttribute('width'), +img.getAttribute('height'), [...pixel]];
        }"""
    )
    assert blue > 3 * max(red, green), (red, green, blue)
    frames = [event for event in server.record() if event["event"] == "video"]
    assert frames[-1]["colours"][0][0] == "blue"
    assert (width, height) == (frames[-1]["width"], frames[-1]["height"])
    await page.get_by_test_id("cam").click()
    await expect(seen).to_have_count(0)


async def test_tools_are_shown_as_they_run_and_sources_as_links(browser, places, problems):
    async with opened(browser, places("equipped").server.url, problems=problems) as page:
        await connect(page)
        await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
        await type_in(page, "get_weather for Oslo")
        await expect(page.locator('[data-tool="running"]')).to_have_text(
            re.compile("Using get_weather…")
        )
        await expect(page.locator('[data-tool="done"]')).to_have_text(
            re.compile("Used get_weather")
        )
        await expect(turns(page, "bot").last).to_contain_text("degrees 5", timeout=20_000)

        await type_in(page, "search for tea in London")
        links = page.locator(".sources a")
        await expect(links).to_have_text(["example.org", "example.com"], timeout=20_000)
        first = links.first
        await expect(first).to_have_attribute("href", "https://example.org/?q=tea%20in%20London")
        await expect(first).to_have_attribute("rel", "noopener noreferrer")
    assert problems == []


async def test_a_source_that_is_no_page_of_the_web_is_no_link(page):
    socket = await CallSocket.of(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    addresses = [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//example.com/",
        "https://",
        "http://example.org/",
    ]
    origins = [{"site_uri": one, "site_title": one, "results": []} for one in addresses]
    data = {
        "search_result": "",
        "rendered_content": "<img src=x onerror=alert(1)>",
        "origins": origins,
    }
    message = {"label": "rtvi-ai", "type": "bot-llm-search-response", "data": data}
    await socket.take(OutputTransportMessageFrame(message=message))
    links = page.locator(".sources a")
    await expect(links).to_have_text(["http://example.org/"], timeout=20_000)
    hrefs = await page.locator("a").evaluate_all("(links) => links.map((link) => link.href)")
    assert hrefs == ["http://example.org/"]

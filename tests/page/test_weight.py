"""What the page weighs before a call begins, as a browser counts it."""

from playwright.async_api import Page

from tests.page.support import becomes_true

MAX_BYTES = 300_000

LOADED = "performance.getEntriesByType('resource')"


async def test_it_is_light_and_each_way_but_the_usual_one_stays_where_it_is(page: Page):
    await becomes_true(page, f"{LOADED}.some((one) => one.name.includes('/webrtc-'))")
    loaded = await page.evaluate(
        f"{LOADED}.map((one) => [one.name, one.encodedBodySize, one.decodedBodySize])"
    )
    assert 20_000 < sum(size for _, size, _ in loaded) < MAX_BYTES
    for name, encoded, decoded in loaded:
        assert encoded < decoded or decoded < 2_000 or not name.endswith((".js", ".css"))
    names = " ".join(name for name, _, _ in loaded)
    assert "/daily-" not in names and "/websocket-" not in names

"""The page for everybody: what axe finds, the keyboard alone, and less motion."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from pipeline.settings import ROOT
from tests.page.support import DESKTOP, PHONE, View, connect, look

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
RUN = """async (rules) => {
    const {violations} = await axe.run(document, {
        runOnly: {type: "tag", values: rules},
        resultTypes: ["violations"],
    });
    return violations
        .filter(({impact}) => impact === "serious" || impact === "critical")
        .flatMap(({id, nodes}) => nodes.map(
            ({target, any, all}) =>
                `${id}: ${target.join(" ")}: ${[...any, ...all].map((c) => c.message).join(" ")}`
        ));
}"""


EACH_ONCE = (View(device="desktop", scheme="light"), View(device="phone", scheme="dark"))
"""Colours are a scheme's, whatever the device; what is where is the device's, whatever the colours."""


async def violations(page: Page) -> list[str]:
    """What axe finds serious."""
    if not await page.evaluate("Boolean(globalThis.axe)"):
        await page.evaluate(AXE.read_text())
    return await page.evaluate(RUN, RULES)


@pytest.mark.asyncio(loop_scope="session")
async def test_axe_finds_nothing_serious_in_any_state(reached):
    found = {}
    for view in EACH_ONCE:
        await look(reached, view)
        found[f"{view.device}, {view.scheme}"] = await violations(reached)
    assert {where: what for where, what in found.items() if what} == {}


async def test_axe_is_asked_and_would_find_something(page):
    await page.evaluate("document.querySelector('[data-testid=connect]').textContent = ''")
    assert any(found.startswith("button-name") for found in await violations(page))


CONTROLS = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']"
)].filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled
    // Of a group of radio buttons, the one that is chosen.
    && (one.type !== "radio" || one.checked)
).map((one, number) => { one.dataset.number = number; return number; })"""


@pytest.mark.parametrize("view", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize("place", ["lobby", "call"])
async def test_tab_reaches_everything_and_shows_where_it_is(page, place):
    await expect(page.get_by_test_id("persona").get_by_role("radio").first).to_be_visible()
    if place == "call":
        await connect(page)
    controls = await page.evaluate(CONTROLS)
    assert len(controls) > 4
    await page.evaluate("document.activeElement.blur()")
    reached, unseen = set(), []
    for _ in range(2 * len(controls)):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        number = await focused.get_attribute("data-number") if await focused.count() else None
        if number is None or int(number) in reached:
            continue
        reached.add(int(number))
        if not await shows_focus(page, focused):
            unseen.append(await focused.evaluate("(one) => one.outerHTML.slice(0, 120)"))
    missing = [number for number in controls if number not in reached]
    assert [await describe(page, number) for number in missing] == []
    assert unseen == []


async def describe(page: Page, number: int) -> str:
    one = page.locator(f'[data-number="{number}"]')
    return await one.evaluate("(one) => one.outerHTML.slice(0, 120)")


async def shows_focus(page: Page, focused: Locator) -> bool:
    """Whether it looks otherwise while it has the focus; a hidden field's label does so for it."""
    box = await focused.evaluate(
        """(one) => {
            const shown = one.closest("label") ?? one;
            shown.scrollIntoView({block: "center", behavior: "instant"});
            const {x, y, width, height} = shown.getBoundingClientRect();
            return {x: Math.max(0, x - 6), y: Math.max(0, y - 6),
                width: width + 12, height: height + 12};
        }"""
    )
    size = page.viewport_size
    assert size
    box["width"] = min(box["width"], size["width"] - box["x"])
    box["height"] = min(box["height"], size["height"] - box["y"])
    with_focus = await pixels(page, box)
    one = await focused.element_handle()
    assert one
    await one.evaluate("(one) => one.blur()")
    without = await pixels(page, box)
    await one.evaluate("(one) => one.focus({focusVisible: true})")
    return int((np.abs(with_focus - without).max(axis=2) > 40).sum()) > 60


async def pixels(page: Page, box: dict) -> np.ndarray:
    png = await page.screenshot(clip=box, animations="disabled")  # pyright: ignore
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int16)


async def test_escape_closes_what_opens_over_the_page(page):
    await connect(page)
    openers = page.locator("[popovertarget]:visible")
    await expect(openers).not_to_have_count(0)
    for number in range(await openers.count()):
        opener = openers.nth(number)
        opened = page.locator(f"#{await opener.get_attribute('popovertarget')}")
        await opener.focus()
        await page.keyboard.press("Enter")
        await expect(opened).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(opened).to_be_hidden()
        await expect(opener).to_be_focused()


MOVING = "document.getAnimations().filter((one) => one.playState === 'running').length"


@pytest.mark.parametrize("view", [View(motion="reduce")], indirect=True, ids=["reduced"])
async def test_nothing_moves_for_whoever_wants_less_motion(page):
    for test_id, value in (("connect", "connecting"), ("", "ready"), ("end", "ended")):
        if test_id:
            await page.get_by_test_id(test_id).click()
        await expect(page.locator("body")).to_have_attribute("data-state", value, timeout=20_000)
        assert await page.evaluate(MOVING) == 0, value
    await page.emulate_media(reduced_motion="no-preference")
    await page.evaluate("document.body.animate({opacity: [1, 0.9]}, 60_000)")
    assert await page.evaluate(MOVING) > 0, "what moves is seen"

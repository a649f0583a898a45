"""Pictures of the page in each of its states, which docs/page.md shows.

A picture is written anew only when one sees the difference, so that a run of the tests changes
nothing that did not change.
"""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Page

from pipeline.settings import ROOT
from tests.page.states import STATES
from tests.page.support import VIEWS, View, look

SCREENS = ROOT / "docs" / "screens"
PAGE = ROOT / "docs" / "page.md"
MAX_BYTES = 30_000
SEEN = 0.25
"""From which mean difference of a pixel's colours, of 255, a picture counts as another: a clock that
goes on is below, one line of text above."""


@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_is_pictured_in_each_state(reached, state):
    for view in VIEWS:
        await look(reached, view)
        keep(file_name(state.name, view), await photograph(reached))


async def photograph(page: Page) -> bytes:
    """As WebP, in the best quality that is small enough."""
    png = await page.screenshot(animations="disabled")
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in (75, 60, 45, 30):
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality, method=6)
        if file.tell() < MAX_BYTES:
            return file.getvalue()
    raise AssertionError(f"the picture takes more than {MAX_BYTES} bytes")


def keep(name: str, picture: bytes) -> None:
    """Write a picture where it differs from the one that is there."""
    path = SCREENS / name
    if not path.exists() or differ(path.read_bytes(), picture) > SEEN:
        SCREENS.mkdir(exist_ok=True)
        path.write_bytes(picture)


def differ(one: bytes, other: bytes) -> float:
    """The mean absolute difference of all pixels' colours, of 255."""
    first, second = (np.asarray(Image.open(io.BytesIO(x)), np.int16) for x in (one, other))
    return 255.0 if first.shape != second.shape else float(np.abs(first - second).mean())


def file_name(state: str, view: View) -> str:
    return f"{state}-{view.device}-{view.scheme}.webp"


def test_a_line_of_text_is_seen_and_a_digit_is_not(tmp_path):
    def picture(lines: int, digit: int) -> bytes:
        pixels = np.full((800, 1280, 3), 255, np.uint8)
        for line in range(lines):
            pixels[100 + 40 * line : 112 + 40 * line, 200:500:3] = 0
        pixels[20:32, 1200 : 1203 + 2 * digit] = 0
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "WEBP", quality=75)
        return file.getvalue()

    assert differ(picture(3, 1), picture(3, 2)) < SEEN < differ(picture(3, 1), picture(4, 1))


def test_the_documentation_shows_each_picture_and_no_other():
    shown = re.findall(r"\((?:screens/)([\w-]+\.webp)\)", PAGE.read_text())
    assert sorted(shown) == sorted(file_name(one.name, view) for one in STATES for view in VIEWS)
    for one in STATES:
        assert one.text in PAGE.read_text()

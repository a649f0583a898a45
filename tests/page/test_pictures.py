"""What a person shows: pictures by button, drop and paste, the camera and the screen."""

import pytest
from playwright.async_api import expect

from tests.page.support import connect, sees, turns
from tests.test_first_light import red_picture


async def test_typing_and_showing_a_picture_the_camera_and_the_screen(page, server):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)

    await page.get_by_test_id("text").fill("good evening")
    await page.get_by_test_id("send").click()
    await expect(turns(page, "user").filter(has_text="good evening")).to_have_count(1)
    await expect(turns(page, "bot").filter(has_text="good evening")).to_have_count(
        1, timeout=20_000
    )

    await page.get_by_test_id("text").fill("Which colour is it?")
    await page.set_input_files(
        'input[type="file"]',
        {"name": "red.png", "mimeType": "image/png", "buffer": red_picture()},
    )
    await expect(turns(page, "bot").filter(has_text="red")).not_to_have_count(0, timeout=30_000)

    await page.get_by_test_id("cam").click()
    await expect(page.get_by_test_id("self-view")).to_be_visible()
    await sees(server, "camera")
    await page.get_by_test_id("screen").click()
    await sees(server, "screenVideo")


@pytest.mark.parametrize("way", ["drop", "paste"])
async def test_a_picture_is_dropped_or_pasted(page, way):
    await connect(page)
    await page.evaluate(
        """([way, bytes]) => {
            const file = new File([new Uint8Array(bytes)], 'red.png', {type: 'image/png'});
            const data = new DataTransfer();
            data.items.add(file);
            const options = {bubbles: true, cancelable: true};
            document.body.dispatchEvent(
                way === 'drop'
                    ? new DragEvent('drop', {...options, dataTransfer: data})
                    : new ClipboardEvent('paste', {...options, clipboardData: data}),
            );
        }""",
        [way, list(red_picture())],
    )
    seen = page.locator('[data-picture="seen"]')
    await expect(seen).to_have_count(1, timeout=20_000)
    await expect(turns(page, "bot").filter(has_text="red")).not_to_have_count(0, timeout=20_000)


async def test_a_file_that_is_no_picture_is_refused_in_words(page, problems):
    await connect(page)
    await page.set_input_files(
        'input[type="file"]',
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"these are no pixels"},
    )
    refusal = page.get_by_text("not a JPEG, PNG, WebP or GIF picture")
    await expect(refusal.first).to_be_visible(timeout=20_000)
    (problem,) = problems
    assert "415" in problem
    problems.clear()

"""What is chosen before a call is what one gets in it: who answers, how, by which devices and key."""

import pytest
from playwright.async_api import Page, expect

from serving.access.own_keys import HEADER
from tests.page.servers import own_keys
from tests.page.states import shows_a_video
from tests.page.support import (
    QUESTION,
    VOICE,
    Ear,
    becomes_true,
    connect,
    opened,
    turns,
    type_in,
)
from tests.page.test_line import KEEP_CONNECTIONS
from tests.support.chromium import Devices
from tests.support.server import Server


def last_setup(server: Server) -> dict:
    """What the model was asked to be in the latest session."""
    return [event for event in server.record() if event["event"] == "setup"][-1]


async def greets(page: Page) -> None:
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)


async def test_whoever_is_chosen_answers_and_in_the_next_call_another(page, server):
    setups = []
    for title in ("Companion", "Art critic"):
        await page.get_by_test_id("persona").get_by_role("radio", name=title).check()
        await connect(page)
        await expect(page.get_by_test_id("session")).to_contain_text(f"{title} · ")
        await greets(page)
        setups.append(last_setup(server))
        await page.get_by_test_id("end").click()
        await expect(page.locator("body")).to_have_attribute("data-state", "ended")
    companion, critic = setups
    assert (companion["voice"], critic["voice"]) == ("Charon", "Puck")
    assert companion["instruction_characters"] != critic["instruction_characters"]


async def test_written_answers_in_a_language_and_with_a_voice_are_read_and_not_heard(page, server):
    await page.get_by_test_id("more").locator("summary").click()
    await page.get_by_test_id("answers").select_option("text")
    await page.get_by_test_id("voice").select_option("Zephyr")
    await page.get_by_test_id("language").select_option("de-DE")
    await connect(page)
    ear = await Ear.at(page)
    await greets(page)
    await type_in(page, "good evening")
    await expect(turns(page, "bot").last).to_contain_text("good evening", timeout=20_000)
    since_s = await ear.now_s()
    await becomes_true(page, f"measured.at(-1)[0] > {since_s + 2}")  # when it would be said
    energies = [energy for _, energy in await ear.energies()]
    assert len(energies) > 100 and max(energies) < VOICE
    setup = last_setup(server)
    assert (setup["voice"], setup["language"]) == ("Zephyr", "de-DE")


KEY = "planted-own-model-key"
EVERYTHING_KEPT = """async () => JSON.stringify([
    {...localStorage}, {...sessionStorage}, document.cookie, location.href,
    await indexedDB.databases(), await caches.keys(), document.documentElement.outerHTML,
    [...document.querySelectorAll('input')].map((input) => input.value),
])"""


async def test_ones_own_key_opens_the_call_and_is_kept_nowhere(browser, short_folder, problems):
    with own_keys(short_folder, KEY) as place:
        async with opened(browser, place.server.url, problems=problems) as page:
            await page.get_by_test_id("model-key").fill(KEY)
            async with page.expect_request("**/start") as starting:
                await connect(page)
            assert (await (await starting.value).all_headers())[HEADER.lower()] == KEY
            await greets(page)
            await page.reload()  # which keeps all that one needs to go on
            await expect(page.locator("body")).to_have_attribute(
                "data-state", "ready", timeout=20_000
            )
            assert KEY not in await page.evaluate(EVERYTHING_KEPT)
            await page.goto(f"{place.server.url}/healthz")  # of the same origin, and mid-call
            kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
            assert "sessionId" in kept and KEY not in kept
        files = [path for path in short_folder.rglob("*") if path.is_file()]
        assert {"server.log", "understudy.jsonl"} <= {path.name for path in files}
        assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    problems.clear()  # what is no page has no picture for its tab


@pytest.mark.parametrize("microphone", [Devices(says=QUESTION, pause_s=1)], indirect=True)
async def test_devices_are_tried_out_before_the_call_which_takes_the_chosen_one(page):
    await page.add_init_script(KEEP_CONNECTIONS)
    await page.reload()
    await page.get_by_test_id("devices").locator("summary").click()
    level = "Number(document.querySelector('[data-testid=mic-level]').dataset.level)"
    await becomes_true(page, f"{level} > 0.1")
    await becomes_true(page, f"{level} < 0.02")
    await page.get_by_test_id("preview-cam").check()
    await shows_a_video(page)

    microphones = page.get_by_test_id("choose-mic")
    names = await microphones.locator("option").all_inner_texts()
    used = await microphones.locator("option:checked").inner_text()
    other = next(name for name in reversed(names) if name != used)
    await microphones.select_option(label=other)
    await expect(microphones.locator("option:checked")).to_have_text(other)
    await becomes_true(page, f"{level} > 0.1")
    await connect(page)
    sent = "connections.at(-1).getSenders()[0].track?.label"
    assert await page.evaluate(sent) == other
    await expect(turns(page, "user").first).to_contain_text("seconds of speech", timeout=30_000)

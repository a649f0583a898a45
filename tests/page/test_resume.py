"""The page is loaded anew in mid-call, and loses its server: in Chromium, as a person meets it."""

import contextlib
import json
import os
import re
import signal

import psutil
import pytest
from playwright.async_api import expect

from tests.page.servers import relayed
from tests.page.states import RELAY_ONLY
from tests.page.support import Ear, connect, opened, received_audio_energy, sees, turns, type_in
from tests.support.caller import http_client
from tests.support.server import running_server
from tests.test_resume import becomes_free


@pytest.fixture
def server(tmp_path_factory):
    """It waits as long as a server does by default, and has one slot."""
    folder = tmp_path_factory.mktemp("page")
    with running_server(folder, "--offline", SALON_RESUME_S="", SALON_MAX_SESSIONS="1") as server:
        yield server


async def is_in_call(page) -> None:
    await expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)


async def test_after_a_refresh_the_conversation_goes_on(page, server):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await type_in(page, "remember that the sea is calm")
    await expect(turns(page, "bot").filter(has_text="I will remember")).to_have_count(
        1, timeout=20_000
    )
    await page.get_by_test_id("cam").click()
    await sees(server, "camera")

    await page.reload()
    await is_in_call(page)
    await expect(turns(page, "user").filter(has_text="the sea is calm")).to_have_count(1)
    await expect(turns(page, "bot").filter(has_text="I will remember")).to_have_count(1)
    await sees(server, "camera")
    await type_in(page, "What did I tell you?")
    await expect(turns(page, "bot").filter(has_text="sea is calm")).not_to_have_count(
        1, timeout=20_000
    )
    assert await received_audio_energy(page) > 0
    assert sum(event["event"] == "setup" for event in server.record()) == 1

    await page.get_by_test_id("end").click()
    await expect(page.locator("body")).to_have_attribute("data-state", "ended")
    await becomes_free(server, within_s=10)
    await page.reload()
    await expect(page.locator("body")).to_have_attribute("data-state", "idle")


@pytest.fixture
def place(tmp_path_factory):
    """A server behind a relay that can be stopped."""
    with relayed(tmp_path_factory.mktemp("relayed")) as place:
        yield place


def asks_for_another_connection(request) -> bool:
    return request.url.endswith("/api/offer") and '"restart_pc":true' in (request.post_data or "")


@pytest.mark.parametrize("is_long", [False, True], ids=["soon", "after connections were given up"])
async def test_a_conversation_goes_on_when_a_network_that_was_cut_is_back(
    browser, place, problems, is_long
):
    async with opened(browser, place.server.url, problems=problems) as page:
        await page.add_init_script(RELAY_ONLY)
        await page.reload()
        await connect(page)
        await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
        await type_in(page, "remember that the sea is calm")
        kept = turns(page, "bot").filter(has_text="I will remember")
        await expect(kept).to_have_count(1, timeout=20_000)
        body = page.locator("body")
        try:
            place.stop_relay()
            if is_long:
                async with page.expect_request(asks_for_another_connection, timeout=40_000):
                    pass
            await expect(body).to_have_attribute("data-reconnecting", "true", timeout=20_000)
        finally:
            place.mend()
        await expect(body).to_have_attribute("data-reconnecting", "false", timeout=30_000)
        ear = await Ear.at(page)
        await type_in(page, "What did I tell you?")
        told = turns(page, "bot").filter(has_text="You told me: the sea is calm")
        await expect(told).to_have_count(1, timeout=20_000)
        await ear.hears_voice(seconds=1)
        assert sum(event["event"] == "setup" for event in place.server.record()) == 1
    assert problems == []


async def test_a_muted_microphone_is_muted_after_a_refresh(page):
    await connect(page)
    mic = page.get_by_test_id("mic")
    await expect(mic).to_have_attribute("aria-pressed", "true")
    await mic.click()
    await page.reload()
    await is_in_call(page)
    await expect(mic).to_have_attribute("aria-pressed", "false")


def kill(server) -> None:
    """As a machine that runs out of memory would: the server, and what it has forked."""
    for process in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()


OVER = re.compile(r"^The conversation is over: .+\. Start again\.$")
JUST_LEFT = """
const left = sessionStorage["salon.call"];
if (left) {
    const just = {...JSON.parse(left), leftAt: Date.now()};
    sessionStorage["salon.call"] = JSON.stringify(just);
}
"""
"""However long it takes a busy machine to start a server."""


async def is_over(page) -> str:
    """The one sentence that says so; what was said can still be read."""
    told = page.get_by_test_id("alert").get_by_text(OVER)
    await expect(told).to_be_visible(timeout=60_000)
    await expect(turns(page, "bot").first).to_contain_text("understudy")
    return await told.inner_text()


async def test_a_server_that_is_gone_is_told_and_the_page_is_ready_for_it(
    page,
    server,
    problems,
    tmp_path,
):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    kill(server)
    assert "cannot be reached" in await is_over(page)
    with running_server(tmp_path, "--offline", port=server.url.rpartition(":")[2]):
        await connect(page)
        await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    problems.clear()  # the browser complains of requests that failed


async def test_a_refresh_after_a_restart_says_that_the_conversation_is_over(
    page,
    server,
    problems,
    tmp_path,
):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await page.goto("about:blank")
    kill(server)
    with running_server(tmp_path, "--offline", port=server.url.rpartition(":")[2]):
        await page.add_init_script(JUST_LEFT)
        await page.goto(server.url)
        await is_over(page)
        await connect(page)
        await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    problems.clear()  # the browser complains of requests that failed


async def test_a_conversation_that_ended_meanwhile_is_over(page, server, problems):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await page.goto(f"{server.url}/healthz")  # of the same origin, so it sees what was kept
    kept = json.loads(await page.evaluate("sessionStorage['salon.call']"))
    async with http_client(server.url) as http:
        url = f"/sessions/{kept['sessionId']}"
        await http.delete(url)
        assert (await http.get(url, params={"wait_s": 10})).json()["state"] == "ended"
    await page.goto(server.url)
    assert "ended while this page was away" in await is_over(page)
    problems.clear()  # the browser complains of the refused offer

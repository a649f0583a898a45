"""The page of a server that wants a key: it asks for it, calls with it, and keeps it nowhere."""

import pytest
from playwright.async_api import expect

from tests.page.support import connect
from tests.page.test_resume import is_in_call
from tests.support.server import running_server

KEY = "0123456789abcdef-a-key"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keyed")
    with running_server(folder, "--offline", SALON_API_KEYS=f"visitors:{KEY}") as server:
        yield server


async def test_it_asks_for_the_key_and_calls_with_it(page, server):
    await page.get_by_test_id("server-key").fill(KEY)
    await connect(page)
    await page.reload()
    await is_in_call(page)  # it goes on without the key
    await page.get_by_test_id("end").click()
    await page.reload()
    await expect(page.get_by_test_id("server-key")).to_be_visible()
    assert await page.get_by_test_id("server-key").input_value() == ""
    assert KEY not in await kept(page) and KEY not in server.log()


async def test_nothing_of_the_key_is_kept_for_the_page_that_comes_after(page, server):
    await page.get_by_test_id("server-key").fill(KEY)
    await connect(page)
    await page.goto(f"{server.url}/healthz")  # of the same origin, so it sees what was kept
    left = await kept(page)
    assert "sessionId" in left and KEY not in left


async def kept(page) -> str:
    """All that the browser keeps for the page."""
    return await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")

"""The page in each of its states."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from tests.page.servers import SERVERS, Place
from tests.page.states import STATES, State, picture
from tests.page.support import View, opened
from tests.support.chromium import Devices


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pictures come first: a state that passes is still there."""
    items.sort(key=lambda item: item.path.stem == "test_accessibility")


@pytest.fixture(scope="session")
def places(server, tmp_path_factory) -> Iterator[Callable[[str], Place]]:
    """The servers by their names; each is started when it is first asked for."""
    with contextlib.ExitStack() as stack:
        running = {"usual": Place(server=server)}

        def place(name: str) -> Place:
            if name not in running:
                folder = tmp_path_factory.mktemp(name)
                running[name] = stack.enter_context(SERVERS[name](folder))
            return running[name]

        yield place


@pytest.fixture(scope="session", params=STATES, ids=str)
def state(request) -> State:
    """Each of them; pytest runs all tests of a state one after another."""
    return request.param


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reached(state, chromiums, places) -> AsyncIterator[Page]:
    """The page in that state, still and as whoever wants less motion sees it.

    The way to some takes long, so all tests share one visit, and its event loop; they leave the page
    as it is.
    """
    place = places(state.place)
    problems: list[str] = []
    async with async_playwright() as playwright:
        devices = Devices(refused=state.refused, view=picture())
        browser = await playwright.chromium.connect_over_cdp(chromiums(devices))
        view = View(motion="reduce")
        async with opened(browser, place.server.url, view=view, problems=problems) as page:
            try:
                await state.reach(page, place)
                yield page
            finally:
                place.mend()
        await browser.close()
    if not state.complains:
        assert problems == []

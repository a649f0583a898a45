"""The fixtures of the page's tests, for all folders (`tests/conftest.py` takes them in)."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.page.support import DESKTOP, View, opened
from tests.support.chromium import Devices, running_chromium


@pytest.fixture(scope="session")
def chromiums(tmp_path_factory) -> Iterator[Callable[[Devices], str]]:
    """Where the Chromium with a microphone listens; it starts when it is first asked for."""
    with contextlib.ExitStack() as stack:
        running: dict[Devices, str] = {}

        def address(microphone: Devices) -> str:
            if microphone not in running:
                folder = tmp_path_factory.mktemp("chromium")
                running[microphone] = stack.enter_context(running_chromium(folder, microphone))
            return running[microphone]

        yield address


@pytest.fixture
def microphone(request) -> Devices:
    """What the fake microphone says: nothing, or, as a parameter, a sentence."""
    given = getattr(request, "param", "")
    return given if isinstance(given, Devices) else Devices(says=given)


@pytest.fixture
def view(request) -> View:
    """What the page is looked at with: a desktop in light colours, or, as a parameter, another."""
    return getattr(request, "param", DESKTOP)


@pytest.fixture
def problems() -> list[str]:
    """What the browser complains of; a test that provokes something takes it out."""
    return []


@pytest.fixture
async def browser(chromiums, microphone) -> AsyncIterator[Browser]:
    """Chromium; what is opened in a context of its own knows nothing of other tests."""
    address = chromiums(microphone)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(address)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser, server, view, problems) -> AsyncIterator[Page]:
    """The page, open; every request that it makes must stay with its server."""
    async with opened(browser, server.url, view=view, problems=problems) as page:
        yield page
    assert problems == []

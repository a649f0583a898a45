"""A call in the page of another origin, by `<salon-call>`."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.async_api import Frame, Page, expect

from pipeline.settings import ROOT
from tests.page.support import becomes_true, connect, opened, received_audio_energy, turns
from tests.support.server import Server, running_server


def example() -> str:
    """The page that the documentation gives."""
    (page,) = re.findall("```html\n(.*?)```", (ROOT / "docs/embedding.md").read_text(), re.DOTALL)
    return page


@pytest.fixture(scope="module")
def host() -> Iterator[ThreadingHTTPServer]:
    """A server of somebody else's page, which is its attribute `page`."""

    class Host(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"" if self.path == "/favicon.ico" else self.server.page.encode()  # pyright: ignore
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(host, tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    origin = f"http://127.0.0.1:{host.server_port}"
    with running_server(folder, "--offline", SALON_ALLOWED_ORIGINS=origin) as server:
        host.page = example().replace("https://salon.example.com", server.url)
        yield server


def address(host: ThreadingHTTPServer, name: str = "127.0.0.1") -> str:
    return f"http://{name}:{host.server_port}/"


async def framed(page: Page) -> Frame:
    """The page in the frame."""
    handle = await page.locator("salon-call iframe").element_handle()
    frame = await handle.content_frame() if handle else None
    assert frame
    return frame


EVENTS = """
window.states = [];
addEventListener("salon-state", (event) => states.push(event.detail.state));
"""


async def test_a_whole_call_in_the_page_of_another_origin(browser, host, server, problems):
    async with opened(
        browser, "about:blank", problems=problems, also=(address(host), server.url)
    ) as page:
        await page.add_init_script(EVENTS)
        await page.goto(address(host))
        await expect(page.locator("salon-call iframe")).to_be_visible()
        salon = await framed(page)
        await expect(salon.locator("body")).to_have_attribute("data-embed", "1")
        await connect(salon)
        await expect(turns(salon, "bot").first).to_contain_text("understudy", timeout=20_000)
        assert await received_audio_energy(salon) > 0
        await salon.get_by_test_id("end").click()
        await expect(page.locator("output")).to_have_text("ended")
        assert await page.evaluate("states") == ["idle", "connecting", "ready", "ended"]
    assert problems == []


async def test_the_persona_of_the_attribute_is_chosen_and_may_change(
    browser, host, server, problems
):
    async with opened(browser, address(host), problems=problems, also=(server.url,)) as page:
        for name in ("art-critic", "companion"):
            script = f"document.querySelector('salon-call').setAttribute('persona', '{name}')"
            await page.evaluate(script)
            chosen = page.frame_locator("salon-call iframe").locator(f'[value="{name}"]:checked')
            await expect(chosen).to_have_count(1)
    assert problems == []


async def test_another_persona_of_the_attribute_ends_the_call(browser, host, server, problems):
    async with opened(browser, address(host), problems=problems, also=(server.url,)) as page:
        await connect(await framed(page))
        await page.evaluate(
            "document.querySelector('salon-call').setAttribute('persona', 'art-critic')"
        )
        salon = page.frame_locator("salon-call iframe")
        await expect(salon.locator('[value="art-critic"]:checked')).to_be_visible()
        await expect(salon.locator("body")).to_have_attribute("data-state", "idle")
        await expect(page.locator("output")).to_have_text("idle")
    assert problems == []


async def test_a_page_of_an_origin_that_is_not_allowed_is_told_so(browser, host, server, problems):
    url = address(host, "localhost")
    async with opened(
        browser, "about:blank", problems=problems, also=(url, server.url, "chrome")
    ) as page:
        await page.clock.install()
        await page.add_init_script(EVENTS)
        await page.goto(url)
        await becomes_true(page, "document.querySelector('salon-call')?.shadowRoot")
        await page.clock.fast_forward(15_000)
        sentence = page.locator("salon-call").get_by_role("alert")
        await expect(sentence).to_contain_text(f"SALON_ALLOWED_ORIGINS there has {url[:-1]}.")
        await expect(page.locator("salon-call iframe")).to_be_hidden()
        assert await page.evaluate("states") == ["failed"]
    assert problems and all("frame-ancestors" in problem for problem in problems)


@pytest.mark.parametrize("server_attribute", ["", 'server="salon.example.com"'])
async def test_a_server_that_is_missing_or_none_is_told(
    browser, host, server, problems, server_attribute
):
    async with opened(browser, address(host), problems=problems, also=(server.url,)) as page:
        await page.evaluate(
            f"document.body.innerHTML = `<salon-call {server_attribute}></salon-call>`"
        )
        sentence = page.locator("salon-call").get_by_role("alert")
        await expect(sentence).to_contain_text("needs a server")


def test_the_script_is_small(server):
    assert (ROOT / "web/dist/assets/salon-call.js").stat().st_size < 3_000

"""What the page's tests have in common: how it is opened, and what is looked for in it."""

import asyncio
import base64
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal

from pipecat.frames.frames import Frame as PipecatFrame
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from playwright.async_api import Browser, ConsoleMessage, Frame, Locator, Page, expect

from tests.support.server import Server

QUESTION = "Hello, can you hear me well?"


@dataclass(frozen=True, kw_only=True)
class View:
    """What the page is looked at with."""

    device: Literal["desktop", "phone"] = "desktop"
    scheme: Literal["light", "dark"] = "light"
    motion: Literal["no-preference", "reduce"] = "no-preference"
    locale: str = "en-US"

    def options(self) -> dict:
        """Of a browser's context."""
        is_phone = self.device == "phone"
        size = (390, 844) if is_phone else (1280, 800)
        return {
            "viewport": {"width": size[0], "height": size[1]},
            "has_touch": is_phone,
            "is_mobile": is_phone,
            "color_scheme": self.scheme,
            "reduced_motion": self.motion,
            "locale": self.locale,
        }


DESKTOP, PHONE = View(), View(device="phone")
VIEWS = [
    View(device=device, scheme=scheme)
    for device in ("desktop", "phone")
    for scheme in ("light", "dark")
]


@contextlib.asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    *,
    problems: list[str],
    view: View = DESKTOP,
    also: tuple[str, ...] = (),
) -> AsyncIterator[Page]:
    """Open a page as somebody who was never there.

    Args:
        browser: Where.
        url: What.
        problems: Gets what the browser complains of.
        view: What it is looked at with.
        also: Where requests may go, beside where the page is from.
    """
    context = await browser.new_context(**view.options())
    page = await context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.extend(_problem(message)))
    try:
        await page.goto(url)
        yield page
    finally:
        await context.close()
    near = (url, *also, "data:", "blob:")
    assert [one for one in requests if not one.startswith(near)] == []


def _problem(message: ConsoleMessage) -> list[str]:
    where = message.location["url"]
    # Chromium wants an icon for whatever else is opened, a file of JSON too.
    is_one = message.type == "error" and not where.endswith("/favicon.ico")
    return [f"{message.text} ({where})"] if is_one else []


async def look(page: Page, view: View) -> None:
    """Look at an open page with another window, in other colours."""
    options = view.options()
    await page.set_viewport_size(options["viewport"])
    await page.emulate_media(color_scheme=view.scheme)
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")


async def connect(page: Page | Frame) -> None:
    await page.get_by_test_id("connect").click()
    await expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)


async def choose(page: Page, way: str) -> None:
    """Have the next call go this way."""
    await page.get_by_test_id("more").evaluate("details => details.open = true")
    await page.get_by_test_id("transport").select_option(way)


async def type_in(page: Page, text: str) -> None:
    await page.get_by_test_id("text").fill(text)
    await page.get_by_test_id("send").click()


async def becomes_true(page: Page, expression: str, *, within_s: float = 20) -> None:
    """Wait until it is; `wait_for_function` would be stopped by the page's own policy."""
    async with asyncio.timeout(within_s):
        while not await page.evaluate(f"Boolean({expression})"):
            await asyncio.sleep(0.05)


def turns(page: Page | Frame, side: str) -> Locator:
    return page.locator(f'[data-testid="conversation"] [data-side="{side}"]')


async def received_audio_energy(page: Page | Frame) -> float:
    """The energy of what the bot's audio element really plays, measured in the browser."""
    return await page.evaluate(
        """async () => {
            const audio = document.querySelector('[data-testid=bot-audio]');
            const context = new AudioContext();
            const analyser = context.createAnalyser();
            context.createMediaStreamSource(audio.srcObject).connect(analyser);
            const samples = new Float32Array(analyser.fftSize);
            let energy = 0;
            for (let i = 0; i < 200 && energy < 0.001; i++) {
                await new Promise(resolve => setTimeout(resolve, 50));
                analyser.getFloatTimeDomainData(samples);
                energy = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
            }
            await context.close();
            return energy;
        }"""
    )


LISTEN = """() => {
    const audio = document.querySelector('[data-testid=bot-audio]');
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, {fftSize: 1024});
    context.createMediaStreamSource(audio.srcObject).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    globalThis.measured = [];
    setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const energy = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
        measured.push([performance.now() / 1000, energy]);
    }, 15);
}"""
VOICE = 1e-5
"""From which energy on somebody speaks: the bot's has 0.001 and more, a pause between words none."""


class Ear:
    """What has come of the bot's voice since one began to listen, by the page's own clock."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @classmethod
    async def at(cls, page: Page) -> "Ear":
        """Begin to listen in a call."""
        await page.evaluate(LISTEN)
        return cls(page)

    async def energies(self) -> list[tuple[float, float]]:
        """The times, in seconds, with the energy of 21 ms of sound, some 60 a second."""
        return [(at_s, energy) for at_s, energy in await self._page.evaluate("measured")]

    async def now_s(self) -> float:
        return await self._page.evaluate("performance.now() / 1000")

    async def hears_voice(
        self, *, seconds: float, since_s: float = 0, within_s: float = 20
    ) -> None:
        """Wait for so much voice since a time, pauses not counted."""
        loud = f"measured.filter(([at, energy]) => at > {since_s} && energy > {VOICE}).length"
        await becomes_true(self._page, f"{loud} > {seconds / 0.02}", within_s=within_s)

    async def pauses(self, *, since_s: float, until_s: float) -> list[tuple[float, float]]:
        """The silences in that time: when each begins, and how long it is, in seconds."""
        heard = await self.energies()
        loud = [at_s for at_s, energy in heard if since_s <= at_s <= until_s and energy > VOICE]
        return [(one, other - one) for one, other in itertools.pairwise([since_s, *loud, until_s])]


KEEP_SOCKET = """
    globalThis.WebSocket = class extends WebSocket {
        constructor(url, protocols) {
            super(url, protocols);
            if (this.url.includes('/ws-client/')) globalThis.callSocket = this;
        }
    };
"""
TAKE = """(frames) => {
    for (const frame of frames) {
        const bytes = Uint8Array.from(atob(frame), (one) => one.charCodeAt(0));
        const data = callSocket.binaryType === 'blob' ? new Blob([bytes]) : bytes.buffer;
        callSocket.dispatchEvent(new MessageEvent('message', {data}));
    }
}"""


class CallSocket:
    """The page's own WebSocket, in a call that goes over one: nothing is between it and the server."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @classmethod
    async def of(cls, page: Page) -> "CallSocket":
        """Connect a page over it."""
        await page.add_init_script(KEEP_SOCKET)
        await page.reload()
        await choose(page, "websocket")
        await connect(page)
        return cls(page)

    async def take(self, *frames: PipecatFrame) -> None:
        """Have the page take frames as if they had come from the server."""
        serializer = ProtobufFrameSerializer()
        encoded = []
        for frame in frames:
            data = await serializer.serialize(frame)
            assert isinstance(data, bytes)
            encoded.append(base64.b64encode(data).decode())
        await self._page.evaluate(TAKE, encoded)

    async def close(self, code: int) -> None:
        await self._page.evaluate("(code) => callSocket.close(code)", code)


async def eventually(condition: Callable[[], Any], *, within_s: float = 20) -> Any:
    """Wait until something outside of the page is so, and give what it then is."""
    async with asyncio.timeout(within_s):
        while not (found := condition()):
            await asyncio.sleep(0.05)
    return found


async def sees(server: Server, source: str, *, within_s: float = 20) -> None:
    """Wait until the model was shown three frames of a source."""
    before = _shown(server, source)
    async with asyncio.timeout(within_s):
        while _shown(server, source) < before + 3:
            await asyncio.sleep(0.3)


def _shown(server: Server, source: str) -> int:
    return sum(e["event"] == "video" and e["source"] == source for e in server.record())

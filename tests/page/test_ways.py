"""How the page reaches its server where not everything is let through."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from pipecat.frames.frames import InterruptionFrame, OutputAudioRawFrame
from playwright.async_api import Browser, Page, expect

from tests.page.support import (
    QUESTION,
    CallSocket,
    becomes_true,
    choose,
    connect,
    opened,
    received_audio_energy,
    turns,
)
from tests.support.server import Server, running_server
from tests.support.turnserver import SECRET, TurnServer, running_turnserver
from tests.test_first_light import red_picture
from tests.test_turn import own_candidates

LEVEL = "Number(document.querySelector('[data-testid=bot-level]').dataset.level)"


@pytest.fixture(scope="module")
def turn(tmp_path_factory) -> Iterator[TurnServer]:
    with running_turnserver(tmp_path_factory.mktemp("turn")) as turn:
        yield turn


@pytest.fixture(scope="module")
def server(turn, tmp_path_factory) -> Iterator[Server]:
    """The server as a user runs it, with a TURN server, and offering Daily's rooms."""
    with running_server(
        tmp_path_factory.mktemp("server"),
        "--offline",
        SALON_TURN_URLS=f"{turn.url},{turn.url}?transport=tcp",
        SALON_TURN_SECRET=SECRET,
        DAILY_API_KEY="daily-planted-key",
    ) as server:
        yield server


@pytest.fixture
def small_server(tmp_path) -> Iterator[Server]:
    """One with room for a single call."""
    with running_server(tmp_path, "--offline", SALON_MAX_SESSIONS="1") as server:
        yield server


UDP_IS_BLOCKED = """
    globalThis.connections = [];
    globalThis.microphones = 0;
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) => (microphones++, ask(wanted));
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration) {
            const iceServers = (configuration.iceServers ?? []).map((server) => ({
                ...server,
                urls: [server.urls].flat().filter((url) => url.endsWith("?transport=tcp")),
            })).filter(({urls}) => urls.length);
            super({...configuration, iceServers, iceTransportPolicy: "relay"});
            connections.push(this);
        }
    };
"""
"""In a browser: as where a firewall lets no UDP through."""


async def block_udp(page: Page) -> None:
    await page.add_init_script(UDP_IS_BLOCKED)
    await page.reload()


async def test_without_udp_a_call_goes_through_the_relay_over_tcp(page: Page):
    await block_udp(page)
    await connect(page)
    assert await received_audio_energy(page) > 0.001
    assert await own_candidates(page) == ["relay/tcp"]


@pytest.mark.parametrize("microphone", [QUESTION], indirect=True)
async def test_where_nothing_of_webrtc_gets_through_the_call_goes_over_websocket(
    browser: Browser, small_server: Server, problems
):
    async with opened(browser, small_server.url, problems=problems) as page:
        await block_udp(page)
        await page.get_by_test_id("connect").click()
        await expect(page.get_by_test_id("status")).to_have_text(
            "WebRTC is blocked here: trying over WebSocket…", timeout=20_000
        )
        await expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)
        assert await received_audio_energy(page) > 0.001
        await expect(turns(page, "user").first).to_contain_text("of speech", timeout=30_000)
        await expect(turns(page, "bot").nth(1)).to_contain_text("seconds", timeout=20_000)
        assert await page.evaluate("microphones") == 1

        await page.get_by_test_id("text").fill("Which colour is it?")
        await page.set_input_files(
            'input[type="file"]',
            {"name": "red.png", "mimeType": "image/png", "buffer": red_picture()},
        )
        red = turns(page, "bot").filter(has_text="red")
        await expect(red).not_to_have_count(0, timeout=30_000)
    assert problems == []


@pytest.fixture
async def socket(page: Page) -> CallSocket:
    """Of a call that goes over it."""
    return await CallSocket.of(page)


async def test_an_interruption_silences_at_once_what_has_come_over_the_websocket(page, socket):
    await expect(turns(page, "bot").first).to_contain_text("what I see", timeout=20_000)
    hum = (8_000 * np.sin(np.arange(24_000) / 10)).astype(np.int16).tobytes()
    # Seconds: more than the bot would ever have sent ahead.
    await socket.take(*[OutputAudioRawFrame(hum, 24_000, 1)] * 20)
    await becomes_true(page, f"{LEVEL} > 0.5")
    await socket.take(InterruptionFrame())
    await becomes_true(page, f"{LEVEL} < 0.01", within_s=5)


async def test_a_websocket_that_breaks_is_told_with_what_to_do(page, socket, problems):
    await socket.close(code=4000)
    await expect(page.locator("body")).to_have_attribute("data-state", "failed")
    await expect(page.get_by_test_id("alert")).to_contain_text(
        "was lost: check that the server is running and connect again."
    )
    await expect(page.get_by_test_id("connect")).to_be_enabled()
    # Sound that comes while it closes: Pipecat's client says so, and drops it.
    problems[:] = [one for one in problems if not one.startswith("attempt to send to closed")]


async def test_over_a_websocket_the_camera_stays_off_with_a_reason(page, socket):
    await page.get_by_test_id("cam").click()
    await expect(page.get_by_test_id("alert")).to_contain_text("can't be sent over WebSocket")
    assert await page.get_by_test_id("self-view").count() == 0


async def test_nothing_of_daily_is_asked_for_until_it_is_chosen(
    browser: Browser, server: Server, problems
):
    daily = "https://c.daily.co/"
    async with opened(browser, server.url, problems=problems, also=(daily,)) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.route(f"{daily}**", lambda route: route.fulfill(status=404))
        await page.reload()
        await choose(page, "webrtc")
        await connect(page)
        await page.get_by_test_id("end").click()
        of_daily = f"{server.url}/assets/daily"
        assert not [url for url in asked if url.startswith((of_daily, daily))]

        await choose(page, "daily")
        await page.get_by_test_id("connect").click()
        await expect(page.locator("body")).to_have_attribute("data-state", "failed", timeout=30_000)
        await expect(page.get_by_test_id("alert")).to_contain_text(
            "Daily could not be loaded: choose a direct connection"
        )
        assert [url for url in asked if url.startswith(of_daily)]
        assert [url for url in asked if url.startswith(daily)]
        assert asked.count(f"{server.url}/start") == 1  # nobody waits in a room for nobody
    provoked = re.compile(
        "404|daily|sentry", re.IGNORECASE
    )  # Daily's library reports that to Sentry
    assert [problem for problem in problems if not provoked.search(problem)] == []

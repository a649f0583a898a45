"""The page on a line that gets narrow, and wide again: sound first, fewer and smaller frames.

Chromium reaches a real coturn over a relay that carries only so much (`tests/support/narrow.py`).
"""

import asyncio
import re
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.page.support import connect
from tests.support.narrow import NarrowLine, narrow_line
from tests.support.server import Server, running_server
from tests.support.turnserver import SECRET, TurnServer, running_turnserver
from tests.test_turn import reach_only_the_relay

NARROW_BPS = 120_000
"""Of the camera's first frames this line loses half, and of the sound a third."""
SLOW = "The network is slow: fewer frames."

SENT = """async () => {
    const reports = [...(await connections.at(-1).getStats()).values()];
    const of = (type, kind) => reports.find(
        one => one.type === type && one.kind === kind && (kind === 'audio' || one.frameWidth)
    );
    const video = of('outbound-rtp', 'video');
    const audio = of('outbound-rtp', 'audio');
    return video && {
        at_ms: video.timestamp,
        width: video.frameWidth,
        frames: video.framesSent,
        bytes: reports.find(one => one.type === 'transport').bytesSent,
        voice_packets: audio.packetsSent,
        voice_lost: of('remote-inbound-rtp', 'audio')?.packetsLost ?? 0,
    };
}"""
"""What the page has sent so far, once it sends its camera: that, its voice, and all together."""


@pytest.fixture(scope="module")
def turn(tmp_path_factory) -> Iterator[TurnServer]:
    with running_turnserver(tmp_path_factory.mktemp("turn")) as turn:
        yield turn


@pytest.fixture(scope="module")
def server(turn, tmp_path_factory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    with running_server(
        folder, "--offline", SALON_TURN_URLS=turn.url, SALON_TURN_SECRET=SECRET
    ) as server:
        yield server


@pytest.fixture
async def line(turn) -> AsyncIterator[NarrowLine]:
    async with narrow_line(to_port=turn.port) as line:
        yield line


async def sent_in(page: Page, *, seconds: float) -> dict[str, float]:
    """What the page sends in a while, a second where it adds up."""
    while not (before := await page.evaluate(SENT)):
        await asyncio.sleep(0.1)
    await asyncio.sleep(seconds)
    after = await page.evaluate(SENT)
    elapsed_s = (after["at_ms"] - before["at_ms"]) / 1000
    lost = after["voice_lost"] - before["voice_lost"]
    return {
        "width": after["width"],
        "fps": (after["frames"] - before["frames"]) / elapsed_s,
        "bps": (after["bytes"] - before["bytes"]) * 8 / elapsed_s,
        "voice_loss": lost / (after["voice_packets"] - before["voice_packets"]),
    }


async def sends(page: Page, what: Callable[[dict[str, float]], bool], *, within_s: float) -> None:
    """Wait until what the page sends in two seconds is as said."""
    sent: dict[str, float] = {}
    try:
        async with asyncio.timeout(within_s):
            while not what(sent := await sent_in(page, seconds=2)):
                pass
    except TimeoutError:
        raise AssertionError(f"after {within_s} s the page sends {sent}") from None


@pytest.mark.alone
async def test_on_a_narrow_line_video_gives_way_to_the_voice_and_comes_back(page, line, server):
    await reach_only_the_relay(page, urls=f"turn:127.0.0.1:{line.port}")
    await connect(page)
    status = page.get_by_test_id("status")
    await page.get_by_test_id("cam").click()
    await expect(page.get_by_test_id("self-view")).to_be_visible()
    await sends(
        page,
        lambda sent: sent["width"] == 1280 and sent["fps"] > 4 and sent["bps"] > 1.2 * NARROW_BPS,
        within_s=30,
    )
    await expect(status).to_have_text("Ready", timeout=20_000)

    line.bps = NARROW_BPS
    await expect(status).to_have_text(SLOW, timeout=8_000)
    # What had been sent before is still on its way, and its loss not told yet.
    await sends(
        page,
        lambda sent: (
            sent["voice_loss"] == 0
            and sent["width"] <= 640
            and sent["fps"] < 2
            and sent["bps"] < NARROW_BPS
        ),
        within_s=20,
    )

    line.bps = None
    await expect(status).to_have_text("Ready", timeout=60_000)
    await sends(page, lambda sent: sent["fps"] > 4 and sent["width"] == 1280, within_s=20)
    assert reports(server, "relay-udp") > 10 and reports(server, "udp") == 0


def reports(server: Server, path: str) -> float:
    """How often sessions were told how long a round trip takes on a path."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    count = re.search(rf'network_rtt_seconds_count{{path="{path}"}} (\S+)', text)
    return float(count[1]) if count else 0

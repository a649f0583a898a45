"""The page as a person uses it: in Chromium, with a microphone that speaks and a fake camera."""

import asyncio
import re
import wave
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, async_playwright, expect

from pipeline.webrtc_line import CAMERA_BPS
from tests.browser import WHAT_TO_DO, chromium
from tests.support.speech import speech
from tests.test_first_light import red_picture

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--auto-select-desktop-capture-source=Entire screen",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


QUESTION = "Hello, can you hear me well?"


@pytest.fixture
def microphone(request, tmp_path) -> Path:
    """What the fake microphone says, over and over: nothing, or a question between two silences."""
    path = tmp_path / "microphone.wav"
    silence = np.zeros(8 * 48_000, np.int16)
    question = [speech(request.param)] if hasattr(request, "param") else []
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.concatenate([silence, *question, silence]).tobytes())
    return path


@pytest.fixture
async def page(server, microphone):
    """The page, open; every request that it makes must stay with its server."""
    executable = await asyncio.to_thread(chromium)
    assert executable, WHAT_TO_DO
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"],
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        requests: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        await page.goto(server.url)
        yield page
        await browser.close()
    elsewhere = [url for url in requests if not url.startswith((server.url, "data:", "blob:"))]
    assert elsewhere == []
    assert problems == []


async def connect(page: Page) -> None:
    await page.get_by_test_id("connect").click()
    await expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)


def turns(page: Page, side: str):
    return page.locator(f'[data-testid="conversation"] [data-side="{side}"]')


@pytest.mark.parametrize("microphone", [QUESTION], indirect=True)
async def test_a_person_speaks_hears_the_answer_and_reads_both_sides(page):
    await connect(page)
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await expect(turns(page, "user").first).to_contain_text("seconds of speech", timeout=30_000)
    await expect(turns(page, "bot").nth(1)).to_contain_text("seconds", timeout=20_000)
    await page.wait_for_function(
        "Number(document.querySelector('[data-testid=bot-level]').dataset.level) > 0.05",
        timeout=20_000,
    )
    assert await received_audio_energy(page) > 0


async def received_audio_energy(page: Page) -> float:
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


KEEP_CONNECTIONS = """
const Connection = RTCPeerConnection;
window.connections = [];
window.RTCPeerConnection = class extends Connection {
    constructor(...options) { super(...options); window.connections.push(this); }
};
"""
MAY_SEND_BPS = """async () => {
    const reports = await Promise.all(window.connections.map(one => one.getStats()));
    const stats = reports.flatMap(report => [...report.values()]);
    return Math.max(...stats.map(one => one.availableOutgoingBitrate ?? 0));
}"""


async def test_a_browser_sends_no_more_video_than_it_is_asked_for(page):
    await page.add_init_script(KEEP_CONNECTIONS)
    await page.reload()
    await connect(page)
    await page.get_by_test_id("cam").click()
    async with asyncio.timeout(15):
        while await page.evaluate(MAY_SEND_BPS) != CAMERA_BPS:
            await asyncio.sleep(0.2)


async def sees(server, source: str, *, within_s: float = 20) -> None:
    """Wait until the model was shown three frames of a source."""
    before = shown(server, source)
    async with asyncio.timeout(within_s):
        while shown(server, source) < before + 3:
            await asyncio.sleep(0.3)


def shown(server, source: str) -> int:
    return sum(e["event"] == "video" and e["source"] == source for e in server.record())


async def test_the_end_button_ends_the_call(page):
    await connect(page)
    await page.get_by_test_id("end").click()
    await expect(page.locator("body")).to_have_attribute("data-state", re.compile("idle|ended"))
    await expect(page.get_by_test_id("connect")).to_be_enabled()


async def test_a_file_that_is_no_picture_is_refused_in_words(page):
    await connect(page)
    await page.set_input_files(
        'input[type="file"]',
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"these are no pixels"},
    )
    refusal = page.get_by_text("not a JPEG, PNG, WebP or GIF picture")
    await expect(refusal.first).to_be_visible(timeout=20_000)

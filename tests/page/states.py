"""Every state that the page can be in, with the way there: for its pictures and for axe."""

import asyncio
import io
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw
from playwright.async_api import Page, Route, expect

from tests.page.servers import KEY, SHORT_S, Place
from tests.page.support import connect, turns, type_in

Reach = Callable[[Page, Place], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class State:
    """A state of the page.

    Parameters:
        name: Of its pictures.
        text: What a person sees in it.
        reach: Brings the page there from where it was just opened.
        place: Which server it needs: the usual one, or one of `tests/page/servers.py`.
        refused: Whether the browser refuses the microphone.
        complains: Whether the browser's console may complain on the way.
    """

    name: str
    text: str
    reach: Reach
    place: str = "usual"
    refused: bool = False
    complains: bool = False

    def __str__(self) -> str:
        return self.name


def picture() -> bytes:
    """Something to see: hills under a sun."""
    image = Image.new("RGB", (640, 480), "#bcd7ee")
    draw = ImageDraw.Draw(image)
    draw.ellipse((430, 60, 530, 160), fill="#f7d25c")
    draw.ellipse((-200, 260, 420, 700), fill="#4d7f5a")
    draw.ellipse((220, 300, 900, 760), fill="#6a9c6a")
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def plain_picture(colour: str) -> bytes:
    """A JPEG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "JPEG", quality=90)
    return file.getvalue()


async def is_in(page: Page, *phases: str) -> None:
    """Wait until the call has come to one of these phases."""
    pattern = re.compile("|".join(phases))
    await expect(page.locator("body")).to_have_attribute("data-state", pattern, timeout=25_000)


async def press(page: Page, test_id: str) -> None:
    await page.get_by_test_id(test_id).click()


async def lobby(page: Page, place: Place) -> None:
    await expect(page.get_by_test_id("persona").get_by_role("radio").first).to_be_visible()


async def choices(page: Page, place: Place) -> None:
    await lobby(page, place)
    await page.get_by_test_id("more").locator("summary").click()


async def devices(page: Page, place: Place) -> None:
    await lobby(page, place)
    await page.get_by_test_id("devices").locator("summary").click()
    await press(page, "preview-cam")
    await shows_a_video(page)


async def asks_for_key(page: Page, place: Place) -> None:
    await expect(page.get_by_test_id("server-key")).to_be_visible()


async def server_away(page: Page, place: Place) -> None:
    await lobby(page, place)
    await page.context.set_offline(True)
    await press(page, "connect")
    await is_in(page, "failed")


async def server_full(page: Page, place: Place) -> None:
    await page.get_by_test_id("server-key").fill(KEY)
    await press(page, "connect")
    await is_in(page, "failed")


async def microphone_refused(page: Page, place: Place) -> None:
    await connect(page)
    await expect(page.get_by_test_id("alert")).to_contain_text("microphone")
    await greeted(page)


async def connecting(page: Page, place: Place) -> None:
    async def wait(route: Route) -> None:
        await asyncio.Event().wait()  # until the page is closed

    await page.route("**/start", wait)
    await press(page, "connect")
    await is_in(page, "connecting")


async def greeted(page: Page) -> None:
    """Wait until the bot has said its greeting, to the end."""
    await expect(turns(page, "bot").first).to_contain_text("understudy", timeout=20_000)
    await falls_silent(page)


async def falls_silent(page: Page) -> None:
    """Wait until the bot says no more, and its text no longer grows."""
    said = page.get_by_test_id("conversation")
    before = None
    async with asyncio.timeout(30):
        while before != (before := await said.inner_text()):
            await asyncio.sleep(1.5)


async def in_call(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await type_in(page, "good evening")
    await expect(turns(page, "bot").nth(1)).to_contain_text("good evening", timeout=20_000)
    await falls_silent(page)


async def chinese(page: Page, place: Place) -> None:
    await lobby(page, place)
    await page.get_by_test_id("page-language").select_option("zh")
    await expect(page.locator("html")).to_have_attribute("lang", "zh")


async def chinese_call(page: Page, place: Place) -> None:
    await chinese(page, place)
    await connect(page)
    await greeted(page)
    await type_in(page, "晚上好")
    await expect(turns(page, "bot").nth(1)).to_contain_text("晚上好", timeout=20_000)
    await falls_silent(page)


async def interrupted(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await type_in(page, "count to 60")
    await expect(turns(page, "bot").nth(1)).to_contain_text("9, 10,", timeout=20_000)
    await type_in(page, "the sea is calm")
    await expect(page.locator(".not-heard")).to_have_count(1, timeout=20_000)
    await expect(turns(page, "bot").nth(2)).to_contain_text("calm", timeout=20_000)
    await falls_silent(page)


async def sources(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await type_in(page, "get_weather for Oslo")
    await expect(turns(page, "bot").last).to_contain_text("degrees 5", timeout=20_000)
    await type_in(page, "search for tea in London")
    await expect(page.locator(".sources a")).to_have_count(2, timeout=20_000)
    await falls_silent(page)


async def keypad(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await press(page, "keypad")
    await expect(page.get_by_test_id("key-5")).to_be_visible()


async def push_to_talk(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await press(page, "push-to-talk")
    await expect(page.get_by_test_id("hold")).to_be_visible()


async def shows_a_video(page: Page, count: int = 1) -> None:
    playing = "[...document.querySelectorAll('video')].filter((v) => v.videoWidth > 0).length"
    async with asyncio.timeout(20):
        while await page.evaluate(playing) < count:
            await asyncio.sleep(0.1)


async def camera_and_screen(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await press(page, "cam")
    await shows_a_video(page)
    await press(page, "screen")
    await shows_a_video(page, 2)
    await expect(page.get_by_test_id("looking").first).to_be_visible(timeout=20_000)


async def picture_seen(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await page.get_by_test_id("text").fill("Which colours are in it?")
    await show_a_file(page, "hills.jpg", picture())
    await expect(page.locator('[data-picture="seen"]')).to_have_count(1, timeout=20_000)
    await expect(turns(page, "bot").nth(1)).not_to_be_empty(timeout=20_000)
    await falls_silent(page)


async def picture_refused(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await show_a_file(page, "notes.png", b"these are no pixels")
    await expect(page.locator('[data-picture="refused"]')).to_have_count(1, timeout=20_000)


async def show_a_file(page: Page, name: str, data: bytes) -> None:
    kind = "image/jpeg" if name.endswith(".jpg") else "image/png"
    file = {"name": name, "mimeType": kind, "buffer": data}
    await page.locator('input[type="file"]').set_input_files(file)  # pyright: ignore


RELAY_ONLY = """
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration) { super({...configuration, iceTransportPolicy: "relay"}); }
    };
"""


async def reconnecting(page: Page, place: Place) -> None:
    await page.add_init_script(RELAY_ONLY)
    await page.reload()
    await connect(page)
    await greeted(page)
    place.stop_relay()
    await expect(page.locator("body")).to_have_attribute(
        "data-reconnecting", "true", timeout=20_000
    )


async def link_degraded(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    place.ask("POST", "/faults", {"name": "refuse-503"})
    place.ask("POST", "/faults", {"name": "rst", "moment": {"at": "after-setup", "times": "once"}})
    await expect(page.get_by_test_id("status")).to_contain_text(
        "The model can't be reached", timeout=20_000
    )


async def time_nearly_over(page: Page, place: Place) -> None:
    await connect(page)
    await greeted(page)
    await expect(page.get_by_test_id("alert")).not_to_be_empty(timeout=(SHORT_S + 10) * 1000)


async def time_over(page: Page, place: Place) -> None:
    await connect(page)
    await is_in(page, "ended")


async def ended(page: Page, place: Place) -> None:
    await in_call(page, place)
    await press(page, "end")
    await is_in(page, "ended")


STATES = [
    State(name="lobby", text="Before the call", reach=lobby),
    State(name="lobby-chinese", text="Before the call, in Chinese", reach=chinese),
    State(name="choices", text="More choices", reach=choices),
    State(name="devices", text="The devices are tried", reach=devices),
    State(name="key", text="A server that wants a key", reach=asks_for_key, place="full"),
    State(name="server-away", text="The server is away", reach=server_away, complains=True),
    State(
        name="server-full",
        text="All places of the server are taken",
        reach=server_full,
        place="full",
        complains=True,
    ),
    State(name="connecting", text="Connecting", reach=connecting),
    State(
        name="microphone-refused",
        text="The browser refuses the microphone",
        reach=microphone_refused,
        refused=True,
    ),
    State(name="in-call", text="In the call", reach=in_call),
    State(name="in-call-chinese", text="In the call, in Chinese", reach=chinese_call),
    State(name="interrupted", text="The user broke in", reach=interrupted),
    State(
        name="sources", text="A tool was used, and sources named", reach=sources, place="equipped"
    ),
    State(
        name="push-to-talk", text="The microphone is on while a button is held", reach=push_to_talk
    ),
    State(name="keypad", text="The keypad is open", reach=keypad),
    State(name="camera-and-screen", text="Camera and screen are shown", reach=camera_and_screen),
    State(name="picture-seen", text="The model has seen a picture", reach=picture_seen),
    State(
        name="picture-refused",
        text="A file is no picture",
        reach=picture_refused,
        complains=True,
    ),
    State(
        name="reconnecting",
        text="The line to the server is interrupted",
        reach=reconnecting,
        place="relayed",
    ),
    State(
        name="link-degraded",
        text="The server does not reach the model",
        reach=link_degraded,
        place="breakable",
    ),
    State(
        name="time-nearly-over", text="The call is over soon", reach=time_nearly_over, place="short"
    ),
    State(name="time-over", text="The time of the call is up", reach=time_over, place="short"),
    State(name="ended", text="The call was ended", reach=ended),
]
"""Where one is needed for two of them, a server is started once."""

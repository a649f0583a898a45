"""What is done by hand in a call: the microphone is opened while a button is held, keys are pressed."""

import pytest
from playwright.async_api import expect

from tests.page.support import QUESTION, connect, eventually
from tests.support.chromium import Devices
from tests.support.server import Server

SILENCE_DBFS = -80


class Heard:
    """What the model has heard of the microphone, from now on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._since = len(server.record())

    def levels(self) -> list[float]:
        """In dBFS, of each piece of sound."""
        pieces = self._server.record()[self._since :]
        return [event["dbfs"] for event in pieces if event["event"] == "audio"]

    async def is_sound(self) -> None:
        """Wait until there is something to hear."""
        await eventually(lambda: max(self.levels(), default=SILENCE_DBFS) > -40)

    async def is_silence(self, *, pieces: int) -> None:
        """Wait until there was nothing to hear for so long."""

        def is_silent() -> bool:
            last = self.levels()[-pieces:]
            return len(last) == pieces and max(last) < SILENCE_DBFS

        await eventually(is_silent)


@pytest.mark.parametrize("microphone", [Devices(says=QUESTION, pause_s=0)], indirect=True)
async def test_with_push_to_talk_one_is_heard_only_while_the_button_or_the_space_bar_is_held(
    page, server
):
    await connect(page)
    await Heard(server).is_sound()
    await page.get_by_test_id("push-to-talk").click()
    await Heard(server).is_silence(pieces=30)

    button = page.get_by_test_id("hold")
    await button.hover()
    await page.mouse.down()
    await Heard(server).is_sound()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await page.mouse.up()
    await Heard(server).is_silence(pieces=15)

    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.down("Space")
    await Heard(server).is_sound()
    await page.keyboard.up("Space")
    await Heard(server).is_silence(pieces=15)

    await page.get_by_test_id("push-to-talk").click()
    await Heard(server).is_sound()


async def test_keys_of_the_keypad_arrive(page, server):
    await connect(page)
    await page.get_by_test_id("keypad").click()
    for key in "42#":
        await page.get_by_test_id(f"key-{key}").click()
    pressed = "(The caller pressed: 4 2 #)"
    await eventually(lambda: pressed in [event.get("text") for event in server.record()])
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("key-4")).to_be_hidden()

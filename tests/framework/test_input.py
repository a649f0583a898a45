"""What the user types and shows, and how the line to the model is made."""

import base64
import io
import ssl
import threading
from typing import Any

from google.genai.types import HttpOptions
from PIL import Image
from pipecat.frames.frames import (
    Frame,
    InputImageRawFrame,
    InputTextRawFrame,
    LLMContextFrame,
    LLMMessagesAppendFrame,
    UserImageRawFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.tests.utils import SleepFrame, run_test

from pipeline.frames import PictureTurnFrame
from pipeline.live_client import shared_ssl_context
from pipeline.live_service import LiveService
from pipeline.picture_decoder import Picture
from processors.frame_rate_limiter import FrameRateLimiter
from processors.text_bridge import TextBridge
from tests.framework.minimal import Make, both, line, ours, pipecats

SIZE = (8, 6)


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", SIZE).save(buffer, "JPEG")
    return buffer.getvalue()


def raw(mode: str = "RGB") -> InputImageRawFrame:
    pixels = Image.new("RGBA", SIZE).convert(mode or "RGB").tobytes()
    return InputImageRawFrame(image=pixels, size=SIZE, format=mode or None)


def shown(make: Make) -> InputImageRawFrame:
    """A frame of the camera as each of the two services gets it."""
    encoded = InputImageRawFrame(image=jpeg(), size=SIZE, format="image/jpeg")
    return raw() if make is pipecats else encoded


async def test_one_frame_a_second_of_all_sources_together():
    async def seen(make: Make) -> int:
        async with line(make, greets=False) as talk:
            await talk.begin()
            for _ in range(3):
                await talk.send(shown(make))
            await talk.happens(lambda: len(talk.events("video")) == 3)
            return len(talk.events("video"))

    assert await both(seen) == (1, 3)


async def test_frames_are_encoded_on_the_event_loop(monkeypatch):
    threads: list[threading.Thread] = []
    save = Image.Image.save

    def spy(*args, **options):
        threads.append(threading.current_thread())
        save(*args, **options)

    async with line(pipecats, greets=False) as talk:
        await talk.begin()
        frame = raw()
        monkeypatch.setattr(Image.Image, "save", spy)
        await talk.send(frame)
        await talk.until(lambda: talk.events("video"))
    assert threads == [threading.main_thread()]


async def test_a_frame_with_transparency_or_without_a_format_is_an_error():
    async with line(pipecats, greets=False) as talk:
        await talk.begin()
        for mode in ("RGBA", ""):
            talk.service._last_sent_time = 0  # not what this is about
            before = len(talk.errors)
            await talk.send(raw(mode))
            await talk.until(lambda before=before: len(talk.errors) > before)
        assert not talk.events("video")

    for mode in ("RGBA", ""):
        shown = [raw(mode), SleepFrame(sleep=0.1)]
        down, _ = await run_test(FrameRateLimiter(), frames_to_send=shown)
        formats = [frame.format for frame in down if isinstance(frame, InputImageRawFrame)]
        assert formats == ["image/jpeg"]


async def test_an_uploaded_picture_is_taken_for_raw_pixels():
    async def seen(make: Make) -> tuple[int, bool]:
        async with line(make, greets=False) as talk:
            await talk.begin()
            await talk.send(upload(make))
            await talk.happens(lambda: talk.events("picture"))
            return len(talk.events("picture")), any("mode" in error for error in talk.errors)

    assert await both(seen) == ((0, True), (1, False))


def upload(make: Make) -> Frame:
    if make is pipecats:
        return UserImageRawFrame(image=jpeg(), size=(0, 0), format="image/jpeg", text="What?")
    picture = Picture(jpeg=jpeg(), width=8, height=6)
    return PictureTurnFrame(picture=picture, caption="What?", filename="a.png")


async def test_a_picture_in_an_appended_message_is_not_sent():
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg()).decode()}"
    picture = {"type": "image_url", "image_url": {"url": url}}
    message: Any = {"role": "user", "content": [{"type": "text", "text": "What?"}, picture]}
    async with line(pipecats, greets=False) as talk:
        await talk.begin()
        before = len(talk.events("content"))
        await talk.send(LLMMessagesAppendFrame(messages=[message], run_llm=True))
        await talk.until(lambda: len(talk.events("content")) > before)
        assert talk.events("content")[-1]["pictures"] == 0
        assert not talk.errors


async def test_typed_text_ends_in_the_context():
    aggregator = LLMContextAggregatorPair(LLMContext()).user()
    typed = LLMMessagesAppendFrame(messages=[{"role": "user", "content": "hello"}], run_llm=True)
    down, _ = await run_test(aggregator, frames_to_send=[typed])
    (after,) = [frame for frame in down if isinstance(frame, LLMContextFrame)]
    typed = RTVISendTextFrame(msg_id="1", text="hello")
    down, _ = await run_test(TextBridge(), frames_to_send=[typed])
    (bridged,) = [frame for frame in down if isinstance(frame, InputTextRawFrame)]

    async with line(pipecats, greets=False) as talk:
        await talk.begin()
        await talk.send(after)
        assert not await talk.happens(lambda: talk.events("text"))
        await talk.send(bridged)
        await talk.until(lambda: talk.events("text"))


# --- the line --------------------------------------------------------------------------------------


async def test_a_pong_is_waited_for_20_s():
    def plain(understudy, **options):
        context = ssl.create_default_context(cafile=understudy.cert_path)
        arguments = {"ssl": context, "verify": context}
        http_options = HttpOptions(
            base_url=understudy.base_url, client_args=arguments, async_client_args=arguments
        )
        return GeminiLiveLLMService(api_key="any", http_options=http_options, **options)

    async def timeout_s(make: Make) -> float:
        async with line(make, greets=False) as talk:
            await talk.begin()
            assert talk.service._session is not None
            return talk.service._session._ws.ping_timeout  # pyright: ignore

    assert await timeout_s(plain) == 20
    assert await timeout_s(ours) == 60


def test_a_client_makes_tls_settings_of_its_own_again_and_again(monkeypatch):
    made = 0
    create = ssl.create_default_context

    def count(*args, **options):
        nonlocal made
        made += 1
        return create(*args, **options)

    shared_ssl_context()
    monkeypatch.setattr(ssl, "create_default_context", count)
    GeminiLiveLLMService(api_key="any")
    assert made >= 3
    made = 0
    LiveService(api_key="any", connect_timeout_s=8)
    assert made == 0, "the shared ones are made already"

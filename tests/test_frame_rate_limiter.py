import asyncio
import io
import threading
import time
from dataclasses import dataclass, field

import pytest
from PIL import Image
from pipecat.frames.frames import (
    InputImageRawFrame,
    MetricsFrame,
    UserImageRawFrame,
    UserImageRequestFrame,
    VADUserStartedSpeakingFrame,
)
from pipecat.pipeline.worker import PipelineParams
from pipecat.processors.frame_processor import FrameDirection
from pipecat.tests.utils import SleepFrame, run_test

from pipeline import pictures
from pipeline.frame_metrics import FrameMetricsData
from pipeline.frames import DecodedFrame, VideoLimitsFrame
from pipeline.video_limits import SourceLimits, VideoLimits
from processors.frame_rate_limiter import FrameRateLimiter


def frame(color: str, source: str | None = "camera") -> UserImageRawFrame:
    image = Image.new("RGB", (64, 48), color)
    made = UserImageRawFrame(image=image.tobytes(), size=image.size, format="RGB")
    made.transport_source = source
    return made


def color_of(jpeg: bytes) -> str:
    red, _, blue = Image.open(io.BytesIO(jpeg)).getpixel((30, 30))  # pyright: ignore
    return "red" if red > blue else "blue"


@dataclass
class Ran:
    """What came out of a limiter."""

    images: list[UserImageRawFrame]
    metrics: list[FrameMetricsData]
    errors: list[str] = field(default_factory=list)

    @property
    def colors(self) -> list[str]:
        return [color_of(image.image) for image in self.images]


async def ran(*sent, **options) -> Ran:
    down, up = await run_test(
        FrameRateLimiter(**options),
        frames_to_send=[*sent, SleepFrame(sleep=0.2)],
        pipeline_params=PipelineParams(enable_metrics=True),
    )
    metrics = [d for f in down if isinstance(f, MetricsFrame) for d in f.data]
    return Ran(
        images=[f for f in down if isinstance(f, UserImageRawFrame)],
        metrics=[d for d in metrics if isinstance(d, FrameMetricsData)],
        errors=[f.error for f in up if hasattr(f, "error")],  # pyright: ignore
    )


async def test_frames_come_out_as_jpeg_and_what_changes_meanwhile_a_second_later():
    sent = [frame("red"), SleepFrame(sleep=0.2), frame("white"), frame("blue")]
    out = await ran(*sent, SleepFrame(sleep=1.0))
    assert [f.format for f in out.images] == ["image/jpeg"] * 2
    assert [f.transport_source for f in out.images] == ["camera"] * 2
    assert out.colors == ["red", "blue"]


async def test_what_has_not_changed_is_not_shown_again():
    sent = [frame("red"), SleepFrame(sleep=0.2)] * 3
    assert len((await ran(*sent, SleepFrame(sleep=0.8))).images) == 1


async def test_of_frames_that_come_while_one_is_looked_at_only_the_last_is_looked_at(monkeypatch):
    looked_at: list[bytes] = []
    is_released = threading.Event()
    real = pictures.Pixels.gist

    def slow(pixels):
        looked_at.append(pixels.data)
        is_released.wait(5)
        return real(pixels)

    monkeypatch.setattr(pictures.Pixels, "gist", slow)

    async def release():
        await asyncio.sleep(0.4)
        is_released.set()

    releasing = asyncio.create_task(release())
    first, *rest = [frame(color) for color in ("red", "white", "green", "blue")]
    await run_test(
        FrameRateLimiter(),
        frames_to_send=[first, SleepFrame(sleep=0.2), *rest, SleepFrame(sleep=0.5)],
    )
    await releasing
    assert looked_at == [first.image, rest[-1].image]


async def test_no_jpeg_is_made_in_the_loops_thread(monkeypatch):
    threads: list[int] = []
    real = pictures.encoded

    def watched(*args, **options):
        threads.append(threading.get_ident())
        return real(*args, **options)

    monkeypatch.setattr(pictures, "encoded", watched)
    await ran(frame("red"), frame("blue", "screenVideo"))
    assert len(threads) == 2 and threading.get_ident() not in threads


async def test_camera_and_screen_are_shown_side_by_side():
    out = await ran(frame("red"), frame("blue", "screenVideo"))
    sources = {f.transport_source: color for f, color in zip(out.images, out.colors, strict=True)}
    assert sources == {"camera": "red", "screenVideo": "blue"}


async def test_pictures_that_the_user_sent_are_never_limited():
    uploads = [
        UserImageRawFrame(image=b"x", size=(1, 1), format="image/png", append_to_context=True)
        for _ in range(5)
    ]
    assert (await ran(*uploads)).images == uploads


def answer(color: str, request: UserImageRequestFrame) -> UserImageRawFrame:
    """As a transport makes it of the next frame after a request."""
    made = frame(color)
    made.user_id, made.request = request.user_id, request
    return made


async def test_each_image_request_is_answered_with_what_the_model_is_shown():
    first, second = (UserImageRequestFrame(user_id=name) for name in ("ann", "bob"))
    sent = [frame("red"), SleepFrame(sleep=0.2), answer("red", first), answer("red", second)]
    out = await ran(*sent, SleepFrame(sleep=1.0), frame("red"), SleepFrame(sleep=1.0))
    assert [f.request for f in out.images] == [None, first, second]
    assert [f.format for f in out.images] == ["image/jpeg"] * 3


@pytest.mark.parametrize(("call_id", "is_turn"), [("call-1", False), (None, True)])
async def test_what_a_function_asks_for_is_seen_as_video_not_as_a_turn(call_id, is_turn):
    request = UserImageRequestFrame(user_id="ann", tool_call_id=call_id)
    asked = answer("red", request)
    asked.append_to_context, asked.text = True, "What is it?"
    (shown,) = (await ran(asked)).images
    assert (shown.format, shown.text) == ("image/jpeg", "What is it?")
    assert shown.append_to_context is is_turn


async def test_whoever_looks_is_shown_a_frame_that_has_not_changed():
    limiter = FrameRateLimiter()

    async def look():
        await asyncio.sleep(0.3)
        limiter.look()

    looking = asyncio.create_task(look())
    sent = [frame("red"), SleepFrame(sleep=0.4), frame("red"), SleepFrame(sleep=1.0)]
    down, _ = await run_test(limiter, frames_to_send=sent)
    await looking
    assert sum(isinstance(f, InputImageRawFrame) for f in down) == 2


async def test_it_knows_when_the_user_speaks():
    limiter = FrameRateLimiter()
    _, up = await run_test(
        limiter,
        frames_to_send=[VADUserStartedSpeakingFrame()],
        frames_to_send_direction=FrameDirection.UPSTREAM,
    )
    assert limiter._schedule._is_speaking
    assert any(isinstance(f, VADUserStartedSpeakingFrame) for f in up)


async def test_nothing_is_shown_while_nothing_goes_out():
    assert not (await ran(frame("red"), pressure=lambda: 1.0)).images


async def test_a_slow_link_gets_smaller_pictures():
    image = Image.effect_noise((800, 600), 60).convert("RGB")
    shown = UserImageRawFrame(image=image.tobytes(), size=image.size, format="RGB")
    fast, slow = [(await ran(shown, pressure=lambda p=p: p)).images[0] for p in (0.0, 0.8)]
    assert (fast.size[0], slow.size[0]) == (768, 384)
    assert len(slow.image) < len(fast.image) / 4


@pytest.mark.parametrize(("link", "line"), [(0.0, 0.8), (0.8, 0.0), (0.4, 0.8)])
async def test_the_slower_of_link_and_callers_line_counts(link, line):
    image = Image.effect_noise((800, 600), 60).convert("RGB")
    pixels = pictures.Pixels(data=image.tobytes(), size=image.size, mode="RGB", source="camera")
    decoded = DecodedFrame(image=b"", size=image.size, format="x", pixels=pixels, pressure=line)
    decoded.transport_source = "camera"
    out = await ran(decoded, pressure=lambda: link)
    assert out.images[0].size[0] == 384
    assert out.metrics[0].pressure == 0.8


async def test_other_limits_hold_from_the_next_frame_on():
    image = Image.new("RGB", (800, 600), "red")
    shown = UserImageRawFrame(image=image.tobytes(), size=image.size, format="RGB")
    limits = VideoLimits(camera=SourceLimits(long_edge_px=200))
    limiter = FrameRateLimiter()
    _, up = await run_test(
        limiter,
        frames_to_send=[VideoLimitsFrame(limits=limits)],
        frames_to_send_direction=FrameDirection.UPSTREAM,
    )
    assert any(isinstance(f, VideoLimitsFrame) for f in up)
    assert (await ran(VideoLimitsFrame(limits=limits), shown)).images[0].size[0] == 200


async def test_its_decisions_are_measured():
    sent = [frame("red"), SleepFrame(sleep=0.2)] * 2
    out = await ran(*sent, frame("blue"), SleepFrame(sleep=1.0))
    first, second = out.metrics
    assert (first.source, first.shown, first.left_out) == ("camera", {"first": 1}, {})
    assert (second.shown, second.left_out) == ({"new": 1}, {"unchanged": 1})
    assert second.jpeg_bytes == len(out.images[1].image)


async def test_a_frame_that_cannot_be_encoded_is_told_and_the_next_one_comes():
    broken = InputImageRawFrame(image=b"too short", size=(64, 48), format="RGB")
    out = await ran(broken, SleepFrame(sleep=0.2), frame("blue", None))
    assert any("could not be encoded" in error for error in out.errors)
    assert out.colors == ["blue"]


@pytest.mark.parametrize("work", ["gist", "encode"])
async def test_its_work_is_done_in_the_threads_for_pictures(monkeypatch, work):
    """A frame that takes half a second to compare or to encode delays nothing else."""
    threads: list[str] = []
    real = getattr(pictures.Pixels, work)

    def slow(*args, **options):
        threads.append(threading.current_thread().name)
        time.sleep(0.5)
        return real(*args, **options)

    monkeypatch.setattr(pictures.Pixels, work, slow)
    gaps: list[float] = []

    async def tick():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - before)

    ticking = asyncio.create_task(tick())
    await run_test(FrameRateLimiter(), frames_to_send=[frame("red"), SleepFrame(sleep=0.8)])
    ticking.cancel()
    assert len(threads) == 1 and threads[0].startswith("pictures")
    assert max(gaps) < 0.4

import asyncio
import io
import random

import pytest
from PIL import Image
from pipecat.frames.frames import InputImageRawFrame, UserImageRawFrame
from pipecat.tests.utils import SleepFrame, run_test

from processors.frame_rate_limiter import FrameRateLimiter, FrameSchedule

# --- the schedule: time goes in, frames come out ---------------------------------------------------


def played(*, rate_fps: float, arrivals: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """When which frame goes through, if `due` is called whenever the schedule asks for it."""
    schedule: FrameSchedule[str] = FrameSchedule(rate_fps=rate_fps)
    passed: list[tuple[float, str]] = []

    def advance(until_s: float) -> None:
        while (due_s := schedule.next_due_s()) is not None and due_s <= until_s:
            at_s = max(due_s, passed[-1][0]) if passed else due_s
            passed.extend((at_s, frame) for frame in schedule.due(now_s=at_s))

    for at_s, frame in arrivals:
        advance(at_s)
        schedule.offer(frame.split("@")[0], frame)
        passed.extend((at_s, passing) for passing in schedule.due(now_s=at_s))
    advance(arrivals[-1][0] + 60)
    return passed


def test_the_first_frame_goes_at_once():
    assert played(rate_fps=1, arrivals=[(7.0, "camera")]) == [(7.0, "camera")]


def test_the_latest_frame_wins_the_slot():
    arrivals = [(0.0, "camera@0"), (0.2, "camera@1"), (0.4, "camera@2"), (0.9, "camera@3")]
    assert played(rate_fps=1, arrivals=arrivals) == [(0.0, "camera@0"), (1.0, "camera@3")]


def test_the_last_state_of_a_screen_that_stands_still_is_shown():
    arrivals = [(0.0, "screenVideo@empty"), (0.1, "screenVideo@full")]
    assert played(rate_fps=1, arrivals=arrivals)[-1] == (1.0, "screenVideo@full")


def test_each_source_has_a_rate_of_its_own():
    arrivals = [(t / 10, source) for t in range(101) for source in ("camera", "screenVideo")]
    passed = played(rate_fps=1, arrivals=arrivals)
    for source in ("camera", "screenVideo"):
        assert sum(frame == source for _, frame in passed) in (11, 12)


@pytest.mark.parametrize("source_fps", [1, 1.3, 2, 5, 15, 30])
@pytest.mark.parametrize("rate_fps", [0.2, 1.0])
def test_the_rate_holds_whatever_the_rhythm_of_the_source(source_fps, rate_fps):
    """Pipecat's two owners of the rate give 0.61 to 0.98 of it."""
    jitter = random.Random(7)
    arrivals = [
        (max(0.0, n / source_fps + jitter.uniform(-0.05, 0.05)), "camera")
        for n in range(int(300 * source_fps))
    ]
    passed = played(rate_fps=rate_fps, arrivals=sorted(arrivals))
    per_second = (len(passed) - 1) / (passed[-1][0] - passed[0][0])
    assert 0.97 * rate_fps <= per_second <= 1.01 * rate_fps


def test_a_source_that_paused_does_not_catch_up():
    arrivals = [(0.0, "camera@0"), (100.0, "camera@1"), (100.1, "camera@2")]
    assert [at_s for at_s, _ in played(rate_fps=1, arrivals=arrivals)] == [0.0, 100.0, 101.0]


# --- the processor ---------------------------------------------------------------------------------


def frame(color: str, source: str = "camera") -> UserImageRawFrame:
    image = Image.new("RGB", (64, 48), color)
    made = UserImageRawFrame(image=image.tobytes(), size=image.size, format="RGB")
    made.transport_source = source
    return made


def color_of(jpeg: bytes) -> str:
    red, _, blue = Image.open(io.BytesIO(jpeg)).getpixel((30, 20))  # pyright: ignore
    return "red" if red > blue else "blue"


async def test_frames_come_out_as_jpeg_at_the_rate_and_the_latest_wins():
    sent = [frame("red"), frame("red"), frame("blue"), SleepFrame(sleep=0.4)]
    down, _ = await run_test(FrameRateLimiter(rate_fps=5), frames_to_send=sent)
    images = [f for f in down if isinstance(f, InputImageRawFrame)]
    assert [f.format for f in images] == ["image/jpeg"] * len(images)
    assert [f.transport_source for f in images] == ["camera"] * len(images)
    assert color_of(images[-1].image) == "blue"
    assert len(images) in (1, 2)  # the three may have come before the first was taken


async def test_pictures_that_the_user_sent_are_never_limited():
    pictures = [
        UserImageRawFrame(image=b"x", size=(1, 1), format="image/png", append_to_context=True)
        for _ in range(5)
    ]
    down, _ = await run_test(FrameRateLimiter(rate_fps=0.1), frames_to_send=pictures)
    assert [f for f in down if isinstance(f, UserImageRawFrame)] == pictures


async def test_a_frame_that_cannot_be_encoded_is_told_and_the_next_one_comes():
    broken = InputImageRawFrame(image=b"too short", size=(64, 48), format="RGB")
    down, up = await run_test(
        FrameRateLimiter(rate_fps=20),
        frames_to_send=[broken, SleepFrame(sleep=0.2), frame("blue"), SleepFrame(sleep=0.2)],
    )
    assert any("could not be encoded" in getattr(f, "error", "") for f in up)
    assert color_of(next(f for f in down if isinstance(f, InputImageRawFrame)).image) == "blue"


async def test_encoding_leaves_the_event_loop_free(monkeypatch):
    """A frame that takes half a second to encode delays nothing else."""
    import time

    from processors import frame_rate_limiter

    real = frame_rate_limiter.encode_frame
    monkeypatch.setattr(
        frame_rate_limiter, "encode_frame", lambda **k: (time.sleep(0.5), real(**k))[1]
    )
    gaps: list[float] = []

    async def tick():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - before)

    ticking = asyncio.create_task(tick())
    await run_test(FrameRateLimiter(), frames_to_send=[frame("red"), SleepFrame(sleep=0.8)])
    ticking.cancel()
    assert max(gaps) < 0.4

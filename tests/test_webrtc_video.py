"""Which frames are converted, and where: by Pipecat, and by what is used instead."""

import asyncio
import io
import threading
from fractions import Fraction

import numpy as np
import pytest
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from PIL import Image
from pipecat.frames.frames import UserImageRawFrame
from pipecat.tests.utils import SleepFrame, run_test
from pipecat.transports.smallwebrtc import transport
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCClient, SmallWebRTCTransport

from pipeline.pictures import Pixels
from pipeline.transports import TRANSPORT_PARAMS, VIDEO_IN_FPS
from pipeline.webrtc_video import DecodedPixels, UnconvertedVideoClient
from processors.frame_rate_limiter import FrameRateLimiter
from tests.support.vp8 import encoded


def yuv(color: str = "red", size: tuple[int, int] = (64, 48)) -> VideoFrame:
    frame = VideoFrame.from_image(Image.new("RGB", size, color)).reformat(format="yuv420p")
    frame.pts, frame.time_base = 0, Fraction(1, 90_000)
    return frame


class Track:
    """Frames that were decoded, then the end."""

    def __init__(self, *frames: VideoFrame | None):
        self.frames = list(frames)

    async def recv(self) -> VideoFrame | None:
        if not self.frames:
            raise MediaStreamError
        return self.frames.pop(0)

    def is_enabled(self) -> bool:
        return True


class Conversions:
    """The threads in which frames were converted, by Pipecat or by us."""

    def __init__(self, patch: pytest.MonkeyPatch):
        self.threads: list[str] = []
        self._watch(patch, SmallWebRTCClient, "_convert_frame")
        self._watch(patch, DecodedPixels, "_reformatted")

    def _watch(self, patch: pytest.MonkeyPatch, owner: type, name: str):
        real = getattr(owner, name)

        def watched(*args):
            self.threads.append(threading.current_thread().name)
            return real(*args)

        patch.setattr(owner, name, watched)


@pytest.fixture
def conversions(monkeypatch) -> Conversions:
    return Conversions(monkeypatch)


async def passed_on(client_class: type, monkeypatch, *, count: int) -> list[UserImageRawFrame]:
    """What the transport pushes of frames that come at once."""
    params = TRANSPORT_PARAMS["webrtc"]()
    monkeypatch.setattr(transport, "SmallWebRTCClient", client_class)
    connection = SmallWebRTCConnection()
    incoming = SmallWebRTCTransport(connection, params).input()
    incoming._client._video_input_track = Track(*[yuv() for _ in range(count)])  # pyright: ignore
    incoming._video_samplers.capture("peer", "camera", VIDEO_IN_FPS)
    pushed: list[UserImageRawFrame] = []

    async def push(frame):
        pushed.append(frame)

    monkeypatch.setattr(incoming, "push_video_frame", push)
    reading = asyncio.create_task(incoming._receive_video("camera"))
    async with asyncio.timeout(5):
        while incoming._client._video_input_track is not None:
            await asyncio.sleep(0.005)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await connection.disconnect()
    return pushed


async def test_pipecat_converts_every_frame_on_the_event_loop(conversions, monkeypatch):
    pushed = await passed_on(SmallWebRTCClient, monkeypatch, count=30)
    assert len(pushed) == 1
    assert conversions.threads == ["MainThread"] * 30


async def test_what_nobody_looks_at_is_not_converted(conversions, monkeypatch):
    pushed, *_ = await passed_on(UnconvertedVideoClient, monkeypatch, count=3)
    assert conversions.threads == []
    assert (pushed.transport_source, pushed.size, pushed.image) == ("camera", (64, 48), b"")


async def test_frames_are_read_at_the_rate_at_which_they_are_looked_at():
    client = UnconvertedVideoClient(SmallWebRTCConnection(), None)  # pyright: ignore
    client._video_input_track = Track(*[yuv() for _ in range(30)])  # pyright: ignore
    read_s: list[float] = []
    now_s = asyncio.get_running_loop().time
    async for _ in client.read_video_frame("camera"):
        read_s.append(now_s())
        if len(read_s) == 4:
            break
    assert read_s[-1] - read_s[0] >= 2.9 / VIDEO_IN_FPS
    await client._webrtc_connection.disconnect()


async def test_an_old_tracks_end_leaves_the_new_connections_track_alone():
    client = UnconvertedVideoClient(SmallWebRTCConnection(), None)  # pyright: ignore
    new = Track(yuv())

    class Old(Track):
        async def recv(self):
            client._video_input_track = new  # pyright: ignore
            raise MediaStreamError

    client._video_input_track = Old()  # pyright: ignore
    assert await client._next_video_frame("camera") is None
    assert client._video_input_track is new
    await client._webrtc_connection.disconnect()


async def test_what_is_shown_is_converted_once_off_the_loop(conversions, monkeypatch):
    (pushed,) = await passed_on(UnconvertedVideoClient, monkeypatch, count=1)
    down, _ = await run_test(FrameRateLimiter(), frames_to_send=[pushed, SleepFrame(sleep=0.2)])
    (shown,) = [frame for frame in down if isinstance(frame, UserImageRawFrame)]
    assert len(conversions.threads) == 2, "one look, one picture"
    assert all(name.startswith("pictures") for name in conversions.threads)
    red, _, blue = Image.open(io.BytesIO(shown.image)).getpixel((30, 30))  # pyright: ignore
    assert shown.format == "image/jpeg" and red > 200 and blue < 50


async def test_a_track_that_is_off_gives_nothing_and_one_that_ends_is_left(monkeypatch):
    client = UnconvertedVideoClient(SmallWebRTCConnection(), None)  # pyright: ignore
    for source in ("camera", "screenVideo"):
        assert await client._next_video_frame(source) is None
    client._video_input_track = Track(None, yuv())  # pyright: ignore
    client._screen_video_track = Track(yuv())  # pyright: ignore
    assert await client._next_video_frame("camera") is None
    assert await client._next_video_frame("camera") is not None
    assert await client._next_video_frame("camera") is None
    assert client._video_input_track is None and client._screen_video_track is not None
    assert await client._next_video_frame("screenVideo") is not None
    assert await client._next_video_frame("screenVideo") is None
    assert client._screen_video_track is None
    await client._webrtc_connection.disconnect()


def test_a_session_over_webrtc_reads_video_so(monkeypatch):
    monkeypatch.setattr(transport, "SmallWebRTCClient", SmallWebRTCClient)
    TRANSPORT_PARAMS["webrtc"]()
    assert transport.SmallWebRTCClient is UnconvertedVideoClient


def test_a_frame_that_waits_is_not_touched_by_the_decoder():
    decoder = Vp8Decoder()
    decoded = [frame for data in encoded(10) for frame in decoder.decode(data)]
    for number, frame in enumerate(decoded):
        assert isinstance(frame, VideoFrame)
        gist = DecodedPixels(frame=frame, source="camera").gist()
        assert gist.shape == (120, 160)
        assert np.argmax(gist[60]) == pytest.approx(number * 10 + 10, abs=10)


@pytest.mark.parametrize("source", ["camera", "screenVideo"])
def test_a_decoded_frame_is_encoded_as_converted_ones_are(source):
    rng = np.random.default_rng(2)
    blocks = rng.integers(0, 255, (9, 16, 3)).astype(np.uint8).repeat(120, 0).repeat(120, 1)
    frame = VideoFrame.from_ndarray(blocks, format="rgb24").reformat(format="yuv420p")
    straight = DecodedPixels(frame=frame, source=source)
    converted = Pixels(data=blocks.tobytes(), size=(1920, 1080), mode="RGB", source=source)
    a, b = (pixels.encode(long_edge_px=960, quality=90) for pixels in (straight, converted))
    assert (a.width, a.height) == (b.width, b.height) == (960, 564)
    one, other = (np.asarray(Image.open(io.BytesIO(p.jpeg)), np.int16) for p in (a, b))
    assert np.median(np.abs(one - other)) < 6
    assert np.median(np.abs(straight.gist() - converted.gist().astype(np.int16))) < 6


def test_a_small_frame_is_not_made_larger():
    picture = DecodedPixels(frame=yuv(), source="else").encode(long_edge_px=768, quality=80)
    assert (picture.width, picture.height) == (64, 48)

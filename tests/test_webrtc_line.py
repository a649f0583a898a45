"""What is asked of senders of video, by aiortc and by us, and that sound goes first on a bad line."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, unpack_remb_fci
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from pipeline import webrtc_line
from pipeline.frames import DecodedFrame
from pipeline.transports import TRANSPORT_PARAMS
from pipeline.webrtc_line import (
    CAMERA_BPS,
    OVERUSED_MS,
    SCREEN_BPS,
    CallersLine,
    ModestEstimator,
)
from tests.support.lossy import lose
from tests.support.media import Camera, Microphone


class Line(CallersLine):
    """A line under as much pressure as a test likes."""

    def __init__(self, pressure: float = 0.0):
        super().__init__(RTCPeerConnection)
        self.now = pressure

    @property
    def pressure(self) -> float:
        return self.now


def reports(
    estimator: RemoteBitrateEstimator,
    *,
    bps: int,
    seconds: float,
    begin_ms: int = 0,
    growing_ms: float = 0.0,
) -> list[tuple[int, int]]:
    """When and what is reported to a sender of so much; each packet may be later than the last."""
    size, told = 1000, []
    every_ms = 8000 * size / bps
    for number in range(round(1000 * seconds / every_ms)):
        sent_ms = begin_ms + number * every_ms
        arrival_ms = round(sent_ms + 10 + number * growing_ms)
        abs_send_time = round(sent_ms * 2**18 / 1000) & 0xFFFFFF
        if report := estimator.add(arrival_ms, abs_send_time, size, 7):
            assert report[1] == [7]
            told.append((arrival_ms - begin_ms, report[0]))
    return told


def test_aiortc_asks_for_more_than_what_comes_and_for_little_where_little_comes():
    lavish = reports(RemoteBitrateEstimator(), bps=2_500_000, seconds=20)
    assert lavish[0][0] > 3000, "it says nothing for three seconds"
    assert lavish[-1][1] > 3_000_000
    quiet = reports(RemoteBitrateEstimator(), bps=40_000, seconds=20)
    assert quiet[-1][1] < 80_000


@pytest.mark.parametrize("bps", [40_000, 2_500_000])
@pytest.mark.parametrize(("source", "most"), [("camera", CAMERA_BPS), ("screenVideo", SCREEN_BPS)])
def test_ours_asks_at_once_for_what_there_is_use_for_whatever_comes(bps, source, most):
    told = reports(ModestEstimator(source, Line()), bps=bps, seconds=20)
    assert told[0][0] < 300
    assert {asked for _, asked in told} == {most}
    assert len(told) > 20, "a report may get lost"


def test_under_pressure_it_asks_for_much_less_at_once():
    line = Line()
    estimator = ModestEstimator("camera", line)
    reports(estimator, bps=CAMERA_BPS, seconds=1)
    asked = []
    for line.now in (0.3, 0.6, 0.9, 0.0):
        ((at_ms, bps), *_) = reports(estimator, bps=CAMERA_BPS, seconds=0.1, begin_ms=1000)
        assert at_ms < 50
        asked.append(bps / CAMERA_BPS)
    assert asked == [0.7, 0.4, 0.2, 1.0]


def test_a_queue_that_grows_on_the_way_counts_for_a_while():
    estimator = ModestEstimator("camera", Line())
    reports(estimator, bps=300_000, seconds=5)
    told = reports(estimator, bps=300_000, seconds=4, begin_ms=5000, growing_ms=4)
    assert estimator._overused_ms > 5000
    assert 0.2 * CAMERA_BPS <= told[-1][1] < 300_000
    later = reports(estimator, bps=300_000, seconds=OVERUSED_MS / 1000 + 5, begin_ms=20_000)
    assert estimator.detector.state() is not BandwidthUsage.OVERUSING
    assert later[-1][1] == CAMERA_BPS


def test_browsers_are_told_what_camera_and_screen_may_send_together():
    line = Line()
    camera, screen = (ModestEstimator(source, line) for source in ("camera", "screenVideo"))
    assert reports(camera, bps=300_000, seconds=1)[-1][1] == CAMERA_BPS
    both = CAMERA_BPS + SCREEN_BPS
    assert reports(screen, bps=300_000, seconds=1, begin_ms=1000)[-1][1] == both
    alone = reports(screen, bps=300_000, seconds=6, begin_ms=2000)
    assert alone[-1][1] == SCREEN_BPS, "the camera has been off for a while"


# --- over real WebRTC -----------------------------------------------------------------------------


@dataclass
class Call:
    """A call with a camera at 15 fps, and what came of it."""

    sound: RTCRtpSender
    video: RTCRtpSender
    frames: list[DecodedFrame] = field(default_factory=list)
    asked_bps: list[int] = field(default_factory=list)
    heard: int = 0

    async def until(self, condition, *, within_s: float = 12) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def call() -> AsyncIterator[Call]:
    params = TRANSPORT_PARAMS["webrtc"]()
    caller, callee = RTCPeerConnection(), SmallWebRTCConnection()
    made = Call(caller.addTrack(Microphone()), caller.addTrack(Camera()))
    handle = made.video._handle_rtcp_packet

    async def watch(packet):
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            made.asked_bps.append(unpack_remb_fci(packet.fci)[0])
        await handle(packet)

    made.video._handle_rtcp_packet = watch
    client = SmallWebRTCTransport(callee, params)._client
    client._params = params

    async def look():
        async for frame in client.read_video_frame("camera"):
            assert isinstance(frame, DecodedFrame)
            made.frames.append(frame)

    async def listen():
        track = callee.audio_input_track()
        while track:
            await track.recv()
            made.heard += 1

    await caller.setLocalDescription(await caller.createOffer())
    await callee.initialize(sdp=caller.localDescription.sdp, type="offer")
    answer = callee.get_answer()
    assert answer
    await caller.setRemoteDescription(RTCSessionDescription(sdp=answer["sdp"], type="answer"))
    reading = [asyncio.create_task(work()) for work in (look, listen)]
    try:
        await callee.connect()
        yield made
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        await caller.close()
        await callee.disconnect()


async def test_on_a_line_that_loses_packets_the_caller_is_asked_for_less_and_sound_goes_on(
    monkeypatch,
):
    monkeypatch.setattr(webrtc_line, "READ_S", 0.5)
    async with call() as made:
        await made.until(lambda: len(made.frames) > 5 and made.asked_bps)
        assert made.asked_bps[-1] == pytest.approx(CAMERA_BPS, rel=0.01)
        assert made.frames[-1].pressure == 0
        lose(made.sound, lambda number: number % 8 == 0)
        await made.until(lambda: made.frames[-1].pressure > 0.75)
        await made.until(lambda: made.asked_bps[-1] <= 0.21 * CAMERA_BPS)
        heard, began_s = made.heard, asyncio.get_running_loop().time()
        await asyncio.sleep(1)
        elapsed_s = asyncio.get_running_loop().time() - began_s
        assert made.heard - heard > 0.9 * elapsed_s / 0.02, "what is lost is made up for"

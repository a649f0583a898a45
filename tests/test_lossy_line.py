"""Over real WebRTC: what one lost packet of sound costs, with Pipecat's track and with ours."""

import asyncio
import contextlib
import fractions
import time

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame
from pipecat.frames.frames import InputAudioRawFrame
from pipecat.transports.smallwebrtc import connection
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection, SmallWebRTCTrack

from pipeline.webrtc_tracks import use_fresh_tracks
from tests.support.lossy import lose
from tests.support.sound import level, samples, tone

EVERY = 20
"""Of these frames one is loud; nothing takes as long as from one to the next."""
LOST = 50
"""Two loud ones before it."""
TICKS = 7


class Ticks(MediaStreamTrack):
    """Sends 20 ms frames in real time, some of them loud, and remembers when."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.sent_s: list[float] = []
        self._number = 0

    async def recv(self) -> AudioFrame:
        if self._number == 0:
            self._began_s = time.monotonic()
        await asyncio.sleep(self._began_s + self._number * 0.02 - time.monotonic())
        is_loud = self._number % EVERY == 0 and self._number >= EVERY
        samples = tone(0.02, 48_000) * is_loud
        frame = AudioFrame.from_ndarray(samples[None, :], layout="mono")
        frame.sample_rate = 48_000
        frame.pts, frame.time_base = self._number * 960, fractions.Fraction(1, 48_000)
        if is_loud:
            self.sent_s.append(time.monotonic())
        self._number += 1
        return frame


async def delays_s() -> list[float]:
    """How long each tick takes from the microphone to who reads Pipecat's track."""
    ticks, delays = Ticks(), []
    caller, callee = RTCPeerConnection(), SmallWebRTCConnection()

    async def listen(track: SmallWebRTCTrack):
        was_loud = False
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame | InputAudioRawFrame)
            is_loud = level(samples(frame)) > 1000
            if is_loud and not was_loud:
                delays.append(time.monotonic() - ticks.sent_s[-1])
            was_loud = is_loud

    sender = caller.addTrack(ticks)
    await caller.setLocalDescription(await caller.createOffer())
    await callee.initialize(sdp=caller.localDescription.sdp, type="offer")
    track = callee.audio_input_track()
    assert track
    listening = asyncio.create_task(listen(track))
    lose(sender, lambda number: number == LOST)
    answer = callee.get_answer()
    assert answer
    await caller.setRemoteDescription(RTCSessionDescription(sdp=answer["sdp"], type="answer"))
    try:
        async with asyncio.timeout(15):
            while len(delays) < TICKS:
                await asyncio.sleep(0.05)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await caller.close()
        await callee.disconnect()
    return delays


async def test_with_pipecats_track_one_lost_packet_delays_the_rest_of_the_call(monkeypatch):
    monkeypatch.setattr(connection, "SmallWebRTCTrack", SmallWebRTCTrack)
    delays = await delays_s()
    assert max(delays[:2]) > 0.08
    assert min(delays[-3:]) > min(delays[:2]) + 0.15


async def test_with_ours_one_lost_packet_delays_nothing_that_follows():
    use_fresh_tracks()
    delays = await delays_s()
    assert min(delays[:2]) < 0.06
    assert min(delays[-3:]) < min(delays[:2]) + 0.03

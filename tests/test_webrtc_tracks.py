"""A receiver that was off: what Pipecat and aiortc do, and what ours does."""

import asyncio

import pytest
from aiortc import RTCRtpReceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.rtp import RtpPacket
from pipecat.transports.smallwebrtc import connection
from pipecat.transports.smallwebrtc.connection import SmallWebRTCTrack

from pipeline.webrtc_tracks import FreshTrack, use_fresh_tracks
from tests.support.line import SilentTransport


@pytest.fixture
async def receiver():
    receiver = RTCRtpReceiver("video", SilentTransport())  # pyright: ignore
    receiver._track = RemoteStreamTrack(kind="video")
    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=96)
    receiver._set_rtcp_ssrc(1)
    await receiver.receive(RTCRtpReceiveParameters(codecs=[codec]))
    yield receiver
    await receiver.stop()


def packet(number: int) -> RtpPacket:
    """One small VP8 frame in one packet."""
    made = RtpPacket(
        payload_type=96, sequence_number=number, timestamp=number * 6000, ssrc=7, marker=1
    )
    made.payload = b"\x10" + bytes(20)
    return made


async def frames_put_together_after_a_pause(receiver, track_class) -> int:
    """How many of ten frames are put together that come after a time of being off."""
    track = track_class(receiver)
    receiver._enabled = True
    await receiver._handle_rtp_packet(packet(0), 0)
    receiver._enabled = False
    for number in range(1, 6):
        await receiver._handle_rtp_packet(packet(number), 0)

    decoded = receiver._RTCRtpReceiver__decoder_queue
    put_together = 0
    put = decoded.put

    def count(item):
        nonlocal put_together
        put_together += item is not None
        put(item)

    decoded.put = count
    reading = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    for number in range(6, 16):
        await receiver._handle_rtp_packet(packet(number), 0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    track.stop()
    return put_together


async def test_pipecats_track_waits_for_what_it_threw_away(receiver):
    assert await frames_put_together_after_a_pause(receiver, SmallWebRTCTrack) == 0


async def test_a_fresh_track_goes_on_at_once_and_asks_for_a_keyframe(receiver):
    assert await frames_put_together_after_a_pause(receiver, FreshTrack) == 9
    assert receiver.transport.asked_for_a_keyframe()


@pytest.mark.parametrize(("track_class", "lost"), [(SmallWebRTCTrack, 5), (FreshTrack, 0)])
async def test_what_pipecat_threw_away_counts_as_lost_and_ours_does_not(
    receiver, track_class, lost
):
    await frames_put_together_after_a_pause(receiver, track_class)
    (stream,) = receiver._RTCRtpReceiver__remote_streams.values()
    assert stream.packets_lost == lost


def test_connections_use_fresh_tracks(monkeypatch):
    monkeypatch.setattr(connection, "SmallWebRTCTrack", SmallWebRTCTrack)
    use_fresh_tracks()
    assert connection.SmallWebRTCTrack is FreshTrack

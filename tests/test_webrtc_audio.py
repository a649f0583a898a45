"""Sound in and out over WebRTC: what aiortc and Pipecat do, and what ours does."""

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription, rtcrtpreceiver
from aiortc.codecs import CODECS
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.rtp import RtpPacket
from av import AudioFrame, Packet
from pipecat.transports.smallwebrtc import transport
from pipecat.transports.smallwebrtc.connection import SmallWebRTCTrack
from pipecat.transports.smallwebrtc.transport import RawAudioTrack

from pipeline.jitter_buffer import LEAST_WAIT_S
from pipeline.opus import OpusDecoder, OpusEncoder
from pipeline.webrtc_audio import (
    IN_RATE_HZ,
    LATE_S,
    ROOM,
    SETTLED,
    SILENCE_S,
    AudioIn,
    AudioOut,
    use_opus,
)
from pipeline.webrtc_tracks import FreshTrack, use_fresh_tracks
from tests.support.line import SilentTransport
from tests.support.sound import level, samples, tone

PIECE = 960  # bytes: 20 ms at 24 kHz
OUT_RATE_HZ = 24_000
_aiortcs = rtcrtpreceiver.decoder_worker, rtcrtpreceiver.queue  # pyright: ignore


def rtp(number: int, payload: bytes) -> RtpPacket:
    packet = RtpPacket(
        payload_type=96, sequence_number=number, timestamp=number * 960, ssrc=7, marker=1
    )
    packet.payload = payload
    return packet


def packets(count: int) -> list[RtpPacket]:
    """A tone from the first packet on."""
    encoder, pcm = OpusEncoder(OUT_RATE_HZ), tone(count * 0.02, OUT_RATE_HZ).tobytes()
    pieces = [pcm[at : at + PIECE] for at in range(0, len(pcm), PIECE)]
    return [rtp(number, encoder.encode(piece)) for number, piece in enumerate(pieces)]


# --- in ----------------------------------------------------------------------------------------------


@pytest.fixture
async def receiver(monkeypatch):
    for name, original in zip(("decoder_worker", "queue"), _aiortcs, strict=True):
        monkeypatch.setattr(rtcrtpreceiver, name, original)
    receiver = RTCRtpReceiver("audio", SilentTransport())  # pyright: ignore
    receiver._track = RemoteStreamTrack(kind="audio")
    codec = RTCRtpCodecParameters(
        mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=96
    )
    await receiver.receive(RTCRtpReceiveParameters(codecs=[codec]))
    yield receiver
    await receiver.stop()


async def heard(receiver: RTCRtpReceiver, track: SmallWebRTCTrack, packets) -> list[Any]:
    """The frames that a reader of the track gets soon after these packets."""
    frames: list[Any] = []

    async def read():
        while True:
            frames.append(await track.recv())  # pyright: ignore

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for packet in packets:
        await receiver._handle_rtp_packet(packet, 0)
    await asyncio.sleep(LEAST_WAIT_S + 0.05)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    track.stop()
    return frames


async def test_aiortcs_receiver_keeps_the_last_four_packets(receiver):
    frames = await heard(receiver, SmallWebRTCTrack(receiver), packets(10))
    assert len(frames) == 6
    assert {(f.sample_rate, f.layout.name) for f in frames} == {(48_000, "stereo")}


async def test_each_packet_is_decoded_when_it_comes(receiver):
    frames = await heard(receiver, FreshTrack(receiver), packets(10))
    assert [frame.pts for frame in frames] == [320 * number for number in range(10)]
    assert {(f.sample_rate, f.num_channels) for f in frames} == {(IN_RATE_HZ, 1)}
    assert level(samples(frames[-1])) == pytest.approx(level(tone(0.02, 16_000)), rel=0.2)


async def test_what_is_lost_is_concealed_and_time_goes_on(receiver):
    sent = packets(20)
    frames = await heard(receiver, FreshTrack(receiver), sent[:10] + sent[12:])
    assert [frame.pts for frame in frames] == [320 * number for number in range(20)]
    assert all(level(samples(frame)) > 1000 for frame in frames[10:12])


async def test_the_last_packet_is_heard_although_the_one_before_was_lost(receiver):
    sent = packets(10)
    frames = await heard(receiver, FreshTrack(receiver), [*sent[:8], sent[9]])
    assert len(frames) == 10


async def test_what_came_while_it_was_off_is_no_hole(receiver):
    sent = packets(100)
    track = FreshTrack(receiver)
    for packet in sent[:50]:
        await receiver._handle_rtp_packet(packet, 0)
    assert len(await heard(receiver, track, sent[50:60])) == 10


async def test_what_still_waits_when_it_is_closed_is_dropped():
    frames: asyncio.Queue = asyncio.Queue()
    audio, sent = AudioIn(frames), packets(3)
    for packet in sent:
        packet._data = packet.payload  # pyright: ignore
    assert audio.add(sent[0]) == (False, None)
    audio.add(sent[2])
    audio.close()
    await asyncio.sleep(2 * LEAST_WAIT_S)
    assert frames.qsize() == 1


# --- out ---------------------------------------------------------------------------------------------


async def test_pipecats_track_gives_10_ms_at_a_time_for_aiortc_to_encode():
    track = RawAudioTrack(OUT_RATE_HZ)
    track.add_audio_bytes(bytes(PIECE))
    frame = await track.recv()
    assert isinstance(frame, AudioFrame) and frame.samples == OUT_RATE_HZ // 100


async def test_speech_goes_out_encoded_20_ms_at_a_time_and_in_time():
    track, decoder = AudioOut(OUT_RATE_HZ), OpusDecoder(OUT_RATE_HZ)
    room = track.add_audio_bytes(tone(0.2, OUT_RATE_HZ).tobytes())
    began_s = time.monotonic()
    packets = []
    for number in range(10):
        assert room.done() == (10 - number <= ROOM)
        packets.append(await track.recv())
        assert time.monotonic() - began_s >= number * 0.02 - 0.002
    assert [packet.pts for packet in packets] == [960 * number for number in range(10)]
    heard = np.frombuffer(b"".join(decoder.decode(bytes(p)) for p in packets), np.int16)
    assert level(heard[2400:]) == pytest.approx(level(tone(0.1, OUT_RATE_HZ)), rel=0.1)


async def test_silence_is_not_encoded_again_and_again():
    track, decoder = AudioOut(OUT_RATE_HZ), OpusDecoder(OUT_RATE_HZ)
    track.add_audio_bytes(tone(0.02, OUT_RATE_HZ).tobytes())
    packets = [bytes(await track.recv()) for _ in range(SETTLED + 4)]
    assert len(set(packets[SETTLED:])) == 1 < len(set(packets[:SETTLED]))
    heard = [decoder.decode(packet) for packet in packets]
    assert level(np.frombuffer(heard[-1], np.int16)) < 10


def at(packet: Packet) -> int:
    """When a packet is to be played, in samples at 48 kHz."""
    assert packet.pts is not None
    return packet.pts


async def settled(track: AudioOut) -> Packet:
    """Its last packet before silence is said more seldom."""
    packets = [await track.recv() for _ in range(SETTLED)]
    return packets[-1]


async def test_silence_that_goes_on_is_said_now_and_then():
    track = AudioOut(OUT_RATE_HZ)
    last = await settled(track)
    before_s = time.monotonic()
    packets = [await track.recv() for _ in range(2)]
    assert time.monotonic() - before_s == pytest.approx(2 * SILENCE_S, abs=0.1)
    steps = np.diff([at(packet) for packet in [last, *packets]]) / 48_000
    assert steps == pytest.approx([SILENCE_S] * 2, abs=0.1)


async def test_speech_after_silence_goes_out_when_it_comes():
    track = AudioOut(OUT_RATE_HZ)
    last = await settled(track)
    before_s = time.monotonic()
    reading = asyncio.create_task(track.recv())
    await asyncio.sleep(0.13)
    track.add_audio_bytes(tone(0.04, OUT_RATE_HZ).tobytes())
    first = await reading
    waited_s = time.monotonic() - before_s
    assert waited_s < 0.2 < SILENCE_S
    assert (at(first) - at(last)) / 48_000 == pytest.approx(waited_s, abs=0.03)
    assert at(await track.recv()) - at(first) == 960


async def test_after_silence_speech_is_heard_from_its_beginning():
    track, decoder = AudioOut(OUT_RATE_HZ), OpusDecoder(OUT_RATE_HZ)
    for _ in range(SETTLED + 2):
        decoder.decode(bytes(await track.recv()))
    track.add_audio_bytes(tone(0.06, OUT_RATE_HZ).tobytes())
    levels = []
    for _ in range(3):
        pcm = decoder.decode(bytes(await track.recv()))
        levels.append(level(np.frombuffer(pcm, np.int16)))
    assert min(levels) > 0.7 * level(tone(0.02, OUT_RATE_HZ))


async def test_speech_that_is_a_little_late_is_not_broken_off():
    track, piece = AudioOut(OUT_RATE_HZ), tone(0.02, OUT_RATE_HZ).tobytes()
    track.add_audio_bytes(piece)
    await track.recv()
    asyncio.get_running_loop().call_later(0.02 + LATE_S / 2, track.add_audio_bytes, piece)
    await track.recv()
    assert track._silent == 0


async def test_the_next_packet_is_not_late_because_one_was():
    track = AudioOut(OUT_RATE_HZ)
    track.add_audio_bytes(tone(0.02, OUT_RATE_HZ).tobytes())
    await track.recv()
    began_s = time.monotonic()
    for _ in range(5):
        await track.recv()
    assert time.monotonic() - began_s < 5 * 0.02 + LATE_S


async def test_speech_is_held_at_once_and_goes_on_where_it_stopped():
    track, decoder = AudioOut(OUT_RATE_HZ), OpusDecoder(OUT_RATE_HZ)
    room = track.add_audio_bytes(tone(0.02 * (ROOM + 2), OUT_RATE_HZ).tobytes())
    await track.recv()
    track.hold(10.0)
    held = [decoder.decode(bytes(await track.recv())) for _ in range(5)]
    assert level(np.frombuffer(held[-1], np.int16)) < 100 and not room.done()
    track.hold(0.0)
    for _ in range(ROOM + 1):
        await track.recv()
    assert room.done() and track._silent == 0


async def test_a_hold_ends_by_itself():
    track = AudioOut(OUT_RATE_HZ)
    await settled(track)
    track.hold(0.1)
    track.add_audio_bytes(tone(0.02, OUT_RATE_HZ).tobytes())
    before_s = time.monotonic()
    await track.recv()
    assert track._silent == 0 and 0.08 < time.monotonic() - before_s < SILENCE_S / 2


async def test_what_is_dropped_makes_room_and_is_not_heard():
    track = AudioOut(OUT_RATE_HZ)
    room = track.add_audio_bytes(tone(0.02 * (ROOM + 1), OUT_RATE_HZ).tobytes())
    track.hold(10.0)
    assert not room.done()
    track.drop()
    assert room.done()
    await track.recv()
    assert track._silent == 1
    track.add_audio_bytes(tone(0.02, OUT_RATE_HZ).tobytes())
    await track.recv()
    assert track._silent == 0


async def test_only_pieces_of_20_ms_are_taken():
    track = AudioOut(OUT_RATE_HZ)
    with pytest.raises(ValueError, match="20 ms"):
        track.add_audio_bytes(bytes(PIECE // 2))
    assert track.add_audio_bytes(b"").done()


# --- put in place ------------------------------------------------------------------------------------


async def test_the_answer_asks_for_opus_with_fec(monkeypatch):
    monkeypatch.setitem(CODECS, "audio", list(CODECS["audio"]))
    monkeypatch.setattr(transport, "RawAudioTrack", RawAudioTrack)
    caller, callee = RTCPeerConnection(), RTCPeerConnection()
    try:
        caller.addTransceiver("audio")
        await caller.setLocalDescription(await caller.createOffer())
        use_opus()
        use_opus()
        await callee.setRemoteDescription(
            RTCSessionDescription(sdp=caller.localDescription.sdp, type="offer")
        )
        answer = (await callee.createAnswer()).sdp
    finally:
        await caller.close()
        await callee.close()
    assert "a=fmtp:96 useinbandfec=1" in answer
    assert answer.count("a=rtpmap:") == 1
    assert transport.RawAudioTrack is AudioOut


def test_connections_send_by_our_track(monkeypatch):
    monkeypatch.setattr(transport, "RawAudioTrack", RawAudioTrack)
    use_fresh_tracks()
    assert transport.RawAudioTrack is AudioOut

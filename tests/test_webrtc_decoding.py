"""Which frames are decoded, when and where, and which get to the event loop: aiortc's way and ours."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCRtpReceiver, rtcrtpreceiver
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from av import AudioFrame

from pipeline.webrtc_decoding import MOST_WAITING, EncodedFrames, decode, use_newest_frames
from pipeline.webrtc_tracks import FreshTrack
from tests.support.line import SilentTransport
from tests.support.vp8 import encoded

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=96)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=97)
COUNT = 12
_aiortcs = rtcrtpreceiver.decoder_worker, rtcrtpreceiver.queue  # pyright: ignore


@contextlib.asynccontextmanager
async def receiving(
    monkeypatch: pytest.MonkeyPatch, *, ours=True, codec=VP8, worker=None
) -> AsyncIterator[RTCRtpReceiver]:
    for name, original in zip(("decoder_worker", "queue"), _aiortcs, strict=True):
        monkeypatch.setattr(rtcrtpreceiver, name, original)
    if ours:
        use_newest_frames()
    elif worker:
        monkeypatch.setattr(rtcrtpreceiver, "decoder_worker", worker)
    kind = codec.mimeType.split("/")[0]
    receiver = RTCRtpReceiver(kind, SilentTransport())  # pyright: ignore
    receiver._track = RemoteStreamTrack(kind=kind)
    await receiver.receive(RTCRtpReceiveParameters(codecs=[codec]))
    try:
        yield receiver
    finally:
        await receiver.stop()


class Decodings:
    """What Vp8Decoder was given, in order, and in which threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.frames: list[bytes] = []
        self.threads: set[int] = set()
        real = Vp8Decoder.decode

        def watched(decoder, frame):
            self.threads.add(threading.get_ident())
            decoded = real(decoder, frame)
            self.frames.append(frame.data)
            return decoded

        monkeypatch.setattr(Vp8Decoder, "decode", watched)

    async def until(self, count: int) -> None:
        """Wait for so many, and for what the decoder's thread has asked of the loop."""
        async with asyncio.timeout(5):
            while len(self.frames) < count:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)


def reading_from(receiver: RTCRtpReceiver) -> FreshTrack:
    """A track that has been read before."""
    track = FreshTrack(receiver)
    receiver._enabled = True
    return track


def put(receiver: RTCRtpReceiver, frames: list[JitterFrame], codec=VP8) -> None:
    for frame in frames:
        receiver._RTCRtpReceiver__decoder_queue.put((codec, frame))  # pyright: ignore


async def test_aiortc_decodes_each_frame_at_once_and_keeps_it_for_whoever_reads(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(monkeypatch, ours=False) as receiver:
        put(receiver, encoded(COUNT))
        await decodings.until(COUNT)
        assert receiver._track and receiver._track._queue.qsize() == COUNT


async def test_nothing_is_decoded_until_somebody_wants_a_frame(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(monkeypatch) as receiver:
        frames, track = encoded(COUNT), reading_from(receiver)
        put(receiver, frames)
        await asyncio.sleep(0.1)
        assert decodings.frames == []
        newest = await asyncio.wait_for(track.recv(), 5)
        assert newest and newest.pts == frames[-1].timestamp
        assert decodings.frames == [frame.data for frame in frames]
        assert len(decodings.threads) == 1
        assert threading.get_ident() not in decodings.threads
        track.stop()


async def test_who_wants_a_frame_when_there_is_none_gets_the_next(monkeypatch):
    async with receiving(monkeypatch) as receiver:
        track, frames = reading_from(receiver), encoded(3)
        put(receiver, frames[:1])
        await track.recv()
        reading = asyncio.create_task(track.recv())
        await asyncio.sleep(0.05)
        assert not reading.done()
        put(receiver, frames[1:2])
        newest = await asyncio.wait_for(reading, 5)
        assert newest and newest.pts == frames[1].timestamp
        put(receiver, frames[2:])
        await asyncio.sleep(0.05)
        assert receiver._track and receiver._track._queue.empty()
        track.stop()


async def test_who_comes_back_does_not_see_what_was_before(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(monkeypatch) as receiver:
        track = FreshTrack(receiver)
        put(receiver, encoded(3))
        reading = asyncio.create_task(track.recv())
        await asyncio.sleep(0.05)
        assert not reading.done()
        put(receiver, encoded(1))
        assert await asyncio.wait_for(reading, 5) is not None
        assert len(decodings.frames) == 1
        track.stop()


async def test_frames_that_nobody_wants_are_decoded_before_there_are_too_many(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(monkeypatch) as receiver:
        put(receiver, (encoded(COUNT) * MOST_WAITING)[:MOST_WAITING])
        await decodings.until(MOST_WAITING)
        assert receiver._track and receiver._track._queue.empty()


async def test_a_frame_that_is_broken_asks_for_a_keyframe_and_the_next_is_decoded(monkeypatch):
    async with receiving(monkeypatch) as receiver:
        track = reading_from(receiver)
        reading = asyncio.create_task(track.recv())
        put(receiver, [JitterFrame(data=b"no frame", timestamp=0)])
        await asyncio.sleep(0.05)
        assert receiver._RTCRtpReceiver__decoder_error.is_set()  # pyright: ignore
        put(receiver, encoded(1))
        assert await asyncio.wait_for(reading, 5) is not None
        track.stop()


async def test_sound_is_handed_over_whole_and_the_end_is_told(monkeypatch):
    encoder, packets = OpusEncoder(), []
    for number in range(5):
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(bytes(1920))
        frame.sample_rate, frame.pts = 48_000, number * 960
        payloads, timestamp = encoder.encode(frame)
        packets += [JitterFrame(data=data, timestamp=timestamp) for data in payloads]
    async with receiving(monkeypatch, codec=OPUS) as receiver:
        assert receiver._track
        put(receiver, packets, OPUS)
        frames = receiver._track._queue
    heard = [frames.get_nowait() async for _ in _as_they_come(frames)]
    assert [type(frame) for frame in heard] == [AudioFrame] * len(packets) + [type(None)]


async def _as_they_come(frames: asyncio.Queue) -> AsyncIterator[None]:
    await asyncio.sleep(0.05)
    while not frames.empty():
        yield


async def test_the_end_is_told_at_once_whatever_waits(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(monkeypatch) as receiver:
        put(receiver, encoded(COUNT))
        assert receiver._track
        frames = receiver._track._queue
    assert await asyncio.wait_for(frames.get(), 5) is None
    assert decodings.frames == []


async def test_a_receiver_that_was_there_before_decodes_as_it_would_have(monkeypatch):
    async with receiving(monkeypatch, ours=False, worker=decode) as receiver:
        put(receiver, encoded(COUNT))
        assert receiver._track
        frames = receiver._track._queue
    assert [await frames.get() is None for _ in range(COUNT + 1)] == [False] * COUNT + [True]


def test_receivers_decode_so(monkeypatch):
    for name, original in zip(("decoder_worker", "queue"), _aiortcs, strict=True):
        monkeypatch.setattr(rtcrtpreceiver, name, original)
    use_newest_frames()
    assert rtcrtpreceiver.decoder_worker is decode
    assert rtcrtpreceiver.queue.Queue is EncodedFrames  # pyright: ignore

"""Which frames are decoded, where, and which of them get to the event loop: aiortc's way and ours."""

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
from pipecat.transports.smallwebrtc.connection import SmallWebRTCTrack

from pipeline.webrtc_decoding import Newest, decode, use_newest_frames
from pipeline.webrtc_tracks import FreshTrack
from tests.support.line import SilentTransport
from tests.support.vp8 import encoded

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=96)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=97)
COUNT = 12
_aiortcs_worker = rtcrtpreceiver.decoder_worker


@contextlib.asynccontextmanager
async def receiving(
    worker, monkeypatch: pytest.MonkeyPatch, *, codec=VP8
) -> AsyncIterator[RTCRtpReceiver]:
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


def put(receiver: RTCRtpReceiver, frames: list[JitterFrame], codec=VP8) -> None:
    for frame in frames:
        receiver._RTCRtpReceiver__decoder_queue.put((codec, frame))  # pyright: ignore


async def test_aiortc_keeps_every_frame_for_whoever_reads(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(_aiortcs_worker, monkeypatch) as receiver:
        put(receiver, encoded(COUNT))
        await decodings.until(COUNT)
        assert receiver._track and receiver._track._queue.qsize() == COUNT


async def test_all_are_decoded_in_order_in_one_thread_though_nobody_reads(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(decode, monkeypatch) as receiver:
        frames = encoded(COUNT)
        put(receiver, frames)
        await decodings.until(COUNT)
        assert decodings.frames == [frame.data for frame in frames]
        assert len(decodings.threads) == 1
        assert threading.get_ident() not in decodings.threads
        assert receiver._track and receiver._track._queue.qsize() == 1


async def test_who_reads_gets_the_newest_then_the_next(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(decode, monkeypatch) as receiver:
        track, frames = FreshTrack(receiver), encoded(COUNT)
        receiver._enabled = True
        put(receiver, frames[:-1])
        await decodings.until(COUNT - 1)
        newest = await track.recv()
        assert newest and newest.pts == frames[-2].timestamp
        reading = asyncio.create_task(track.recv())
        await asyncio.sleep(0.05)
        assert not reading.done()
        put(receiver, frames[-1:])
        newest = await asyncio.wait_for(reading, 5)
        assert newest and newest.pts == frames[-1].timestamp
        track.stop()


async def test_frames_that_nobody_takes_do_not_wake_the_loop(monkeypatch):
    loop, frames = asyncio.get_running_loop(), asyncio.Queue()
    wakes: list[object] = []
    real = loop.call_soon_threadsafe

    def watched(*args):
        wakes.append(args)
        return real(*args)

    monkeypatch.setattr(loop, "call_soon_threadsafe", watched)
    newest = Newest(loop, frames)
    for frame in (one := [AudioFrame() for _ in range(COUNT)]):
        newest.put(frame)
        await asyncio.sleep(0)
    assert len(wakes) == 1
    assert (await frames.get()).take() is one[-1]
    assert newest.take() is None


async def test_after_pipecat_has_emptied_the_queue_the_next_frame_arrives(monkeypatch):
    decodings = Decodings(monkeypatch)
    async with receiving(decode, monkeypatch) as receiver:
        track, frames = SmallWebRTCTrack(receiver), encoded(2)
        put(receiver, frames[:1])
        await decodings.until(1)
        await track.discard_old_frames()
        put(receiver, frames[1:])
        await decodings.until(2)
        assert receiver._track and receiver._track._queue.qsize() == 1


async def test_a_frame_that_is_broken_asks_for_a_keyframe_and_the_next_is_decoded(monkeypatch):
    async with receiving(decode, monkeypatch) as receiver:
        put(receiver, [JitterFrame(data=b"no frame", timestamp=0), *encoded(1)])
        assert receiver._track
        newest = await asyncio.wait_for(receiver._track._queue.get(), 5)
        assert newest.take() is not None
        assert receiver._RTCRtpReceiver__decoder_error.is_set()  # pyright: ignore


async def test_sound_is_handed_over_whole_and_the_end_is_told(monkeypatch):
    encoder, packets = OpusEncoder(), []
    for number in range(5):
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(bytes(1920))
        frame.sample_rate, frame.pts = 48_000, number * 960
        payloads, timestamp = encoder.encode(frame)
        packets += [JitterFrame(data=data, timestamp=timestamp) for data in payloads]
    async with receiving(decode, monkeypatch, codec=OPUS) as receiver:
        assert receiver._track
        put(receiver, packets, OPUS)
        frames = receiver._track._queue
    heard = [frames.get_nowait() async for _ in _as_they_come(frames)]
    assert [type(frame) for frame in heard] == [AudioFrame] * len(packets) + [type(None)]


async def _as_they_come(frames: asyncio.Queue) -> AsyncIterator[None]:
    await asyncio.sleep(0.05)
    while not frames.empty():
        yield


def test_receivers_decode_so(monkeypatch):
    monkeypatch.setattr(rtcrtpreceiver, "decoder_worker", _aiortcs_worker)
    use_newest_frames()
    assert rtcrtpreceiver.decoder_worker is decode

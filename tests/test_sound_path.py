"""Which processors and observers have to do with sound: those that need it."""

import asyncio
from pathlib import Path

from pipecat.clocks.system_clock import SystemClock
from pipecat.frames.frames import (
    AudioRawFrame,
    InputAudioRawFrame,
    StartFrame,
    TextFrame,
    TTSAudioRawFrame,
)
from pipecat.observers.base_observer import BaseObserver, FrameProcessed, FramePushed
from pipecat.pipeline.worker_observer import WorkerObserver
from pipecat.processors.frame_processor import (
    FrameDirection,
    FrameProcessor,
    FrameProcessorSetup,
)
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.transport import (
    SmallWebRTCClient,
    SmallWebRTCOutputTransport,
)
from pipecat.utils.asyncio.task_manager import TaskManager

from pipeline.observing import SparingObserver
from pipeline.wait_for import use_light_wait_for
from pipeline.webrtc_audio import AudioOut, HoldingOutput
from tests.support.conversation import talk

_pipecats_wait_for = asyncio.wait_for


async def test_sound_is_handled_by_those_who_need_it(tmp_path: Path, monkeypatch):
    handled: set[tuple[str, type]] = set()
    process = FrameProcessor.process_frame

    async def noting(self: FrameProcessor, frame, direction):
        if isinstance(frame, AudioRawFrame):
            handled.add((type(self).__name__, type(frame)))
        await process(self, frame, direction)  # pyright: ignore

    monkeypatch.setattr(FrameProcessor, "process_frame", noting)
    async with talk(tmp_path) as conversation:
        await conversation.until(lambda: conversation.events("audio"), within_s=10)
        await conversation.until(lambda: len(conversation.transport.heard) > 10, within_s=10)
    assert {who for who, frame in handled if frame is InputAudioRawFrame} == set()
    assert {who for who, frame in handled if frame is TTSAudioRawFrame} == {
        "Playout",
        "Announcer",
        "_Mouth",
        "SoundEnd",
    }


class Curious(BaseObserver):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.pushed: list[type] = []
        self.processed: list[type] = []

    async def on_push_frame(self, data: FramePushed):
        self.pushed.append(type(data.frame))


class MoreCurious(Curious):
    async def on_process_frame(self, data: FrameProcessed):
        self.processed.append(type(data.frame))


async def told(kind: type[WorkerObserver], observer: Curious) -> tuple[int, Curious]:
    """Tells an observer of sound and of text; returns how much it was told as well."""
    proxy = kind(observers=[observer])
    manager = TaskManager()
    await proxy.setup(manager)
    processor, down = FrameProcessor(), FrameDirection.DOWNSTREAM
    for frame in (InputAudioRawFrame(bytes(640), 16_000, 1), TextFrame("hello")):
        await proxy.on_process_frame(FrameProcessed(processor, frame, down, 0))
        await proxy.on_push_frame(FramePushed(processor, processor, frame, down, 0))
    (queue,) = [proxy.queue for proxy in proxy._proxies.values()]  # pyright: ignore
    waiting = queue.qsize()
    await proxy.cleanup()
    return waiting, observer


async def test_pipecats_observers_are_told_of_each_frame_twice():
    waiting, _ = await told(WorkerObserver, Curious())
    assert waiting == 4


async def test_ours_are_told_of_no_sound_and_only_what_they_look_at():
    waiting, _ = await told(SparingObserver, Curious())
    assert waiting == 1
    waiting, _ = await told(SparingObserver, MoreCurious())
    assert waiting == 3


class _Client(SmallWebRTCClient):
    """Somebody who is connected, and takes sound."""

    def __init__(self, track: AudioOut):
        self._audio_output_track = track  # pyright: ignore

    async def setup(self, *args):  # pyright: ignore
        pass

    connect = disconnect = setup

    def _can_send(self) -> bool:
        return True


async def rounds_to_the_track(kind: type[SmallWebRTCOutputTransport]) -> int:
    """How many rounds of the event loop it takes three pieces of speech to get through an output."""
    track = AudioOut(24_000)
    params = TransportParams(
        audio_out_enabled=True, audio_out_sample_rate=24_000, audio_out_10ms_chunks=2
    )
    output = kind(_Client(track), params)
    manager = TaskManager()
    await output.setup(FrameProcessorSetup(SystemClock(), manager, None))  # pyright: ignore
    await output.queue_frame(StartFrame())
    await asyncio.sleep(0.1)
    for _ in range(3):
        await output.queue_frame(TTSAudioRawFrame(bytes(960), 24_000, 1))
    rounds = 0
    while len(track._pieces) < 3:
        await asyncio.sleep(0)
        rounds += 1
    await output.cleanup()
    return rounds


async def test_speech_takes_few_rounds_of_the_loop_through_the_output(monkeypatch):
    monkeypatch.setattr(asyncio, "wait_for", _pipecats_wait_for)
    pipecats = await rounds_to_the_track(SmallWebRTCOutputTransport)
    use_light_wait_for()
    assert await rounds_to_the_track(HoldingOutput) <= 3 < pipecats

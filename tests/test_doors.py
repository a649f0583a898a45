"""The other ways in: a plain WebSocket, Pipecat's eval harness, and the parameters of each."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from pipecat.evals.scenario import EvalScenarioFile
from pipecat.evals.session import EvalSession
from pipecat.frames.frames import InputAudioRawFrame, OutputAudioRawFrame
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from websockets.asyncio.client import connect

from pipeline.settings import ROOT
from pipeline.transports import TRANSPORT_PARAMS
from tests.support.speech import speech


@pytest.mark.parametrize(
    ("door", "taken"), [("webrtc", {"camera", "screenVideo"}), ("daily", set())]
)
def test_rooms_and_browsers_bring_microphone_camera_and_screen(door, taken):
    """A browser's are taken as they come; of a room's the room chooses whose are."""
    params = TRANSPORT_PARAMS[door]()
    assert params.audio_in_enabled and params.audio_out_enabled and params.video_in_enabled
    assert set(params.video_in_sources) == taken


@pytest.mark.parametrize("door", ["websocket", "eval"])
def test_sockets_bring_sound(door):
    params = TRANSPORT_PARAMS[door]()
    assert params.audio_in_enabled and params.audio_out_enabled and not params.video_in_enabled


@pytest.mark.parametrize("door", list(TRANSPORT_PARAMS))
def test_nothing_is_played_after_the_end(door):
    assert TRANSPORT_PARAMS[door]().audio_out_end_silence_secs == 0


def in_frames(samples: np.ndarray) -> Iterable[bytes]:
    """16 kHz int16 mono in pieces of 20 ms."""
    for start in range(0, len(samples), 320):
        yield samples[start : start + 320].tobytes()


async def test_a_question_over_a_plain_websocket_is_answered_aloud(server):
    serializer = ProtobufFrameSerializer()
    heard: list[tuple[float, float]] = []

    async with connect(server.url.replace("http", "ws") + "/ws-client") as socket:

        async def listen():
            async for data in socket:
                frame = await serializer.deserialize(data)
                if isinstance(frame, InputAudioRawFrame | OutputAudioRawFrame):
                    samples = np.frombuffer(frame.audio, np.int16)
                    heard.append((time.monotonic(), len(samples) / frame.sample_rate))

        async def say(samples: np.ndarray):
            began = time.monotonic()
            for number, audio in enumerate(in_frames(samples)):
                frame = OutputAudioRawFrame(audio=audio, sample_rate=16_000, num_channels=1)
                data = await serializer.serialize(frame)
                assert data
                await socket.send(data)
                await asyncio.sleep(max(0, began + (number + 1) * 0.02 - time.monotonic()))

        listening = asyncio.create_task(listen())
        silence = np.zeros(16_000, np.int16)
        await say(np.tile(silence, 9))  # while the greeting is heard
        assert sum(seconds for _, seconds in heard) > 3
        await say(speech("Hello, can you hear me?")[::3])
        asked_at = time.monotonic()
        await say(np.tile(silence, 5))
        listening.cancel()
    assert sum(seconds for at, seconds in heard if at > asked_at) > 2


@pytest.mark.parametrize("path", sorted((ROOT / "evals").glob("*.yaml")), ids=lambda p: p.stem)
async def test_pipecats_eval_harness_can_talk_with_it(server, path: Path):
    url = server.url.replace("http", "ws") + "/ws"
    for scenario in EvalScenarioFile.load(path):
        result = await EvalSession.from_scenario(scenario, url).run()
        assert result.passed, result

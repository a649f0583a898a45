"""The unmodified google-genai client against the understudy, over TLS, in real time."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.understudy.support import picture, silence, speech
from understudy import Understudy

MODEL = "gemini-3.8-live"
PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
CONFIG = types.LiveConnectConfig(
    response_modalities=[types.Modality.AUDIO],
    input_audio_transcription=types.AudioTranscriptionConfig(),
    output_audio_transcription=types.AudioTranscriptionConfig(),
    session_resumption=types.SessionResumptionConfig(),
)


def trust(understudy: Understudy) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(understudy.cert_path))


def client(understudy: Understudy, key: str = "any") -> genai.Client:
    options = types.HttpOptions(
        base_url=understudy.base_url, async_client_args={"ssl": trust(understudy)}
    )
    return genai.Client(api_key=key, http_options=options)


@contextlib.asynccontextmanager
async def session(
    understudy: Understudy, config: types.LiveConnectConfig = CONFIG, model: str = MODEL
) -> AsyncIterator[AsyncSession]:
    async with client(understudy).aio.live.connect(model=model, config=config) as live:
        yield live


async def speak(live: AsyncSession, samples: np.ndarray) -> None:
    """Sends 20 ms messages in real time."""
    data = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    for start in range(0, len(data), 640):
        blob = types.Blob(data=data[start : start + 640], mime_type="audio/pcm;rate=16000")
        await live.send_realtime_input(audio=blob)
        due_s += 0.02
        await asyncio.sleep(max(0, due_s - loop.time()))


class Turn:
    """What a turn brought."""

    def __init__(self, messages: Sequence[types.LiveServerMessage]) -> None:
        contents = [m.server_content for m in messages if m.server_content]
        self.audio = b"".join(m.data or b"" for m in messages)
        self.said = "".join(
            c.output_transcription.text or "" for c in contents if c.output_transcription
        )
        self.heard = "".join(
            c.input_transcription.text or "" for c in contents if c.input_transcription
        )
        self.interrupted = any(c.interrupted for c in contents)
        self.generated = any(c.generation_complete for c in contents)
        self.usage = next((m.usage_metadata for m in messages if m.usage_metadata), None)
        self.handles = [
            m.session_resumption_update.new_handle for m in messages if m.session_resumption_update
        ]


async def turn(live: AsyncSession) -> Turn:
    """Receives a whole turn, which takes as long as its audio plays."""
    async with asyncio.timeout(15):
        return Turn([message async for message in live.receive()])


async def generation(live: AsyncSession) -> Turn:
    """Receives a turn up to generationComplete, which takes a quarter of that."""
    messages = []
    async with asyncio.timeout(15):
        async for message in live.receive():
            messages.append(message)
            if message.server_content and message.server_content.generation_complete:
                break
    return Turn(messages)


async def next_handle(live: AsyncSession) -> str | None:
    async for message in live.receive():
        if message.session_resumption_update:
            return message.session_resumption_update.new_handle
    raise AssertionError("no handle")


@pytest.fixture
async def understudy(tmp_path: Path) -> AsyncIterator[Understudy]:
    async with Understudy(record_path=tmp_path / "record.jsonl") as running:
        yield running


async def test_a_spoken_conversation_with_an_interruption(understudy):
    async with session(understudy) as live:
        said = np.concatenate([silence(0.3), speech("Hello there."), silence(0.7)])
        microphone = asyncio.create_task(speak(live, said))
        answer = await generation(live)
        await microphone
        assert answer.heard.startswith("[")
        assert answer.said.startswith("You spoke for")
        assert 2 < len(answer.audio) / 48_000 < 6
        assert np.abs(np.frombuffer(answer.audio, np.int16)).max() > 3000

        await live.send_realtime_input(text="count to 60")
        assert (await turn(live)).interrupted  # the playback
        await asyncio.sleep(0.6)
        microphone = asyncio.create_task(speak(live, said))
        cut, answer = await turn(live), await generation(live)
        await microphone
        assert cut.interrupted
        assert not cut.generated
        assert 0.5 < len(cut.audio) / 48_000 < 25
        assert cut.usage
        assert cut.usage.response_token_count == round(len(cut.audio) / 48_000 * 25)
        assert answer.said.startswith("You spoke for")


async def test_typing_a_picture_and_resuming(understudy):
    red = types.Part.from_bytes(data=picture("red", source="upload"), mime_type="image/jpeg")
    question = types.Part(text="what colour is this?")
    async with session(understudy) as live:
        await live.send_realtime_input(
            video=types.Blob(data=picture("green", source="camera"), mime_type="image/jpeg")
        )
        await live.send_client_content(turns=types.Content(role="user", parts=[red, question]))
        answer = await generation(live)
        assert answer.said.startswith("I see the picture you sent, 640 by 480 pixels, mostly red.")
        await live.send_realtime_input(text="thanks")
        assert (await turn(live)).interrupted
        handle = await next_handle(live)

    resumption = types.SessionResumptionConfig(handle=handle)
    config = CONFIG.model_copy(update={"session_resumption": resumption})
    async with session(understudy, config) as live:
        await live.send_realtime_input(text="what do you see?")
        answer = await generation(live)
        assert "The last camera frame has 640 by 480 pixels, mostly green." in answer.said
        assert "mostly red" in answer.said


@pytest.mark.parametrize(
    ("key", "model", "code", "reason"),
    [
        ("invalid-key", MODEL, 1007, "API key not valid. Please pass a valid API key."),
        ("any", "no-such-model", 1008, "models/no-such-model is not found for API version"),
    ],
)
async def test_refusals_reach_the_client_with_code_and_reason(understudy, key, model, code, reason):
    with pytest.raises(errors.APIError) as caught:
        async with client(understudy, key).aio.live.connect(model=model, config=CONFIG):
            raise AssertionError("connected")
    assert caught.value.code == code
    assert reason in str(caught.value)
    await wait_for_event(understudy, "closed")
    assert "invalid-key" not in json.dumps(understudy.records)


async def wait_for_event(understudy: Understudy, event: str) -> dict:
    for _ in range(500):
        if found := [r for r in understudy.records if r["event"] == event]:
            return found[-1]
        await asyncio.sleep(0.01)
    raise AssertionError(f"no {event} within 5 s")


async def test_models_are_listed_for_the_sdk(understudy):
    options = types.HttpOptions(
        base_url=understudy.base_url, client_args={"verify": trust(understudy)}
    )

    def names() -> list[str | None]:
        with genai.Client(api_key="any", http_options=options) as sdk:
            return [model.name for model in sdk.models.list()]

    assert f"models/{MODEL}" in await asyncio.to_thread(names)


async def test_every_event_is_in_the_file_and_in_memory(tmp_path):
    path = tmp_path / "record.jsonl"
    async with Understudy(record_path=path) as understudy:
        async with session(understudy) as live:
            await live.send_realtime_input(text="hi")
            await turn(live)
        closed = await wait_for_event(understudy, "closed")
        records = understudy.records
    assert [json.loads(line) for line in path.read_text().splitlines()] == records
    assert closed["code"] == 1000
    assert [record["event"] for record in records] == [
        "connected",
        "setup",
        "text",
        "answer",
        "audio_out",
        "generation_complete",
        "turn_complete",
        "closed",
    ]
    assert {record["session"] for record in records} == {"s1"}


async def raw(understudy: Understudy, *frames: str | bytes) -> list[str | bytes]:
    url = understudy.base_url.replace("https", "wss") + PATH + "?key=k"
    received = []
    async with connect(url, ssl=trust(understudy), max_size=None) as websocket:
        for frame in frames:
            await websocket.send(frame)
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(5):
                while True:
                    received.append(await websocket.recv())
    return [*received, f"{websocket.close_code} {websocket.close_reason}"]


async def test_server_frames_are_binary_and_nothing_a_client_sends_stops_the_server(understudy):
    setup = json.dumps({"setup": {"model": f"models/{MODEL}"}})
    refused = "1007 Invalid JSON payload received. Unexpected token."
    first, *_, closing = await raw(understudy, setup, "nonsense")
    assert first == b'{\n  "setupComplete": {}\n}'
    assert closing == refused
    assert (await raw(understudy, b"\xff\x00"))[-1] == refused
    long = json.dumps({"realtimeInput": {"text": "x" * 300_000, "nothing": 1}})
    assert "Unknown name" in str((await raw(understudy, setup, long))[-1])
    assert str((await raw(understudy, "x" * 9_000_000))[-1]).startswith("1009")
    async with session(understudy) as live:
        await live.send_realtime_input(text="still there?")
        assert "still there?" in (await generation(live)).said


async def test_a_minute_of_audio_in_one_message(understudy):
    wav = np.concatenate([silence(1), *[speech()] * 20, silence(2)])
    data = (wav * 32767).astype("<i2").tobytes()
    async with session(understudy) as live:
        await live.send_realtime_input(audio=types.Blob(data=data, mime_type="audio/pcm"))
        assert (await generation(live)).said.startswith("You spoke for")


async def test_it_closes_with_sessions_open_and_leaves_nothing_behind():
    async with Understudy() as understudy:
        live = await client(understudy).aio.live.connect(model=MODEL, config=CONFIG).__aenter__()
        await live.send_realtime_input(text="count to 100")
        await wait_for_event(understudy, "answer")
        begun_s = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun_s < 1
    assert not understudy.cert_path.exists()
    with contextlib.suppress(errors.APIError):
        await turn(live)
    await live.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if "understudy" in task.get_name()]


async def test_a_function_is_called_and_its_result_told_through_the_sdk(understudy):
    schema = types.Schema(
        type=types.Type.OBJECT,
        properties={"city": types.Schema(type=types.Type.STRING)},
        required=["city"],
    )
    weather = types.FunctionDeclaration(
        name="get_weather", parameters=schema, behavior=types.Behavior.BLOCKING
    )
    tools = [types.Tool(function_declarations=[weather])]
    async with session(understudy, CONFIG.model_copy(update={"tools": tools})) as live:
        await live.send_realtime_input(text="get_weather for Paris")
        said = ""
        async with asyncio.timeout(15):
            async for message in live.receive():
                for call in message.tool_call.function_calls or () if message.tool_call else ():
                    assert call.args == {"city": "Paris"}
                    result = types.FunctionResponse(
                        id=call.id, name=call.name, response={"result": "rain"}
                    )
                    await live.send_tool_response(function_responses=[result])
                content = message.server_content
                if content and content.output_transcription:
                    said += content.output_transcription.text or ""
        assert said == "get_weather returned rain."


async def test_a_session_remembers_after_go_away_and_resumption():
    async with Understudy(clock_scale=150) as understudy:
        async with session(understudy) as live:
            await live.send_realtime_input(text="remember that my dog is Rex")
            handle, time_left = None, None
            with pytest.raises(errors.APIError, match="1008 None. The operation was aborted."):
                while True:
                    async for message in live.receive():
                        update = message.session_resumption_update
                        if update and update.resumable:
                            handle = update.new_handle
                        if message.go_away:
                            time_left = message.go_away.time_left
            assert time_left == "50s"
        resumption = types.SessionResumptionConfig(handle=handle)
        config = CONFIG.model_copy(update={"session_resumption": resumption})
        async with session(understudy, config) as live:
            await live.send_realtime_input(text="what did I tell you?")
            assert "my dog is Rex" in (await generation(live)).said

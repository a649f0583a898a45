"""google-genai (Python), 2.x and 3.x alike: the Live API through its own client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from google import genai
from google.genai import types
from google.genai.live import AsyncSession

from harness import (
    LONG_REQUEST,
    MODEL,
    QUESTION,
    REMEMBERED,
    TO_REMEMBER,
    TOOL_ARGUMENTS,
    TOOL_DESCRIPTION,
    TOOL_NAME,
    TOOL_REQUEST,
    TOOL_RESULT,
    TOOL_WORDS,
    Seen,
    expect,
    report,
)
from sound import Answer, Microphone

TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name=TOOL_NAME,
            description=TOOL_DESCRIPTION,
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING)},
                required=["city"],
            ),
        )
    ]
)


@contextlib.asynccontextmanager
async def session(
    client: genai.Client | None = None,
    *,
    handle: str | None = None,
    tools: list[types.Tool] | None = None,
) -> AsyncIterator[AsyncSession]:
    """Opens a session; the place and the key are in the environment."""
    config = types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        session_resumption=types.SessionResumptionConfig(handle=handle),
        tools=tools,
    )
    client = client or genai.Client()
    async with client.aio.live.connect(model=MODEL, config=config) as live:
        yield live


async def speak(live: AsyncSession, microphone: Microphone) -> None:
    """Says a sentence in real time."""
    async for piece in microphone.pieces():
        await live.send_realtime_input(
            audio=types.Blob(data=piece, mime_type="audio/pcm;rate=16000")
        )


async def messages(live: AsyncSession) -> AsyncIterator[types.LiveServerMessage]:
    """Yields what comes, turn after turn: the client's own iterator ends with each."""
    while True:
        async for message in live.receive():
            yield message


async def answer(live: AsyncSession) -> Answer:
    """Listens until speech has been generated; a turn that called a function may have none."""
    heard = Answer()
    async for message in messages(live):
        take(message, heard)
        content = message.server_content
        if content and content.generation_complete and heard.audio:
            return heard
    raise AssertionError("the stream ended")


def take(message: types.LiveServerMessage, heard: Answer) -> None:
    """Adds what a message says to an answer."""
    heard.audio += message.data or b""
    content = message.server_content
    if content and content.output_transcription:
        heard.said += content.output_transcription.text or ""


async def check_connect() -> Seen:
    """A session is set up, and closed."""
    async with session():
        return Seen("setupComplete came")


async def check_speech() -> Seen:
    """Speech is heard."""
    microphone = Microphone()
    async with session() as live, asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(live, microphone))
        async for message in messages(live):
            content = message.server_content
            if content and content.input_transcription and content.input_transcription.text:
                return microphone.check_transcript(content.input_transcription.text)
    raise AssertionError("the stream ended")


async def check_answer() -> Seen:
    """Speech is answered."""
    microphone = Microphone()
    async with session() as live, asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(live, microphone))
        return microphone.check_answer(await answer(live))


async def check_interruption() -> Seen:
    """Speaking into a long answer ends it; what comes next answers what was spoken."""
    microphone = Microphone()
    async with session() as live, asyncio.TaskGroup() as tasks:
        await live.send_realtime_input(text=LONG_REQUEST)
        heard = Answer()
        async for message in messages(live):
            if message.data and not heard.audio:
                tasks.create_task(speak(live, microphone))
            take(message, heard)
            content = message.server_content
            expect(not (content and content.generation_complete), "it spoke to the end")
            if content and content.interrupted:
                break
        at_s = asyncio.get_running_loop().time()
        note = microphone.check_interruption(heard, at_s=at_s)
        answered = microphone.check_answer(await answer(live))
        return Seen(f"{note}, then {answered.note}", answered.heard_ms)


async def check_tool() -> Seen:
    """A function is called and its result is told."""
    async with session(tools=[TOOL]) as live:
        await live.send_realtime_input(text=TOOL_REQUEST)
        async for message in messages(live):
            if message.tool_call and message.tool_call.function_calls:
                call = message.tool_call.function_calls[0]
                break
        else:
            raise AssertionError("the stream ended")
        called = f"{call.name}({call.args})"
        expect((call.name, call.args) == (TOOL_NAME, TOOL_ARGUMENTS), f"it called {called}")
        expect(bool(call.id), "the call has no id")
        await live.send_tool_response(
            function_responses=types.FunctionResponse(
                id=call.id, name=call.name, response=TOOL_RESULT
            )
        )
        told = (await answer(live)).check(*TOOL_WORDS)
        return Seen(f"{called}, then {told.note}", told.heard_ms)


async def check_resumption() -> Seen:
    """A second connection with the handle knows what was said in the first."""
    async with session() as live:
        await live.send_realtime_input(text=TO_REMEMBER)
        (await answer(live)).check()
        handle = await handle_after_turn(live)
    async with session(handle=handle) as live:
        await live.send_realtime_input(text=QUESTION)
        return (await answer(live)).check(REMEMBERED)


async def handle_after_turn(live: AsyncSession) -> str:
    """Returns the handle that stands for everything up to the end of the turn."""
    is_over = False
    async for message in messages(live):
        is_over = is_over or bool(message.server_content and message.server_content.turn_complete)
        update = message.session_resumption_update
        if is_over and update and update.resumable and update.new_handle:
            return update.new_handle
    raise AssertionError("the stream ended")


async def check_token() -> Seen:
    """A token that was asked for with the key does in its place."""
    options = types.HttpOptions(api_version="v1alpha")
    minter = genai.Client(http_options=options)
    token = await minter.aio.auth_tokens.create(config=types.CreateAuthTokenConfig(uses=1))
    expect(bool(token.name), "the token has no name")
    client = genai.Client(api_key=token.name, http_options=options)
    async with session(client) as live:
        await live.send_realtime_input(text="Hello.")
        return (await answer(live)).check("hello")


if __name__ == "__main__":
    asyncio.run(
        report(
            {"google-genai": genai.__version__},
            connect=check_connect,
            speak=check_speech,
            be_answered=check_answer,
            be_interrupted=check_interruption,
            call_a_tool=check_tool,
            resume=check_resumption,
            use_a_token=check_token,
        )
    )

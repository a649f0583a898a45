"""LiveKit's Google realtime plugin: its realtime session as LiveKit Agents drives it, no server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from google import genai
from google.genai import types
from livekit import rtc
from livekit.agents import function_tool, llm
from livekit.plugins.google.realtime import RealtimeModel

from harness import (
    INPUT_RATE_HZ,
    MODEL,
    TOOL_DESCRIPTION,
    TOOL_NAME,
    TOOL_RESULT,
    Answer,
    Relay,
    expect,
    microphone,
    report,
    until,
)

_LAST_HANDLE_S = 0.5


class Session:
    """A realtime session and what it has emitted.

    Attributes:
        live: LiveKit's session.
        generations: Answers and calls that have begun, in order.
        transcripts: What the user said, as far as it was understood.
        speech_starts: How often the user began to speak over something.
        failures: What went wrong for good.
    """

    def __init__(self, live: llm.RealtimeSession) -> None:
        self.live = live
        self.generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        self.transcripts: list[str] = []
        self.speech_starts = 0
        self.failures: list[str] = []
        live.on("generation_created", self.generations.put_nowait)
        live.on("input_audio_transcription_completed", self._understood)
        live.on("input_speech_started", self._begun)
        live.on("error", self._failed)

    def _understood(self, event: llm.InputTranscriptionCompleted) -> None:
        self.transcripts.append(event.transcript)

    def _begun(self, _event: llm.InputSpeechStartedEvent) -> None:
        self.speech_starts += 1

    def _failed(self, event: llm.RealtimeModelError) -> None:
        if not event.recoverable:
            self.failures.append(str(event.error))

    async def speak(self) -> None:
        """Says a sentence in real time."""
        async for piece in microphone():
            self.live.push_audio(rtc.AudioFrame(piece, INPUT_RATE_HZ, 1, len(piece) // 2))

    async def ask(self, instructions: str) -> llm.GenerationCreatedEvent:
        """Has the model reply to instructions, LiveKit's way to say something in writing."""
        await self.live.generate_reply(instructions=instructions)
        return await self.generations.get()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits for something; a failure that LiveKit does not mend itself ends the wait."""
        await until(lambda: bool(self.failures) or is_so())
        expect(not self.failures, "; ".join(self.failures))


@contextlib.asynccontextmanager
async def session(
    *,
    api_key: str | None = None,
    api_version: str | None = None,
    base_url: str | None = None,
    tools: list[llm.Tool] | None = None,
) -> AsyncIterator[Session]:
    """Opens a session; the place and the key are in the environment unless given."""
    options: dict[str, object] = {}
    if api_key:
        options["api_key"] = api_key
    if api_version:
        options["api_version"] = api_version
    if base_url:
        options["http_options"] = types.HttpOptions(base_url=base_url)
    live = RealtimeModel(model=MODEL, **options).session()
    try:
        if tools:
            await live.update_tools(tools)
        yield Session(live)
    finally:
        await live.aclose()


async def listen(generation: llm.GenerationCreatedEvent) -> Answer:
    """Hears a generation to its end."""
    heard = Answer()
    async for message in generation.message_stream:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(message, heard))
            async for frame in message.audio_stream:
                heard.audio += frame.data.tobytes()
    return heard


async def _read(message: llm.MessageGeneration, heard: Answer) -> None:
    async for text in message.text_stream:
        heard.said += text


async def check_connect() -> str:
    """A session is set up."""
    async with session() as opened:
        await opened.until(lambda: opened.live.session_resumption_handle is not None)
        return "set up, and a first handle came"


async def check_speech() -> str:
    """Speech is heard."""
    async with session() as opened:
        await opened.speak()
        await opened.until(lambda: bool(opened.transcripts))
        return f"input transcript: {opened.transcripts[-1]}"


async def check_answer() -> str:
    """Speech is answered."""
    async with session() as opened, asyncio.TaskGroup() as tasks:
        tasks.create_task(opened.speak())
        return (await listen(await opened.generations.get())).check(contains="you spoke for")


async def check_interruption() -> str:
    """Speaking into a count to sixty ends it."""
    async with session() as opened, asyncio.TaskGroup() as tasks:
        counting = await opened.ask("count to 60")
        before = opened.speech_starts
        tasks.create_task(opened.speak())
        heard = await listen(counting)
        expect(opened.speech_starts > before, f"all {heard.seconds:.1f} s came, no interruption")
        return f"interrupted after {heard.seconds:.1f} s of audio had come"


async def check_tool() -> str:
    """A function is called and its result is answered."""

    @function_tool(name=TOOL_NAME, description=TOOL_DESCRIPTION)
    async def get_weather(city: str) -> None:
        raise NotImplementedError  # LiveKit's session leaves the calling to an agent: us

    async with session(tools=[get_weather]) as opened:
        generation = await opened.ask(f"Please use {TOOL_NAME}.")
        call = await anext(aiter(generation.function_stream), None)
        if call is None:
            raise AssertionError(f"no call; it said: {(await listen(generation)).said}")
        expect(call.name == TOOL_NAME, f"it called {call.name}")
        context = opened.live.chat_ctx.copy()
        context.items.append(
            llm.FunctionCall(call_id=call.call_id, name=call.name, arguments=call.arguments)
        )
        context.items.append(
            llm.FunctionCallOutput(
                call_id=call.call_id, name=call.name, output=str(TOOL_RESULT), is_error=False
            )
        )
        await opened.live.update_chat_ctx(context)
        while not (heard := await listen(await opened.generations.get())).audio:
            pass  # what was left of the turn that called
        return f"{call.name}({call.arguments}), then {heard.check()}"


async def check_resumption() -> str:
    """A lost connection is opened again, by LiveKit itself, with the handle."""
    async with Relay() as relay, session(base_url=relay.url) as opened:
        await opened.until(lambda: opened.live.session_resumption_handle is not None)
        first = opened.live.session_resumption_handle
        (await listen(await opened.ask("Hello."))).check()
        await opened.until(lambda: opened.live.session_resumption_handle != first)
        # Handles may come while it answers, too; LiveKit does not say which one stands for what.
        await asyncio.sleep(_LAST_HANDLE_S)
        last = opened.live.session_resumption_handle
        relay.cut()
        # A resumed session is told a handle at once: only then is it surely there to be asked.
        await opened.until(lambda: opened.live.session_resumption_handle != last)
        expect(relay.connections > 1, "there was no second connection")
        return (await listen(await opened.ask("What do you remember?"))).check(
            contains="answered you once"
        )


async def check_token() -> str:
    """A token, asked for with google-genai since LiveKit has no call for it, does as the key."""
    minter = genai.Client(http_options=types.HttpOptions(api_version="v1alpha"))
    token = await minter.aio.auth_tokens.create(config=types.CreateAuthTokenConfig(uses=1))
    expect(bool(token.name), "the token has no name")
    async with session(api_key=token.name, api_version="v1alpha") as opened:
        return (await listen(await opened.ask("Hello."))).check(contains="hello")


if __name__ == "__main__":
    asyncio.run(
        report(
            ("livekit-plugins-google", "livekit-agents", "google-genai"),
            connect=check_connect,
            speak=check_speech,
            be_answered=check_answer,
            be_interrupted=check_interruption,
            call_a_tool=check_tool,
            resume=check_resumption,
            use_a_token=check_token,
        )
    )

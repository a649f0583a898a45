"""LiveKit's Google realtime plugin: its realtime session as LiveKit Agents drives it, no server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

from google import genai
from google.genai import types
from livekit import agents, rtc
from livekit.agents import function_tool, llm
from livekit.plugins import google
from livekit.plugins.google.realtime import RealtimeModel

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
    until,
)
from relay import Relay
from sound import INPUT_RATE_HZ, Answer, Microphone


class Session:
    """A realtime session and what it has emitted.

    Attributes:
        live: LiveKit's session.
        generations: Answers and calls that have begun, in order.
        transcripts: What the user said, as far as it was understood.
        speech_starts_s: When the user began to speak over something, by the event loop's clock.
        turn_end_handle: The resumption handle that was known when the last turn ended.
        failures: What went wrong for good.
    """

    def __init__(self, live: llm.RealtimeSession) -> None:
        self.live = live
        self.generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        self.transcripts: list[str] = []
        self.speech_starts_s: list[float] = []
        self.turn_end_handle: str | None = None
        self.failures: list[str] = []
        live.on("generation_created", self.generations.put_nowait)
        live.on("input_audio_transcription_completed", self._understood)
        live.on("input_speech_started", self._begun)
        live.on("input_speech_stopped", self._ended)
        live.on("error", self._failed)

    def _understood(self, event: llm.InputTranscriptionCompleted) -> None:
        self.transcripts.append(event.transcript)

    def _begun(self, _event: llm.InputSpeechStartedEvent) -> None:
        self.speech_starts_s.append(asyncio.get_running_loop().time())

    def _ended(self, _event: llm.InputSpeechStoppedEvent) -> None:
        self.turn_end_handle = self.live.session_resumption_handle

    def _failed(self, event: llm.RealtimeModelError) -> None:
        if not event.recoverable:
            self.failures.append(str(event.error))

    async def speak(self, microphone: Microphone) -> None:
        """Says a sentence in real time."""
        async for piece in microphone.pieces():
            self.live.push_audio(rtc.AudioFrame(piece, INPUT_RATE_HZ, 1, len(piece) // 2))

    async def type(self, text: str) -> llm.GenerationCreatedEvent:
        """Says something in writing, as LiveKit's agents do, and waits for the reply to begin."""
        context = self.live.chat_ctx.copy()
        context.add_message(role="user", content=text)
        await self.live.update_chat_ctx(context)
        await self.live.generate_reply()
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
    """Hears a generation to its end, which is the end of the turn."""
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


async def check_connect() -> Seen:
    """A session is set up."""
    async with session() as opened:
        await opened.until(lambda: opened.live.session_resumption_handle is not None)
        return Seen("set up, and a first handle came")


async def check_speech() -> Seen:
    """Speech is heard."""
    microphone = Microphone()
    async with session() as opened:
        await opened.speak(microphone)
        await opened.until(lambda: bool(opened.transcripts))
        return microphone.check_transcript(opened.transcripts[-1])


async def check_answer() -> Seen:
    """Speech is answered."""
    microphone = Microphone()
    async with session() as opened, asyncio.TaskGroup() as tasks:
        tasks.create_task(opened.speak(microphone))
        return microphone.check_answer(await listen(await opened.generations.get()))


async def check_interruption() -> Seen:
    """Speaking into a long answer ends it; what comes next answers what was spoken."""
    microphone = Microphone()
    async with session() as opened, asyncio.TaskGroup() as tasks:
        counting = await opened.type(LONG_REQUEST)
        before = len(opened.speech_starts_s)
        tasks.create_task(opened.speak(microphone))
        heard = await listen(counting)
        starts_s = opened.speech_starts_s[before:]
        expect(bool(starts_s), f"no interruption, {heard.seconds:.1f} s came")
        note = microphone.check_interruption(heard, at_s=starts_s[0])
        answered = microphone.check_answer(await listen(await opened.generations.get()))
        return Seen(f"{note}, then {answered.note}", answered.heard_ms)


async def check_tool() -> Seen:
    """A function is called and its result is told."""

    @function_tool(name=TOOL_NAME, description=TOOL_DESCRIPTION)
    async def get_weather(city: str) -> None:
        raise NotImplementedError  # LiveKit's session leaves the calling to an agent: us

    async with session(tools=[get_weather]) as opened:
        generation = await opened.type(TOOL_REQUEST)
        call = await anext(aiter(generation.function_stream), None)
        if call is None:
            raise AssertionError(f"no call; it said: {(await listen(generation)).said}")
        called = f"{call.name}({call.arguments})"
        expect(
            (call.name, json.loads(call.arguments)) == (TOOL_NAME, TOOL_ARGUMENTS),
            f"it called {called}",
        )
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
        told = heard.check(*TOOL_WORDS)
        return Seen(f"{called}, then {told.note}", told.heard_ms)


async def check_resumption() -> Seen:
    """A lost connection is opened again, by LiveKit itself, with the handle."""
    async with Relay() as relay, session(base_url=relay.url) as opened:
        (await listen(await opened.type(TO_REMEMBER))).check()
        # Handles come while it answers, too; the one for all of the turn comes after it.
        await opened.until(lambda: opened.live.session_resumption_handle != opened.turn_end_handle)
        last = opened.live.session_resumption_handle
        relay.cut()
        # A resumed session is told a handle at once: only then is it surely there to be asked.
        await opened.until(lambda: opened.live.session_resumption_handle != last)
        expect(relay.connections == 2, f"{relay.connections} connections instead of two")
        return (await listen(await opened.type(QUESTION))).check(REMEMBERED)


async def check_token() -> Seen:
    """A token, asked for with google-genai since LiveKit has no call for it, does as the key."""
    minter = genai.Client(http_options=types.HttpOptions(api_version="v1alpha"))
    token = await minter.aio.auth_tokens.create(config=types.CreateAuthTokenConfig(uses=1))
    expect(bool(token.name), "the token has no name")
    async with session(api_key=token.name, api_version="v1alpha") as opened:
        return (await listen(await opened.type("Hello."))).check("hello")


if __name__ == "__main__":
    asyncio.run(
        report(
            {
                "livekit-plugins-google": google.__version__,
                "livekit-agents": agents.__version__,
                "google-genai": genai.__version__,
            },
            connect=check_connect,
            speak=check_speech,
            be_answered=check_answer,
            be_interrupted=check_interruption,
            call_a_tool=check_tool,
            resume=check_resumption,
            use_a_token=check_token,
        )
    )

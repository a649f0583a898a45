"""Pipecat's `GeminiLiveLLMService` as published, between two listeners in a pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable

import pipecat
from google import genai
from google.genai import types
from loguru import logger
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InputTextRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.workers.runner import WorkerRunner

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


class Heard:
    """What the listeners on both sides of the service have seen.

    Attributes:
        answer: What the bot has said since the last turn began.
        transcripts: What the user said.
        cut_short: What had come of an answer when it was interrupted.
        interrupted_s: When that was, by the event loop's clock.
        is_answered: Whether the answer has ended, with speech in it.
        errors: What Pipecat has given up on.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self.transcripts: list[str] = []
        self.cut_short = Answer()
        self.interrupted_s: float | None = None
        self.is_answered = False
        self.errors: list[str] = []

    def begin(self) -> None:
        """Forgets the last answer."""
        self.answer, self.is_answered = Answer(), False

    def interrupt(self) -> None:
        """Sets aside what has come; all that follows belongs to the next answer."""
        self.cut_short = self.answer
        self.interrupted_s = asyncio.get_running_loop().time()
        self.begin()


class Listener(FrameProcessor):
    """Takes down what passes."""

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self._heard = heard

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Takes a frame down and lets it pass."""
        await super().process_frame(frame, direction)
        is_down = direction is FrameDirection.DOWNSTREAM
        heard = self._heard
        match frame:
            case TTSAudioRawFrame():
                heard.answer.audio += frame.audio
            case TTSTextFrame():
                heard.answer.said += frame.text
            case TranscriptionFrame() if not is_down:
                heard.transcripts.append(frame.text)
            case InterruptionFrame() if is_down:
                heard.interrupt()
            case LLMFullResponseEndFrame() if heard.answer.audio:
                heard.is_answered = True
            case ErrorFrame() if not is_down:
                heard.errors.append(frame.error)
        await self.push_frame(frame, direction)


class Conversation:
    """A running pipeline."""

    def __init__(self, worker: PipelineWorker, service: GeminiLiveLLMService, heard: Heard) -> None:
        self.worker = worker
        self.service = service
        self.heard = heard

    async def type(self, text: str) -> None:
        """Says something in writing."""
        await self.worker.queue_frame(InputTextRawFrame(text=text))

    async def speak(self, microphone: Microphone) -> None:
        """Says a sentence in real time."""
        async for piece in microphone.pieces():
            await self.worker.queue_frame(
                InputAudioRawFrame(audio=piece, sample_rate=INPUT_RATE_HZ, num_channels=1)
            )

    async def answered(self) -> Answer:
        """Waits until a turn with speech in it has ended."""
        await self.until(lambda: self.heard.is_answered)
        return self.heard.answer

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits for something; an error that Pipecat does not mend itself ends the wait."""
        await until(lambda: bool(self.heard.errors) or is_so())
        expect(not self.heard.errors, "; ".join(self.heard.errors))

    # Private, here and below, but what else tells that it will not drop what is typed now?
    def is_ready(self) -> bool:
        """Whether what is typed now arrives."""
        return self.service._session is not None and self.service._ready_for_realtime_input


@contextlib.asynccontextmanager
async def conversation(
    *,
    api_key: str | None = None,
    api_version: str | None = None,
    base_url: str | None = None,
    greets: bool = False,
    tools: ToolsSchema | None = None,
    on_call: Callable[[FunctionCallParams], object] | None = None,
) -> AsyncIterator[Conversation]:
    """Runs a pipeline whose context is set and whose model is ready to listen."""
    service = GeminiLiveLLMService(
        api_key=api_key or os.environ["GOOGLE_API_KEY"],
        settings=GeminiLiveLLMService.Settings(model=f"models/{MODEL}"),
        inference_on_context_initialization=greets,
        http_options=types.HttpOptions(api_version=api_version, base_url=base_url),
        tools=tools,
    )
    if on_call is not None:
        service.register_function(TOOL_NAME, on_call)
    heard = Heard()
    worker = PipelineWorker(
        Pipeline([Listener(heard), service, Listener(heard)]),
        enable_rtvi=False,
        idle_timeout_secs=None,
    )
    opened = Conversation(worker, service, heard)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    try:
        context = LLMContext([{"role": "user", "content": "I am here."}])
        await worker.queue_frame(LLMContextFrame(context))
        await opened.until(opened.is_ready)
        yield opened
    finally:
        await worker.cancel()
        await running


async def check_connect() -> Seen:
    """A session is set up and its history sent."""
    async with conversation():
        return Seen("set up, and ready for realtime input")


async def check_speech() -> Seen:
    """Speech is heard."""
    microphone = Microphone()
    async with conversation() as talk:
        await talk.speak(microphone)
        await talk.until(lambda: bool(talk.heard.transcripts))
        return microphone.check_transcript(talk.heard.transcripts[-1])


async def check_answer() -> Seen:
    """Speech is answered."""
    microphone = Microphone()
    async with conversation() as talk:
        await talk.speak(microphone)
        return microphone.check_answer(await talk.answered())


async def check_interruption() -> Seen:
    """Speaking into a long answer ends it; what comes next answers what was spoken."""
    microphone = Microphone()
    async with conversation() as talk:
        heard = talk.heard
        await talk.type(LONG_REQUEST)
        await talk.until(lambda: bool(heard.answer.audio))
        expect(heard.interrupted_s is None, "it was interrupted before anybody spoke")
        await talk.speak(microphone)
        if heard.interrupted_s is None:
            raise AssertionError(f"no interruption, {heard.answer.seconds:.1f} s came")
        note = microphone.check_interruption(heard.cut_short, at_s=heard.interrupted_s)
        answered = microphone.check_answer(await talk.answered())
        return Seen(f"{note}, then {answered.note}", answered.heard_ms)


async def check_tool() -> Seen:
    """A function is called and its result is told."""
    calls: list[tuple[str, dict[str, object]]] = []

    async def get_weather(params: FunctionCallParams) -> None:
        calls.append((params.function_name, dict(params.arguments)))
        talk.heard.begin()
        await params.result_callback(TOOL_RESULT)

    schema = FunctionSchema(
        name=TOOL_NAME,
        description=TOOL_DESCRIPTION,
        properties={"city": {"type": "string"}},
        required=["city"],
    )
    tools = ToolsSchema(standard_tools=[schema])
    async with conversation(tools=tools, on_call=get_weather) as talk:
        await talk.type(TOOL_REQUEST)
        await talk.until(lambda: bool(calls) or talk.heard.is_answered)
        expect(bool(calls), f"no call; it said: {talk.heard.answer.said}")
        told = (await talk.answered()).check(*TOOL_WORDS)
        called = ", ".join(f"{name}({arguments})" for name, arguments in calls)
        expect(calls == [(TOOL_NAME, TOOL_ARGUMENTS)], f"it called {called}")
        return Seen(f"{called}, then {told.note}", told.heard_ms)


async def check_resumption() -> Seen:
    """A lost connection is opened again, by Pipecat itself, with the handle."""
    async with Relay() as relay, conversation(base_url=relay.url) as talk:
        await talk.type(TO_REMEMBER)
        (await talk.answered()).check()
        # Which moment a handle stands for is not said. One that comes from now on has what was
        # said; the turn brings some, and whichever is the last when the network goes will do.
        known = talk.service._session_resumption_handle
        talk.heard.begin()
        await talk.type("Hello.")
        (await talk.answered()).check()
        await talk.until(lambda: talk.service._session_resumption_handle != known)
        talk.heard.begin()
        before = talk.service._session
        relay.cut()
        await talk.until(lambda: talk.service._session is not before and talk.is_ready())
        expect(relay.connections == 2, f"{relay.connections} connections instead of two")
        await talk.type(QUESTION)
        return (await talk.answered()).check(REMEMBERED)


async def check_token() -> Seen:
    """A token, asked for with google-genai since Pipecat has no call for it, does as the key."""
    minter = genai.Client(http_options=types.HttpOptions(api_version="v1alpha"))
    token = await minter.aio.auth_tokens.create(config=types.CreateAuthTokenConfig(uses=1))
    expect(bool(token.name), "the token has no name")
    async with conversation(api_key=token.name, api_version="v1alpha", greets=True) as talk:
        return (await talk.answered()).check("hello")


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="INFO")
    asyncio.run(
        report(
            {"pipecat-ai": pipecat.__version__, "google-genai": genai.__version__},
            connect=check_connect,
            speak=check_speech,
            be_answered=check_answer,
            be_interrupted=check_interruption,
            call_a_tool=check_tool,
            resume=check_resumption,
            use_a_token=check_token,
        )
    )

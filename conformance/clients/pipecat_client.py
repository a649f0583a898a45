"""Pipecat's `GeminiLiveLLMService` as published, between two listeners in a pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable

from google import genai
from google.genai import types
from loguru import logger
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
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


class Heard:
    """What the listeners on both sides of the service have seen.

    Attributes:
        answer: What the bot has said since the last turn began.
        transcripts: What the user said.
        interruptions: How often the bot was interrupted.
        turns: How many answers have ended.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self.transcripts: list[str] = []
        self.interruptions = 0
        self.turns = 0


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
                heard.interruptions += 1
            case LLMFullResponseEndFrame():
                heard.turns += 1
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

    async def speak(self) -> None:
        """Says a sentence in real time."""
        async for piece in microphone():
            await self.worker.queue_frame(
                InputAudioRawFrame(audio=piece, sample_rate=INPUT_RATE_HZ, num_channels=1)
            )

    async def answered(self) -> Answer:
        """Waits until a turn with speech in it has ended."""
        await until(lambda: bool(self.heard.turns and self.heard.answer.audio))
        return self.heard.answer


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
        # Private, but what else says that it will not drop what is typed now?
        await until(lambda: service._ready_for_realtime_input)
        yield opened
    finally:
        await worker.cancel()
        await running


async def check_connect() -> str:
    """A session is set up and its history sent."""
    async with conversation():
        return "set up, and ready for realtime input"


async def check_speech() -> str:
    """Speech is heard."""
    async with conversation() as talk:
        await talk.speak()
        await until(lambda: bool(talk.heard.transcripts))
        return f"input transcript: {talk.heard.transcripts[-1]}"


async def check_answer() -> str:
    """Speech is answered."""
    async with conversation() as talk:
        await talk.speak()
        return (await talk.answered()).check(contains="you spoke for")


async def check_interruption() -> str:
    """Speaking into a count to sixty ends it."""
    async with conversation() as talk:
        await talk.type("count to 60")
        await until(lambda: bool(talk.heard.answer.audio))
        before = talk.heard.interruptions
        speaking = asyncio.create_task(talk.speak())
        await until(lambda: talk.heard.interruptions > before or talk.heard.turns > 0)
        seconds = talk.heard.answer.seconds
        await speaking
        expect(talk.heard.interruptions > before, f"all {seconds:.1f} s came, no interruption")
        return f"interrupted after {seconds:.1f} s of audio had come"


async def check_tool() -> str:
    """A function is called and its result is answered."""
    calls: list[str] = []

    async def get_weather(params: FunctionCallParams) -> None:
        calls.append(f"{params.function_name}({dict(params.arguments)})")
        talk.heard.answer, talk.heard.turns = Answer(), 0
        await params.result_callback(TOOL_RESULT)

    schema = FunctionSchema(
        name=TOOL_NAME,
        description=TOOL_DESCRIPTION,
        properties={"city": {"type": "string"}},
        required=[],
    )
    tools = ToolsSchema(standard_tools=[schema])
    async with conversation(tools=tools, on_call=get_weather) as talk:
        await talk.type(f"Please use {TOOL_NAME}.")
        await until(lambda: bool(calls or talk.heard.turns))
        expect(bool(calls), f"no call; it said: {talk.heard.answer.said}")
        return f"{calls[0]}, then {(await talk.answered()).check()}"


async def check_resumption() -> str:
    """A lost connection is opened again, by Pipecat itself, with the handle."""
    async with Relay() as relay, conversation(base_url=relay.url) as talk:
        first = talk.service._session_resumption_handle
        await talk.type("Hello.")
        (await talk.answered()).check()
        await until(lambda: talk.service._session_resumption_handle != first)
        talk.heard.answer, talk.heard.turns = Answer(), 0
        before = talk.service._session
        relay.cut()
        await until(lambda: talk.service._session not in (None, before))
        await talk.type("What do you remember?")
        return (await talk.answered()).check(contains="answered you once")


async def check_token() -> str:
    """A token, asked for with google-genai since Pipecat has no call for it, does as the key."""
    minter = genai.Client(http_options=types.HttpOptions(api_version="v1alpha"))
    token = await minter.aio.auth_tokens.create(config=types.CreateAuthTokenConfig(uses=1))
    expect(bool(token.name), "the token has no name")
    async with conversation(api_key=token.name, api_version="v1alpha", greets=True) as talk:
        return (await talk.answered()).check(contains="hello")


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="INFO")
    asyncio.run(
        report(
            ("pipecat-ai", "google-genai"),
            connect=check_connect,
            speak=check_speech,
            be_answered=check_answer,
            be_interrupted=check_interruption,
            call_a_tool=check_tool,
            resume=check_resumption,
            use_a_token=check_token,
        )
    )

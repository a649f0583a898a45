"""A service in the smallest pipeline, an understudy at its other end: Pipecat's own, or ours.

The tests of this folder show what Pipecat 1.14.0 does by itself. One that fails because the first
of the two answers has changed means that upstream has mended it: what we do instead can go.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pipecat.pipeline.worker
import pytest
from pipecat.frames.frames import ErrorFrame, Frame, InputAudioRawFrame, LLMContextFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.pipeline.worker_observer import WorkerObserver
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.workers.runner import WorkerRunner

from pipeline.live_service import LiveService
from tests.support.conversation import point_at
from understudy import Understudy
from understudy.scenario import Line as Answer
from understudy.scenario import Scenario

T = TypeVar("T")
F = TypeVar("F", bound=Frame)
Make = Callable[..., GeminiLiveLLMService]

WAIT_S = 0.5
"""So long is waited for what Pipecat's service does not do; ours takes much less where it does."""
IN_HZ = 16_000
PIECE_S = 0.02


def pipecats(understudy: Understudy, **options: Any) -> GeminiLiveLLMService:
    """The service as Pipecat has it."""
    options = {"api_key": "any", **options}
    settings = GeminiLiveLLMService.Settings(model="models/gemini-3.8-live")
    return GeminiLiveLLMService(http_options=point_at(understudy), settings=settings, **options)


def ours(understudy: Understudy, **options: Any) -> LiveService:
    """The service as Salon has it."""
    point_at(understudy)
    options = {"api_key": "any", "connect_timeout_s": 8, **options}
    settings = LiveService.Settings(model="models/gemini-3.8-live")
    return LiveService(settings=settings, **options)


async def both(measure: Callable[[Make], Awaitable[T]]) -> tuple[T, T]:
    """What a measurement gives of Pipecat's service and of ours, both taken at the same time."""
    theirs, own = await asyncio.gather(measure(pipecats), measure(ours))
    return theirs, own


class _Pushed(BaseObserver):
    """Takes down what a service pushes."""

    def __init__(self, service: GeminiLiveLLMService):
        super().__init__()
        self.frames: list[Frame] = []
        self._service = service

    async def on_push_frame(self, data: FramePushed):
        if data.source is self._service:
            self.frames.append(data.frame)


@dataclass
class Line:
    """A service at work.

    Parameters:
        service: The service.
        understudy: Whom it talks with.
        worker: What runs it.
        frames: What it has pushed, in order, errors and transcripts included.
        running: Done when the pipeline has ended.
    """

    service: GeminiLiveLLMService
    understudy: Understudy
    worker: PipelineWorker
    frames: list[Frame]
    running: asyncio.Task

    async def open(self, text: str = "Greet the person.") -> None:
        """Give the context with which a conversation begins."""
        context = LLMContext([{"role": "developer", "content": text}] if text else [])
        await self.send(LLMContextFrame(context))

    async def greet(self) -> None:
        """Begin a conversation, and wait until the model has greeted."""
        await self.open()
        await self.until(lambda: self.events("turn_complete"))

    async def begin(self) -> None:
        """Begin a conversation in which the user speaks first."""
        await self.open()
        await self.until(lambda: self.service._ready_for_realtime_input)

    async def drop(self) -> None:
        """Break the connection that there is."""
        before = len(self.events("closed"))
        self.understudy.inject("rst", session=self.events("setup")[-1]["session"])
        await self.until(lambda: len(self.events("closed")) > before)

    async def send(self, frame: Frame) -> None:
        """Have the service process a frame."""
        await self.worker.queue_frame(frame)

    async def send_sound(self, seconds: float) -> None:
        """Give the service sound in real time, as a microphone does."""
        piece = bytes(int(IN_HZ * PIECE_S) * 2)
        for _ in range(round(seconds / PIECE_S)):
            await self.send(InputAudioRawFrame(piece, IN_HZ, 1))
            await asyncio.sleep(PIECE_S)

    def pushed(self, kind: type[F]) -> list[F]:
        """What the service has pushed of one kind."""
        return [frame for frame in self.frames if isinstance(frame, kind)]

    @property
    def errors(self) -> list[str]:
        """The errors that the pipeline was told."""
        return [frame.error for frame in self.pushed(ErrorFrame)]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The understudy's events of one name."""
        return [record for record in self.understudy.records if record["event"] == name]

    async def until(self, condition: Callable[[], Any], *, within_s: float = 8.0) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: It never was.
        """
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.01)

    async def happens(self, condition: Callable[[], Any]) -> bool:
        """Wait for what ours does and Pipecat's does not; returns whether it came."""
        try:
            await self.until(
                condition, within_s=8 if isinstance(self.service, LiveService) else WAIT_S
            )
        except TimeoutError:
            return False
        return True


@contextlib.asynccontextmanager
async def line(
    make: Make,
    *,
    faults: Sequence[str] = (),
    greets: bool = True,
    say: str = "Hi.",
    script: Path | None = None,
    **options: Any,
) -> AsyncIterator[Line]:
    """Run a service against an understudy of its own.

    Args:
        make: `pipecats` or `ours`.
        faults: What goes wrong.
        greets: Whether the model speaks first.
        say: What the understudy answers.
        script: What the understudy plays instead of answering by itself.
        **options: For the service.
    """
    scenario = Scenario(lines=(Answer(say=say),))
    async with Understudy(faults=faults, scenario=scenario, replay=script) as understudy:
        service = make(understudy, inference_on_context_initialization=greets, **options)
        pushed = _Pushed(service)
        with pytest.MonkeyPatch.context() as patch:  # sessions of this process have their own
            patch.setattr(pipecat.pipeline.worker, "WorkerObserver", WorkerObserver)
            worker = PipelineWorker(
                Pipeline([service]),
                observers=[pushed],
                params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
                enable_rtvi=False,
                enable_turn_tracking=False,
            )
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        running = asyncio.create_task(runner.run())
        try:
            yield Line(service, understudy, worker, pushed.frames, running)
        finally:
            await worker.cancel()
            await running


def said(**fields: Any) -> dict[str, Any]:
    """A message of the model's, with these fields of serverContent."""
    return {"serverContent": fields}


def turn(*parts: dict[str, Any]) -> dict[str, Any]:
    """A message with these parts of a model turn."""
    return said(modelTurn={"role": "model", "parts": list(parts)})


def sound(size: int) -> dict[str, Any]:
    """A part of so many bytes of silence."""
    data = base64.b64encode(bytes(size)).decode()
    return {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": data}}


def script(folder: Path, make: Make, *messages: dict[str, Any]) -> Path:
    """Write down what a model is to send, on the wire, when a conversation is opened."""
    lines: list[tuple[str, dict[str, Any]]] = [
        ("client", {"setup": {}}),
        ("server", {"setupComplete": {}}),
        ("client", {"clientContent": {}}),
        # A blank one, with which Pipecat has a 3.x model begin.
        ("client", {"realtimeInput": {"text": " "}}),
        *(("server", message) for message in messages),
    ]
    path = folder / f"{make.__name__}.jsonl"
    records = ({"t": 0, "from": side, "message": message} for side, message in lines)
    path.write_text("\n".join(map(json.dumps, records)))
    return path

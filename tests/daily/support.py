"""A stand-in for Daily, and Pipecat's unchanged `DailyTransport` in a room of it."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web
from pipecat.frames.frames import (
    Frame,
    OutputAudioRawFrame,
    UserAudioRawFrame,
    UserImageRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_transport import VideoInSourceParams
from pipecat.transports.daily.transport import DailyParams, DailyTransport
from pipecat.transports.daily.utils import (
    DailyRESTHelper,
    DailyRoomObject,
    DailyRoomParams,
    DailyRoomProperties,
    DailyRoomSipParams,
)
from pipecat.workers.runner import WorkerRunner

from understudy.daily import DailyStandIn

KEY = "key-of-the-stand-in"
HMAC = base64.b64encode(bytes(range(32))).decode()
RATE_HZ = 16_000
NUMBER = "+15550001"
CALLER = "+15559999"


class Echo(FrameProcessor):
    """Says what it hears, and keeps what it gets."""

    def __init__(self):
        super().__init__()
        self.sound = bytearray()
        self.pieces = 0
        self.pictures: list[UserImageRawFrame] = []

    def loud_s(self) -> float:
        """How long it was, from the first that was no silence to the last, in seconds."""
        loud = np.nonzero(np.frombuffer(bytes(self.sound), np.int16))[0]
        return (loud[-1] - loud[0]) / RATE_HZ if loud.size else 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, UserAudioRawFrame):
            self.pieces += 1
            self.sound += frame.audio
            if any(frame.audio):
                await self.push_frame(
                    OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
                )
        elif isinstance(frame, UserImageRawFrame):
            self.pictures.append(frame)
        else:
            await self.push_frame(frame, direction)


class Bot:
    """A `DailyTransport` in a pipeline, and what it was told."""

    def __init__(self, transport: DailyTransport, worker: PipelineWorker, echo: Echo):
        self.transport = transport
        self.worker = worker
        self.echo = echo
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self._changed = asyncio.Condition()
        for name in EVENTS:
            self._listen(name)

    def told(self, name: str) -> list[tuple[Any, ...]]:
        """What came with each event of that name."""
        return [args for event, args in self.events if event == name]

    async def until(self, name: str, *, within_s: float = 3) -> tuple[Any, ...]:
        """The last of the events of that name, as soon as there is one."""
        async with self._changed, asyncio.timeout(within_s):
            await self._changed.wait_for(lambda: self.told(name))
        return self.told(name)[-1]

    def _listen(self, name: str) -> None:
        async def listen(_transport: DailyTransport, *args: Any) -> None:
            async with self._changed:
                self.events.append((name, args))
                self._changed.notify_all()

        self.transport.add_event_handler(name, listen)


EVENTS = (
    "on_active_speaker_changed",
    "on_app_message",
    "on_call_state_updated",
    "on_dialin_connected",
    "on_dialin_error",
    "on_dialin_ready",
    "on_dialin_stopped",
    "on_dialout_answered",
    "on_dialout_connected",
    "on_dialout_error",
    "on_dialout_stopped",
    "on_dtmf_event",
    "on_error",
    "on_joined",
    "on_left",
    "on_network_connection_status_updated",
    "on_participant_joined",
    "on_participant_left",
    "on_participant_updated",
    "on_recording_started",
    "on_recording_stopped",
)


@contextlib.asynccontextmanager
async def rest(daily: DailyStandIn) -> AsyncIterator[DailyRESTHelper]:
    """Pipecat's own client of the REST API."""
    async with aiohttp.ClientSession() as session:
        yield DailyRESTHelper(
            daily_api_key=daily.api_key, daily_api_url=daily.url, aiohttp_session=session
        )


async def room(daily: DailyStandIn, **properties: Any) -> tuple[DailyRoomObject, str]:
    """A new room, and an owner's token for it."""
    async with rest(daily) as helper:
        made = await helper.create_room(
            DailyRoomParams(properties=DailyRoomProperties(**properties))
        )
        return made, await helper.get_token(made.url)


def sip() -> dict[str, Any]:
    """The properties of a room that can be dialled into."""
    return {"sip": DailyRoomSipParams(display_name=CALLER)}


@contextlib.asynccontextmanager
async def bot(url: str, token: str | None, **params: Any) -> AsyncIterator[Bot]:
    """A bot in a room, until the end."""
    settings = {
        "audio_in_enabled": True,
        "audio_out_enabled": True,
        "audio_out_end_silence_secs": 0,
        "audio_out_10ms_chunks": 2,
        "video_in_enabled": True,
        "video_in_sources": {
            source: VideoInSourceParams(framerate=30) for source in ("camera", "screenVideo")
        },
    }
    transport = DailyTransport(url, token, "Salon", DailyParams(**{**settings, **params}))
    echo = Echo()
    pipeline = Pipeline([transport.input(), echo, transport.output()])
    rates = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
    worker = PipelineWorker(pipeline, params=rates, enable_rtvi=False)
    runner = WorkerRunner(handle_sigint=False)
    made = Bot(transport, worker, echo)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    try:
        yield made
    finally:
        await worker.cancel()
        await running


@dataclass
class Webhook:
    """What a server was told of calls."""

    url: str
    requests: list[tuple[list[tuple[bytes, bytes]], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Their bodies."""
        return [json.loads(body) for _, body in self.requests]


@contextlib.asynccontextmanager
async def webhook(*statuses: int) -> AsyncIterator[Webhook]:
    """A server that is told of calls, and answers with these statuses, then 200."""
    received = Webhook("", statuses=list(statuses))

    async def receive(request: web.Request) -> web.Response:
        raw = [(name.lower(), value) for name, value in request.raw_headers]
        received.requests.append((raw, await request.read()))
        received.came.set()
        return web.Response(status=received.statuses.pop(0) if received.statuses else 200)

    app = web.Application()
    app.router.add_post("/daily-dialin-webhook", receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    received.url = f"http://127.0.0.1:{runner.addresses[0][1]}/daily-dialin-webhook"
    try:
        yield received
    finally:
        await runner.cleanup()


async def post(daily: DailyStandIn, path: str, body: Any) -> tuple[int, Any]:
    """Asks the REST API for something that Pipecat has no function for."""
    headers = {"Authorization": f"Bearer {daily.api_key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(daily.url + path, json=body) as answer,
    ):
        return answer.status, await answer.json()

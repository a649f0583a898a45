"""Tells a caller one sentence and hangs up: for calls that there is no session for."""

import asyncio
from typing import Any

from loguru import logger
from pipecat.frames.frames import EndFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.runner.types import DailyRunnerArguments
from pipecat.transports.base_transport import BaseTransport
from pipecat.workers.runner import WorkerRunner

from pipeline.announcements import Announcement
from pipeline.joining import Joining
from pipeline.phone.call import IN_BODY, PhoneCall, Provider
from pipeline.phone.pick_up import PickUpError, pick_up
from pipeline.settings import Settings, load_settings
from pipeline.transports import daily_transport
from processors.announcer import Announcer

CONNECT_S = 20.0
"""How long the caller may take to be connected."""
SAY_S = 15.0
"""How long the sentence may take after that."""
MEDIA_S = 0.5
"""How long sound may take to be carried once a caller is said to be connected."""


async def announce(args: DailyRunnerArguments, announcement: Announcement) -> None:
    """Join the room, pick the call up, say the sentence, and end; there is no model.

    Args:
        args: The room, and in `body` the call.
        announcement: What is said.
    """
    settings = load_settings()
    transport = daily_transport(args, name="Salon", is_phone=True)
    call = (args.body or {})[IN_BODY]
    await say_once(transport, announcement, call=call, settings=settings, args=args)


async def say_once(
    transport: BaseTransport,
    announcement: Announcement,
    *,
    call: PhoneCall,
    settings: Settings,
    args: Any,
) -> None:
    """The same over a transport that is there.

    Args:
        transport: The way to the caller.
        announcement: What is said.
        call: Who is to hear it.
        settings: Of this server.
        args: Of the runner, for its handling of signals.
    """
    announcer = Announcer(language=settings.language)
    pipeline = Pipeline([transport.input(), announcer, transport.output()])
    worker = PipelineWorker(pipeline, enable_rtvi=False, idle_timeout_secs=None)
    is_connected = asyncio.Event()
    picking_up: set[asyncio.Task[None]] = set()

    async def give_up(reason: Any, why: str) -> None:
        logger.warning(f"A caller is not told {announcement.name}: {why}")
        await worker.cancel(reason=why)

    async def pick_it_up(sip_address: str) -> None:
        try:
            await pick_up(call, sip_address=sip_address, settings=settings, within_s=CONNECT_S)
        except PickUpError as error:
            if not is_connected.is_set():
                await give_up(None, str(error))

    async def speak() -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await is_connected.wait()
        except TimeoutError:
            return await give_up(None, "They were not connected in time.")
        await asyncio.sleep(MEDIA_S)
        announcer.say_at_the_end(announcement)
        await worker.queue_frame(EndFrame(reason="It is said."))
        await asyncio.sleep(SAY_S)
        await give_up(None, "The line takes no sound.")

    @transport.event_handler("on_dialin_ready")
    async def on_dialin_ready(transport: BaseTransport, sip_address: str):
        if call.provider is Provider.DAILY and not picking_up:
            picking_up.add(asyncio.create_task(pick_it_up(sip_address)))

    @transport.event_handler("on_dialin_connected")
    async def on_dialin_connected(transport: BaseTransport, data: Any):
        is_connected.set()

    @transport.event_handler("on_client_connected")
    async def on_client_connected(transport: BaseTransport, client: Any):
        is_connected.set()

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport: BaseTransport, client: Any):
        await worker.cancel(reason="The caller hung up.")

    @transport.event_handler("on_dialin_error")
    async def on_dialin_error(transport: BaseTransport, data: Any):
        await give_up(None, "Daily could not connect them.")

    joining = Joining(transport, end=give_up)
    runner = WorkerRunner(handle_sigint=args.handle_sigint, handle_sigterm=args.handle_sigterm)
    await runner.add_workers(worker)
    tasks = {asyncio.create_task(speak()), asyncio.create_task(joining.watch())}
    try:
        await runner.run()
    finally:
        for task in tasks | picking_up:
            task.cancel()
        await asyncio.gather(*tasks, *picking_up, return_exceptions=True)
